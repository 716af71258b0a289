package cgroup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

const limit = 20 * time.Second

// groups is a place to make groups in: a directory of the memory hierarchy, or a
// plain one, for which inotify tells the same.
type groups struct {
	t    *testing.T
	root string
}

// everywhere runs a test in a plain directory and, where that may be, in a real
// hierarchy.
func everywhere(t *testing.T, f func(t *testing.T, g groups)) {
	t.Run("plain directories", func(t *testing.T) { f(t, groups{t, t.TempDir()}) })
	t.Run("control groups", func(t *testing.T) {
		tree, err := Open("/sys/fs/cgroup")
		if err != nil {
			t.Skip(err)
		}
		root, err := os.MkdirTemp(tree.watched(), "loadline-test-")
		if err != nil {
			t.Skipf("control groups can't be made here: %v", err)
		}
		t.Cleanup(func() { removeGroups(t, root) })
		f(t, groups{t, root})
	})
}

// removeGroups removes a tree of control groups, whose files can't be removed.
func removeGroups(t *testing.T, dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			removeGroups(t, filepath.Join(dir, e.Name()))
		}
	}
	if err := unix.Rmdir(dir); err != nil {
		t.Errorf("removing %s: %v", dir, err)
	}
}

func (g groups) make(paths ...string) {
	g.t.Helper()
	for _, p := range paths {
		if err := os.MkdirAll(filepath.Join(g.root, p), 0o755); err != nil {
			g.t.Fatal(err)
		}
	}
}

func (g groups) remove(paths ...string) {
	g.t.Helper()
	for _, p := range paths {
		if err := unix.Rmdir(filepath.Join(g.root, p)); err != nil {
			g.t.Fatal(err)
		}
	}
}

func (g groups) watcher(changed func()) *Watcher {
	return NewWatcher(&Tree{Version: V1, v1: map[string]string{"memory": g.root}}, nil, slog.New(slog.DiscardHandler), changed)
}

// run runs a watcher until the test ends.
func (g groups) run(options ...func(*Watcher)) *Watcher {
	w := g.watcher(func() {})
	for _, o := range options {
		o(w)
	}
	ctx, cancel := context.WithCancel(g.t.Context())
	ended := make(chan struct{})
	go func() { w.Run(ctx); close(ended) }()
	g.t.Cleanup(func() {
		cancel()
		<-ended
		if n := inotifyInstances(g.t); n != 0 {
			g.t.Errorf("%d inotify instances are left", n)
		}
	})
	g.lists(w, paths(g.t, g.root)...)
	wait.For(g.t, limit, "the first listing", func() error {
		if !w.Source.Ready() || !w.Notify.Ready() {
			return errors.New("not yet")
		}
		return nil
	})
	return w
}

// paths are the directories below root that there are.
func paths(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.IsDir() && path != root {
			out = append(out, strings.TrimPrefix(path, root))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// lists waits until the watcher lists exactly these paths.
func (g groups) lists(w *Watcher, want ...string) {
	g.t.Helper()
	slices.Sort(want)
	wait.For(g.t, limit, "the list", func() error {
		if got := slices.Sorted(maps.Keys(w.Dirs())); !slices.Equal(got, want) {
			return fmt.Errorf("it is %v, want %v", got, want)
		}
		return nil
	})
}

func fdinfo(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fdinfo/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if link, _ := os.Readlink("/proc/self/fd/" + filepath.Base(f)); link == "anon_inode:inotify" {
			b, _ := os.ReadFile(f)
			out = append(out, string(b))
		}
	}
	return out
}

func inotifyInstances(t *testing.T) int { return len(fdinfo(t)) }

func inotifyWatches(t *testing.T) int {
	return strings.Count(strings.Join(fdinfo(t), ""), "inotify wd:")
}
