package network

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestANamespaceBelongsToThePodThatUsesIt(t *testing.T) {
	for name, test := range map[string]struct {
		make func(m *machine)
		want string
	}{
		"a pod's sandbox answers for its containers": {
			func(m *machine) {
				m.kubernetes("web", "app", 11)
				m.kubernetes("web", "", 10)
				m.process(10, "a")
				m.process(11, "a")
			},
			"shop/web /kubepods/web/",
		},
		"a pod without a sandbox is known by its oldest container": {
			func(m *machine) {
				m.kubernetes("web", "zzz", 10)
				m.kubernetes("web", "app", 11)
				m.process(10, "a")
				m.process(11, "a")
			},
			"shop/web /kubepods/web/zzz",
		},
		"a container on another's network belongs to the other": {
			func(m *machine) {
				m.plain("web", 10)
				m.plain("debug", 11)
				m.process(10, "a")
				m.process(11, "a")
			},
			"default/web /docker/web",
		},
		"containers on their own networks have one each": {
			func(m *machine) {
				m.plain("a", 10)
				m.plain("b", 11)
				m.process(10, "a")
				m.process(11, "b")
			},
			"default/a /docker/a\ndefault/b /docker/b",
		},
		"a pod on the node's network has none": {
			func(m *machine) {
				m.kubernetes("proxy", "", 10)
				m.plain("web", 11)
				m.process(10, "host")
				m.process(11, "a")
			},
			"default/web /docker/web",
		},
		"a container without a process has none": {
			func(m *machine) {
				m.plain("web")
				m.plain("gone", 10)
			},
			"",
		},
		"a process that has ended is not the last": {
			func(m *machine) {
				m.plain("web", 9, 10)
				m.process(10, "a")
			},
			"default/web /docker/web",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			test.make(m)
			if got := show(t, m.namespaces()); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestInAPodWithoutKernelThreadsNothingIsTheNodes(t *testing.T) {
	m := newMachine(t)
	m.write("2/comm", "nginx\n")
	m.plain("sidecar", 10)
	m.process(10, "host")
	if got := show(t, m.namespaces()); got != "default/sidecar /docker/sidecar" {
		t.Errorf("got %q", got)
	}
}

func TestAnotherProcessStandsInForOneThatEnds(t *testing.T) {
	m := newMachine(t)
	c := m.plain("web", 10, 11)
	m.process(10, "a")
	m.process(11, "a")
	n := m.namespaces()
	list, err := n.Current()
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	m.leave(10)
	// A stranger gets the PID, on another network.
	m.pids[c.CgroupPath] = []int{11}
	m.process(10, "stranger")
	m.write("namespaces/stranger/dev", heading+"wrong0: 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n")
	content, err := n.read(list[0], new(buffer), deviceFile)
	if err != nil || !strings.Contains(string(content), "eth0") {
		t.Errorf("got %q, %v", content, err)
	}
	m.leave(11)
	m.pids[c.CgroupPath] = nil
	if _, err := n.read(list[0], new(buffer), deviceFile); !errors.Is(err, errGone) {
		t.Errorf("of a container that has ended: %v", err)
	}
}

func TestAPIDThatBelongsToAnotherMeanwhileIsNotTaken(t *testing.T) {
	m := newMachine(t)
	c := m.plain("web")
	m.process(10, "stranger")
	asked := 0
	n := m.namespaces()
	n.world.processes = func(path string) []int {
		if asked++; path == c.CgroupPath && asked == 1 {
			return []int{10}
		}
		return nil
	}
	if got := show(t, n); got != "" {
		t.Errorf("got %q", got)
	}
	if open := descriptorsBelow(t, m.procfs); open != 0 {
		t.Errorf("%d descriptors stay", open)
	}
}

func TestAProcessIsFollowedIntoItsNamespace(t *testing.T) {
	m := newMachine(t)
	m.plain("web", 10)
	m.process(10, "host") // the runtime's helper, on its way
	n := m.namespaces()
	if got := show(t, n); got != "" {
		t.Fatalf("got %q", got)
	}
	m.process(10, "a")
	if got := show(t, n); got != "default/web /docker/web" {
		t.Fatalf("in its namespace: got %q", got)
	}
	list, _ := n.Current()
	m.process(10, "b")
	if _, err := n.read(list[0], new(buffer), deviceFile); !errors.Is(err, errGone) {
		t.Errorf("another namespace's numbers were taken: %v", err)
	}
	list, _ = n.Current()
	if _, err := n.read(list[0], new(buffer), deviceFile); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestAContainerThatWasReplacedIsLookedAtAnew(t *testing.T) {
	m := newMachine(t)
	c := m.plain("web", 10)
	m.process(10, "a")
	n := m.namespaces()
	first, _ := n.Current()
	m.remove(c)
	again := m.plain("web", 11)
	again.Started = time.Unix(5000, 0)
	m.process(11, "b")
	second, _ := n.Current()
	if len(second) != 1 || second[0].inode == first[0].inode {
		t.Errorf("got %v after %v", second, first)
	}
}

func TestNothingIsHeldOfContainersThatAreGone(t *testing.T) {
	m := newMachine(t)
	a, b := m.plain("a", 10), m.plain("b", 11)
	m.process(10, "a")
	m.process(11, "b")
	n := m.namespaces()
	show(t, n)
	if open := descriptorsBelow(t, m.procfs); open != 2 {
		t.Errorf("%d descriptors of two containers", open)
	}
	m.remove(a)
	show(t, n)
	if open := descriptorsBelow(t, m.procfs); open != 1 || len(n.processes) != 1 {
		t.Errorf("%d descriptors of one container, %d remembered", open, len(n.processes))
	}
	m.remove(b)
	show(t, n)
	if open := descriptorsBelow(t, m.procfs); open != 0 || len(n.processes) != 0 {
		t.Errorf("%d descriptors of none, %d remembered", open, len(n.processes))
	}
}

// descriptorsBelow counts this process's open descriptors of files below a directory.
func descriptorsBelow(t *testing.T, dir string) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && strings.HasPrefix(target, dir) {
			n++
		}
	}
	return n
}

func TestTheInodeOfNetDevTellsRealNamespacesApart(t *testing.T) {
	inode := func(pid string) uint64 {
		var st unix.Stat_t
		if err := unix.Stat(filepath.Join("/proc", pid, deviceFile), &st); err != nil {
			t.Fatal(err)
		}
		return st.Ino
	}
	own := inode("self")
	if again := inode("thread-self"); own == 0 || own != again {
		t.Errorf("one namespace has two inodes, %d and %d", own, again)
	}
	other := pausedIn(t)
	if o := inode(other); o == own || o != inode(other) {
		t.Errorf("another namespace has the inode %d, this %d", o, own)
	}
}
