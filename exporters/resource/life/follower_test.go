package life

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
)

const limit = 20 * time.Second

// machine is a tree of plain files, and the real processes.
type machine struct {
	t    *testing.T
	root string
	tree *cgroup.Tree
	book *Book
	*Follower
}

func follow(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, root: t.TempDir(), book: NewBook()}
	for _, c := range []string{"memory", "cpuacct"} {
		if err := os.Mkdir(filepath.Join(m.root, c), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if m.tree, err = cgroup.Open(m.root); err != nil {
		t.Fatal(err)
	}
	m.Follower = NewFollower(m.tree, m.book, "/proc", slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { m.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return m
}

// write writes a group's file as the kernel would.
func (m *machine) write(controller, file, data string) {
	m.t.Helper()
	p := filepath.Join(m.root, controller, path, file)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) group(pids, cpu string, kills int) {
	m.write("memory", "cgroup.procs", pids)
	m.write("memory", "memory.oom_control", fmt.Sprintf("oom_kill %d\n", kills))
	m.write("cpuacct", "cpuacct.usage", cpu)
}

func (m *machine) life() *Life {
	l, _ := m.book.Life(m.tree, path, 1, true)
	l.Named(web)
	m.Follow(l)
	return l
}

// serves waits until that is served.
func (m *machine) serves(want string) {
	m.t.Helper()
	wait.For(m.t, limit, "what is served", func() error {
		if got := serve(m.t, m.book); got != want {
			return fmt.Errorf("it is\n%s\nwant\n%s", got, want)
		}
		return nil
	})
}

// watched waits until a process is waited for.
func (m *machine) watched(pid int) {
	m.t.Helper()
	wait.For(m.t, limit, "a first process", func() error {
		m.book.mu.Lock()
		defer m.book.mu.Unlock()
		if m.book.byFirst[pid] == nil {
			return errors.New("none is waited for")
		}
		return nil
	})
}

func start(t *testing.T) *exec.Cmd {
	t.Helper()
	c := exec.Command("cat") // waits for its input
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c
}

func TestTotalsAreReadWhenTheFirstProcessEnds(t *testing.T) {
	m, process := follow(t), start(t)
	m.group(fmt.Sprintln(process.Process.Pid), "1000000000", 0)
	l := m.life()
	m.watched(process.Process.Pid)
	m.group("", "3000000000", 1)
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	m.serves("cpu_seconds_total shop/web/deployment/app 3\ncontainer_starts_total shop/web/deployment/app 1\noom_kills_total shop/web/deployment/app/container/init 1")
	if l.Ended().IsZero() {
		t.Error("the life does not say that it ended")
	}
}

func TestAProcessThatComesLaterIsWaitedFor(t *testing.T) {
	m, process := follow(t), start(t)
	m.group("", "0", 0)
	m.life()
	m.write("memory", "cgroup.procs", fmt.Sprintln(process.Process.Pid))
	m.watched(process.Process.Pid)
}

func TestTheNextProcessIsWaitedForWhenTheRuntimesEnds(t *testing.T) {
	m, runtime, process := follow(t), start(t), start(t)
	m.group(fmt.Sprintln(runtime.Process.Pid), "0", 0)
	l := m.life()
	m.watched(runtime.Process.Pid)
	m.write("memory", "cgroup.procs", fmt.Sprintln(process.Process.Pid))
	if err := runtime.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	m.watched(process.Process.Pid)
	if !l.Ended().IsZero() {
		t.Error("the life is said to have ended")
	}
}

func TestAGroupWithoutProcessesIsForgottenUnlessItIsAContainers(t *testing.T) {
	m := follow(t)
	l, _ := m.book.Life(m.tree, "/none", 1, true)
	m.Follow(l)
	m.group("", "0", 0)
	m.life()
	wait.For(t, limit, "the group to be forgotten", func() error {
		if !m.book.gone(l) {
			return errors.New("it is kept")
		}
		return nil
	})
	if kept, isNew := m.book.Life(m.tree, path, 1, true); isNew || m.book.gone(kept) {
		t.Error("the container was forgotten")
	}
}

func TestNoDescriptorIsLeft(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := count()
	t.Run("following", func(t *testing.T) {
		m, process := follow(t), start(t)
		m.group(fmt.Sprintln(process.Process.Pid), "1", 0)
		m.life()
		m.watched(process.Process.Pid)
		m.book.Gone(path)
	})
	if after := count(); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestAnEnginesWordCountsOnlyWhereTheCounterIsGone(t *testing.T) {
	for name, test := range map[string]struct {
		readable bool
		want     string
	}{"the counter says that none was killed": {true, ""}, "the group is gone": {false, "container/child 1"}} {
		t.Run(name, func(t *testing.T) {
			m := follow(t)
			m.group("", "0", 0)
			m.write("memory", "memory.limit_in_bytes", "1000")
			l, _ := m.book.Life(m.tree, path, 1, true)
			l.Named(web)
			m.book.Logged(true)
			m.book.first(l, first)
			serve(t, m.book) // at 0
			if !test.readable {
				m.book.Gone(path)
			}
			m.book.OOMKilled(filepath.Base(path))
			m.book.Gone(path)
			wait.For(t, limit, "the life to be over", func() error {
				if time.Since(l.Ended()) < 2*settleAfter {
					return errors.New("it has just ended")
				}
				return nil
			})
			serve(t, m.book)
			if got := killsOf(t, m.book); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
