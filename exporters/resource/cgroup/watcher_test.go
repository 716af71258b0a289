package cgroup

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/internal/source"
)

func TestGroupsAreListedAsTheyComeAndGo(t *testing.T) {
	everywhere(t, func(t *testing.T, g groups) {
		g.make("old/inner")
		w := g.run()
		first := w.Dirs()["/old"].Inode
		g.make("a/b/c/d", "e")
		g.lists(w, "/old", "/old/inner", "/a", "/a/b", "/a/b/c", "/a/b/c/d", "/e")
		g.remove("a/b/c/d", "a/b/c", "old/inner", "old")
		g.lists(w, "/a", "/a/b", "/e")
		if err := os.Rename(g.root+"/a/b", g.root+"/a/renamed"); err != nil {
			t.Fatal(err)
		}
		g.make("a/renamed/later", "old")
		g.lists(w, "/a", "/a/renamed", "/a/renamed/later", "/e", "/old")
		if w.Dirs()["/old"].Inode == first && strings.HasPrefix(g.root, "/sys") {
			t.Error("the group made anew has the inode of the former")
		}
	})
}

func TestAGroupMadeAnewAtOnceIsWatched(t *testing.T) {
	everywhere(t, func(_ *testing.T, g groups) {
		w := g.run()
		for i := range 50 {
			g.make("pod")
			if i%2 == 0 {
				g.make("pod/x")
				g.remove("pod/x")
			}
			g.remove("pod")
		}
		g.make("pod")
		g.lists(w, "/pod")
		g.make("pod/child")
		g.lists(w, "/pod", "/pod/child")
	})
}

func TestWatchesOfEndedGroupsAreGivenBack(t *testing.T) {
	everywhere(t, func(t *testing.T, g groups) {
		w := g.run()
		for i := range 5 {
			pod := fmt.Sprint("pod-", i)
			g.make(pod + "/a")
			g.lists(w, "/"+pod, "/"+pod+"/a")
			g.remove(pod+"/a", pod)
			g.lists(w)
		}
		// One for the root; the list is published after the watches are given back.
		if n := inotifyWatches(t); n != 1 {
			t.Errorf("%d watches for no group", n)
		}
	})
}

func TestWatchesOfGroupsThatEndedUnseenAreGivenBack(t *testing.T) {
	everywhere(t, func(t *testing.T, g groups) {
		w := g.watcher(func() {})
		t.Cleanup(w.closeNotifier)
		g.make("a/b", "c")
		w.rescan()
		// While it is open its inode's number is not given to the next one, which
		// control groups never do but other file systems do at once.
		former, err := os.Open(g.root + "/c")
		if err != nil {
			t.Fatal(err)
		}
		defer former.Close()
		g.remove("a/b", "a", "c")
		g.make("c")
		w.rescan() // the events are not read
		if n := inotifyWatches(t); n != 2 {
			t.Errorf("%d watches for the root and one group", n)
		}
	})
}

func TestWhatAContainerMakesInsideIsListedUpToABound(t *testing.T) {
	everywhere(t, func(t *testing.T, g groups) {
		container := "docker/" + strings.Repeat("a", 64)
		g.make(container + "/system.slice/inner")
		w := g.run()
		g.lists(w, "/docker", "/"+container, "/"+container+"/system.slice", "/"+container+"/system.slice/inner")
		for i := range maxNested + 10 {
			g.make(fmt.Sprintf("%s/system.slice/inner/%d", container, i))
		}
		g.make("other")
		wait.For(t, limit, "what was made last", func() error {
			if _, ok := w.Dirs()["/other"]; !ok {
				return errors.New("not listed")
			}
			return nil
		})
		if n := len(w.Dirs()); n != maxNested+3 {
			t.Errorf("%d directories are listed, want %d in the container and three others", n, maxNested)
		}
	})
}

func TestWhatComesAndGoesIsToldAtOnceAndOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, g groups) {
		g.make("before")
		var mu sync.Mutex
		told := map[string]int{}
		tell := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			told[what]++
		}
		w := g.run(func(w *Watcher) {
			w.Made = func(path string, _ Dir) { tell("made " + path) }
			w.Gone = func(path string) { tell("gone " + path) }
		})
		g.make("pod/a")
		g.lists(w, "/before", "/pod", "/pod/a")
		g.remove("pod/a", "pod", "before")
		g.lists(w)
		mu.Lock()
		defer mu.Unlock()
		want := map[string]int{"made /pod": 1, "made /pod/a": 1, "gone /pod/a": 1, "gone /pod": 1, "gone /before": 1}
		if !maps.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
	})
}

func TestOneStartIsToldOnce(t *testing.T) {
	g := groups{t, t.TempDir()}
	var told atomic.Int32
	w := g.run(func(w *Watcher) { w.Changed = func() { told.Add(1) } })
	g.make("pod/a", "pod/b", "pod/c")
	g.lists(w, "/pod", "/pod/a", "/pod/b", "/pod/c")
	if n := told.Load(); n > 2 { // the last may come after the time to settle
		t.Errorf("told %d times", n)
	}
}

func TestAnUnchangedTreeIsNotTold(t *testing.T) {
	g := groups{t, t.TempDir()}
	g.make("a/b")
	told := 0
	w := g.watcher(func() { told++ })
	t.Cleanup(w.closeNotifier)
	for range 3 {
		w.rescan()
		w.publish()
		g.make("a/b/c") // a changes b's time
		g.remove("a/b/c")
	}
	if told != 1 {
		t.Errorf("told %d times", told)
	}
}

func TestWithTooFewWatchesNewGroupsAreFoundByListing(t *testing.T) {
	g := groups{t, t.TempDir()}
	g.make("a")
	full := true
	w := g.watcher(func() {})
	t.Cleanup(w.closeNotifier)
	w.open = func(root string) (*notifier, error) {
		n, err := openNotifier(root)
		if err == nil {
			add := n.add
			n.add = func(fd int, path string, mask uint32) (int, error) {
				if full {
					return -1, unix.ENOSPC
				}
				return add(fd, path, mask)
			}
		}
		return n, err
	}
	w.rescan()
	if s := w.Notify.Status(); s.Reason != source.Failed || !strings.Contains(s.Detail, "no space") {
		t.Errorf("got %+v", s)
	}
	if w.pause() != rescanBlind || !w.Source.Status().Available() {
		t.Errorf("the next listing is in %v, the tree's status is %+v", w.pause(), w.Source.Status())
	}
	g.make("b")
	w.rescan()
	w.publish()
	g.lists(w, "/a", "/b")
	full = false
	w.rescan()
	if !w.Notify.Status().Available() || w.pause() != rescanEvery {
		t.Errorf("with watches again: %+v, next listing in %v", w.Notify.Status(), w.pause())
	}
}

func TestWithoutInotifyGroupsAreListedUntilItIsThere(t *testing.T) {
	g := groups{t, t.TempDir()}
	g.make("a")
	w := g.watcher(func() {})
	t.Cleanup(w.closeNotifier)
	w.open = func(string) (*notifier, error) { return nil, os.NewSyscallError("inotify_init1", unix.EMFILE) }
	w.rescan()
	w.publish()
	g.lists(w, "/a")
	if w.Notify.Status().Available() || w.pause() != rescanBlind {
		t.Errorf("got %+v, next listing in %v", w.Notify.Status(), w.pause())
	}
	w.open = openNotifier
	w.rescan()
	if !w.Notify.Status().Available() || inotifyWatches(t) != 2 {
		t.Errorf("got %+v, %d watches", w.Notify.Status(), inotifyWatches(t))
	}
}

// deaf opens an inotify instance that hears nothing, and hands it to the test.
func deaf(to chan<- *notifier) func(*Watcher) {
	return func(w *Watcher) {
		w.open = func(root string) (*notifier, error) {
			n, err := openNotifier(root)
			if err == nil {
				n.add = func(int, string, uint32) (int, error) { return 1, nil }
				to <- n
			}
			return n, err
		}
	}
}

func TestLostEventsLeadToANewListing(t *testing.T) {
	g := groups{t, t.TempDir()}
	opened := make(chan *notifier, 1)
	w := g.run(deaf(opened))
	g.make("a/b")
	(<-opened).changes <- change{lost: true}
	g.lists(w, "/a", "/a/b")
}

func TestInotifyThatEndsIsSaidTo(t *testing.T) {
	g := groups{t, t.TempDir()}
	opened := make(chan *notifier, 1)
	w := g.run(deaf(opened))
	(<-opened).file.Close()
	wait.For(t, limit, "the source", func() error {
		if s := w.Notify.Status(); s.Available() {
			return fmt.Errorf("got %+v", s)
		}
		return nil
	})
}

func TestAGroupThatCannotBeReadLosesNothingElse(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "loadline-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	g := groups{t, dir}
	g.make("closed/inner", "open/inner")
	for path, mode := range map[string]os.FileMode{dir: 0o755, dir + "/closed": 0o700} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	w := g.watcher(func() {})
	t.Cleanup(w.closeNotifier)
	need.AsNobody(t, w.rescan)
	w.publish()
	g.lists(w, "/closed", "/open", "/open/inner")
	if !w.Source.Status().Available() || w.Notify.Status().Available() {
		t.Errorf("tree %+v, inotify %+v", w.Source.Status(), w.Notify.Status())
	}
}

func TestATreeThatGoesAwayHasNoGroups(t *testing.T) {
	g := groups{t, filepath.Join(t.TempDir(), "tree")}
	g.make("a")
	w := g.watcher(func() {})
	t.Cleanup(w.closeNotifier)
	w.rescan()
	w.publish()
	g.remove("a", "")
	w.rescan()
	w.publish()
	if s := w.Source.Status(); s.Reason != source.Absent || len(w.Dirs()) != 0 {
		t.Errorf("got %+v and %d groups", s, len(w.Dirs()))
	}
}

func TestWithoutATreeTheSourcesSayWhy(t *testing.T) {
	_, err := Open(t.TempDir())
	w := NewWatcher(nil, err, slog.New(slog.DiscardHandler), func() {})
	w.Run(t.Context()) // returns at once
	if w.Source.Status().Reason != source.Absent || w.Notify.Status().Reason != source.Absent {
		t.Errorf("got %+v, %+v", w.Source.Status(), w.Notify.Status())
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	g := groups{t, t.TempDir()}
	g.make("a")
	for name, to := range map[string]string{"a/loop": "..", "out": "/etc"} {
		if err := os.Symlink(to, filepath.Join(g.root, name)); err != nil {
			t.Fatal(err)
		}
	}
	w := g.watcher(func() {})
	t.Cleanup(w.closeNotifier)
	w.rescan()
	w.publish()
	g.lists(w, "/a")
}

func FuzzInotifyEvents(f *testing.F) {
	f.Add(make([]byte, 16))
	f.Add(append(make([]byte, 12), 255, 255, 255, 255))
	f.Add(append([]byte{1, 0, 0, 0, 0, 1, 0, 0x40, 0, 0, 0, 0, 4, 0, 0, 0}, "abc\x00"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := &notifier{paths: map[int]string{1: "/dir"}}
		for len(b) >= unix.SizeofInotifyEvent {
			c, ok, rest := n.decode(b)
			if ok && !c.lost && !strings.HasPrefix(c.path, "/dir/") {
				t.Errorf("got %+v", c)
			}
			if len(rest) >= len(b) {
				t.Fatal("it does not get on")
			}
			b = rest
		}
	})
}
