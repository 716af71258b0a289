package resource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// TestEnginesThatVanish kills a Docker daemon, with the containerd that belongs to
// it, below running containers, and starts it again.
func TestEnginesThatVanish(t *testing.T) {
	t.Parallel()
	need.Root(t)
	l := ledger.Open(t)
	d := docker.Start(t, docker.WithLiveRestore())
	var paths []string
	for _, name := range []string{"one", "two", "three"} {
		paths = append(paths, d.Run(t.Context(), docker.Spec{Name: name}).CgroupPath)
	}
	paths = append(paths, runInContainerd(t, d, l, "four"))
	e := startExporter(t, d.ContainerdAddress, d.Host)
	for _, path := range paths {
		e.shows(t, soon, path)
	}
	before := e.mustScrape(t)

	loop := e.scrapeAllTheTime(t, paths)
	d.Kill()
	loop.more(t, 5)
	// What is known of a source is found out when it is asked, at the latest half
	// a minute later; a control group that appears is a reason to ask.
	group := newCgroup(t)
	e.wantSource(t, "docker", "absent")
	e.wantSource(t, "containerd", "absent")
	loop.more(t, 5)
	group.again(t)
	loop.more(t, 5)

	d.Restart()
	group.again(t)
	e.wantSource(t, "docker", "")
	e.wantSource(t, "containerd", "")
	loop.more(t, 5)
	loop.stop(t)

	after := e.mustScrape(t)
	for _, path := range paths {
		if a, b := len(before.of(path).readNow()), len(after.of(path).readNow()); a != b {
			t.Errorf("%s had %d series before and has %d now", path, a, b)
		}
	}
	// And what starts now is named again.
	five := d.Run(t.Context(), docker.Spec{Name: "five"}).CgroupPath
	x := e.shows(t, soon, five).of(five)
	if len(x.with(map[string]string{"container": "five", "workload": "five", "namespace": "default"})) != len(x) {
		t.Errorf("a new container is not named: %v", x)
	}
}

// wantSource waits until a source is said to be in a state: the reason why it does
// not answer, or none.
func (e *exporter) wantSource(t *testing.T, name, reason string) {
	t.Helper()
	wait.For(t, limit, fmt.Sprintf("the source %s to have the reason %q", name, reason), func() error {
		x, err := e.scrape()
		if err != nil {
			return err
		}
		found := x.family("loadline_source_available").with(map[string]string{"source": name})
		if len(found) != 1 || found[0].labels["reason"] != reason || (found[0].value == 1) != (reason == "") {
			return fmt.Errorf("it says %v", found)
		}
		return nil
	})
}

// scrapeLoop scrapes all the time and remembers the first scrape that was not
// whole.
type scrapeLoop struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu    sync.Mutex
	count int
	err   error
}

// scrapeAllTheTime starts a loop whose scrapes must all have the counters of the
// containers at paths, under the names that they have now.
func (e *exporter) scrapeAllTheTime(t *testing.T, paths []string) *scrapeLoop {
	t.Helper()
	names := map[string]map[string]string{}
	for path, s := range infoByPath(e.mustScrape(t)) {
		names[path] = map[string]string{"id": path, "container": s.labels["container"], "workload": s.labels["workload"], "namespace": s.labels["namespace"]}
	}
	ctx, cancel := context.WithCancel(t.Context())
	l := &scrapeLoop{cancel: cancel}
	former := exposition(nil)
	look := func() error {
		x, err := e.scrape()
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := wantCounters(x, former, names[path]); err != nil {
				return err
			}
		}
		for collector, success := range x.byLabel("loadline_collector_success", "collector") {
			if success != 1 {
				return fmt.Errorf("the collector %s failed", collector)
			}
		}
		former = x
		return nil
	}
	l.done.Go(func() {
		_ = wait.Until(ctx, func() error {
			err := look()
			l.mu.Lock()
			defer l.mu.Unlock()
			l.count++
			if l.err == nil && err != nil {
				l.err = fmt.Errorf("scrape %d: %w", l.count, err)
			}
			return errors.New("until it is stopped")
		})
	})
	t.Cleanup(l.end)
	return l
}

func infoByPath(x exposition) map[string]sample {
	out := map[string]sample{}
	for _, s := range x.family("loadline_container_info") {
		out[s.labels["id"]] = s
	}
	return out
}

// wantCounters checks that a container has all kinds of counters, and that none
// went back.
func wantCounters(x, former exposition, labels map[string]string) error {
	of, was := x.with(labels), former.with(labels)
	for _, name := range []string{
		"container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "container_memory_usage_bytes",
		"container_oom_events_total", "container_threads", "container_start_time_seconds", "container_spec_memory_limit_bytes",
	} {
		if len(of.family(name)) != 1 {
			return fmt.Errorf("%s of %v is missing", name, labels)
		}
	}
	const counter = "container_cpu_usage_seconds_total"
	if old := was.value(counter); of.value(counter) < old {
		return fmt.Errorf("%s of %v went back from %v to %v", counter, labels, old, of.value(counter))
	}
	return nil
}

// more waits for n further scrapes.
func (l *scrapeLoop) more(t *testing.T, n int) {
	t.Helper()
	l.mu.Lock()
	want := l.count + n
	l.mu.Unlock()
	wait.For(t, limit, "further scrapes", func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.count < want {
			return fmt.Errorf("%d of %d", l.count, want)
		}
		return nil
	})
}

// stop ends the loop and fails the test if any of its scrapes was not whole.
func (l *scrapeLoop) stop(t *testing.T) {
	t.Helper()
	l.end()
	if l.err != nil {
		t.Errorf("of %d scrapes not all were whole: %v", l.count, l.err)
	}
}

func (l *scrapeLoop) end() {
	l.cancel()
	l.done.Wait()
}

// TestEngineThatHangs stops a Docker daemon as a debugger does.
func TestEngineThatHangs(t *testing.T) {
	t.Parallel()
	need.Root(t)
	d := docker.Start(t)
	path := d.Run(t.Context(), docker.Spec{Name: "one"}).CgroupPath
	e := startExporter(t, d.ContainerdAddress, d.Host)
	e.shows(t, soon, path)
	loop := e.scrapeAllTheTime(t, []string{path})
	if err := syscall.Kill(d.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	resume := func() { _ = syscall.Kill(d.PID, syscall.SIGCONT) }
	t.Cleanup(resume)
	newCgroup(t)
	e.wantSource(t, "docker", "timeout")
	loop.more(t, 5)
	resume()
	newCgroup(t)
	e.wantSource(t, "docker", "")
	loop.stop(t)
}

// group is a control group that no container has. That it appears wakes whoever
// watches the tree.
type group struct{ dir string }

func newCgroup(t *testing.T) group {
	t.Helper()
	groups, err := cgroup.At(fmt.Sprintf("/loadline-e2e-%d", time.Now().UnixNano()))
	if err != nil {
		t.Fatal(err)
	}
	g := group{groups.Dir("memory")}
	t.Cleanup(func() { _ = syscall.Rmdir(g.dir) })
	g.again(t)
	return g
}

// again makes it anew.
func (g group) again(t *testing.T) {
	t.Helper()
	_ = syscall.Rmdir(g.dir)
	if err := os.Mkdir(g.dir, 0o700); err != nil {
		t.Fatal(err)
	}
}
