package oom

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/resource/container"
	containerdsource "github.com/loadline-exporters/loadline/exporters/resource/containerd"
	dockersource "github.com/loadline-exporters/loadline/exporters/resource/docker"
)

// watched is an engine whose events are listened to.
type watched interface {
	Watch(ctx context.Context, connected func(detail string), on func(container.Event)) error
	Close() error
}

// listener keeps what an engine tells.
type listener struct {
	engine watched

	mu   sync.Mutex
	told []container.Event
	stop func()
}

func listen(t *testing.T, engine watched, err error) *listener {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{engine: engine, stop: func() {}}
	t.Cleanup(func() {
		l.stop()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	l.listen(t)
	return l
}

// listen opens the stream.
func (l *listener) listen(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	connected, ended := make(chan bool, 1), make(chan error, 1)
	go func() {
		ended <- l.engine.Watch(ctx, func(string) { connected <- true }, func(e container.Event) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.told = append(l.told, e)
		})
	}()
	select {
	case <-connected:
	case err := <-ended:
		cancel()
		t.Fatalf("the stream was not opened: %v", err)
	}
	l.stop = sync.OnceFunc(func() { cancel(); <-ended })
}

// of are the events of a container.
func (l *listener) of(id string) []container.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.told), func(e container.Event) bool { return e.ID != id })
}

// wants waits until a container's events are those that are wanted, in any order:
// an engine hears of a kill and of the end by different ways.
func (l *listener) wants(t *testing.T, id string, want ...string) []container.Event {
	t.Helper()
	slices.Sort(want)
	var told []container.Event
	wait.For(t, limit, "the events of "+id, func() error {
		var got []string
		told = l.of(id)
		for _, e := range told {
			line := map[container.EventKind]string{container.Created: "created", container.OOMKilled: "killed", container.Ended: "ended"}[e.Kind]
			if e.Kind == container.Ended {
				line += fmt.Sprint(" ", e.ExitCode)
			}
			got = append(got, line)
		}
		slices.Sort(got)
		if !slices.Equal(slices.Compact(got), want) {
			return fmt.Errorf("it tells %v, want %v", got, want)
		}
		return nil
	})
	return told
}

// killedOnce runs containers until the engine tells that one was killed, which it does
// not hear of each time, and returns that one.
func (l *listener) killedOnce(t *testing.T, run func(name string) string) string {
	t.Helper()
	var ids []string
	for n := range 10 {
		ids = append(ids, run(fmt.Sprint("hostile", n)))
		wait.For(t, limit, "the end of "+ids[n], func() error {
			if !l.tells(ids[n], container.Ended) {
				return errors.New("it is not told")
			}
			return nil
		})
		// What is told late of one is there when the next has ended.
		for _, id := range ids {
			if l.tells(id, container.OOMKilled) {
				return id
			}
		}
	}
	t.Fatal("the engine told nothing of ten kills")
	return ""
}

// tells says whether there was such an event of a container.
func (l *listener) tells(id string, kind container.EventKind) bool {
	return slices.ContainsFunc(l.of(id), func(e container.Event) bool { return e.Kind == kind })
}

func TestDockerTellsWhatHappensToContainers(t *testing.T) {
	need.Root(t)
	d := docker.Start(t)
	source, err := dockersource.New(d.Host)
	l := listen(t, source, err)
	labels := map[string]string{"exitCode": "0", "name": "true", "image": "true:1", "com.docker.compose.project": "shop"}

	hostile := l.killedOnce(t, func(name string) string {
		return d.Run(within(t), docker.Spec{Name: name, Labels: labels, MemoryLimit: memory, Args: []string{"oom"}}).ID
	})
	told := l.wants(t, hostile, "created", "killed", fmt.Sprint("ended ", killed))
	for _, e := range told {
		if !strings.HasPrefix(e.Engine.Name, "hostile") || e.Engine.Image == "true:1" || e.Engine.Labels["com.docker.compose.project"] != "shop" || e.Engine.Labels["name"] != "" {
			t.Errorf("it tells of %+v", e.Engine)
		}
	}
	removed := d.Run(within(t), docker.Spec{Name: "removed", MemoryLimit: memory, Args: []string{"exit", "3"}, AutoRemove: true})
	l.wants(t, removed.ID, "created", "ended 3")

	l.stop()
	meanwhile := d.Run(within(t), docker.Spec{Name: "meanwhile", Args: []string{"exit", "4"}, AutoRemove: true})
	if err := meanwhile.WaitRemoved(within(t)); err != nil {
		t.Fatal(err)
	}
	before := len(l.of(hostile))
	l.listen(t)
	l.wants(t, meanwhile.ID, "created", "ended 4")
	if after := len(l.of(hostile)); after != before {
		t.Errorf("%d events were told again", after-before)
	}
}

func TestContainerdTellsWhatHappensToContainers(t *testing.T) {
	need.Root(t)
	c := containerd.Start(t)
	source, err := containerdsource.New(c.Address)
	l := listen(t, source, err)
	// A stream is open before containerd listens to it: what it tells of shows that
	// it does.
	tries := 0
	wait.For(t, limit, "the stream", func() error {
		tries++
		x := c.Run(within(t), containerd.Spec{ID: fmt.Sprint("try-", tries), Args: []string{"exit"}})
		if err := x.Remove(within(t)); err != nil {
			return err
		}
		if len(l.of(x.ID)) == 0 {
			return fmt.Errorf("nothing was told of %s", x.ID)
		}
		return nil
	})
	labels := map[string]string{"nerdctl/name": "web"}
	for _, namespace := range []string{"default", "k8s.io"} {
		// Children are killed, one after the other: of a first process containerd loses
		// the kill when the process's end is quicker, and what was killed before its shim
		// listens.
		id := "oom-" + strings.ReplaceAll(namespace, ".", "-")
		x := c.Run(within(t), containerd.Spec{Namespace: namespace, ID: id, Labels: labels, MemoryLimit: memory, Args: []string{"oom-child", "20"}})
		l.wants(t, id, "created", "killed")
		if err := x.Remove(within(t)); err != nil {
			t.Fatal(err)
		}
		for _, e := range l.wants(t, id, "created", "killed", fmt.Sprint("ended ", killed)) {
			if e.Key != namespace+"/"+id || e.Kind == container.Created && (e.Engine.Name != "web" || e.Engine.CgroupsPath != x.CgroupPath) {
				t.Errorf("it tells of %s: %+v", e.Key, e.Engine)
			}
		}
	}
}

// TestEnginesThatComeAndGoLeaveNothingOpen kills both engines and starts them again,
// below an exporter that goes on.
func TestEnginesThatComeAndGoLeaveNothingOpen(t *testing.T) {
	const times, settled = 20, 5
	m := startMachine(t)
	connected := func(n int) {
		t.Helper()
		// Two exporters listen to Docker.
		for name, streams := range map[string]int{"docker-events": 2, "containerd-events": 1} {
			wait.For(t, limit, fmt.Sprintf("the stream %s to be open, time %d", name, n), func() error {
				if got := strings.Count(m.Stderr.String(), "source is available\" from="+name+" "); got < n*streams {
					return fmt.Errorf("it was opened %d times", got)
				}
				return nil
			})
		}
	}
	// Sockets and files; not what is open of other tests' containers.
	count := func() (descriptors int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			to, err := os.Readlink("/proc/self/fd/" + e.Name())
			if err == nil && !strings.HasPrefix(to, "/sys/fs/cgroup/") && !strings.HasPrefix(to, "/proc/") && !strings.Contains(to, "pidfd") {
				descriptors++
			}
		}
		return descriptors
	}
	connected(1)
	var descriptors int
	var goroutines float64
	for n := range times {
		m.docker.Kill()
		m.containerd.Kill()
		m.docker.Restart()
		m.containerd.Restart()
		connected(n + 2)
		if n == settled {
			scrapes(t, m.Program, 2)
			descriptors, goroutines = count(), m.Value(t, `go_goroutines{job="resource"}`)
		}
	}
	// What goes with the last stream may take a while.
	wait.For(t, limit, "what the exporter has open to be no more than before", func() error {
		d, g := count(), m.Value(t, `go_goroutines{job="resource"}`)
		if d > descriptors+times/2 || g > goroutines+times/2 {
			return fmt.Errorf("after %d times it has %d descriptors and %v goroutines, after %d it had %d and %v", times, d, g, settled, descriptors, goroutines)
		}
		return nil
	})
}
