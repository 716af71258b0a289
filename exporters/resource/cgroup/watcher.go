package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/loadline-exporters/loadline/internal/source"
)

// Times of the watcher.
const (
	rescanEvery   = time.Minute            // with inotify: what a lost event can cost
	rescanBlind   = 5 * time.Second        // without inotify
	settle        = 100 * time.Millisecond // a container's start makes several directories
	maxGroups     = 100_000                // directories; beyond it something is broken
	maxGroupDepth = 64
)

// Dir is a directory of the tree.
type Dir struct {
	Inode   uint64    // tells a directory from a later one of the same path
	Changed time.Time // when it was made, or had a directory made in it
}

// Watcher keeps the list of a tree's directories.
type Watcher struct {
	Tree    *Tree
	Changed func() // called after the list has changed
	Logger  *slog.Logger

	// Source says whether the tree can be listed; Notify whether changes are told
	// by inotify, without which they are seen at the next rescan.
	Source, Notify *source.Source

	dirs    atomic.Pointer[map[string]Dir]
	watcher *fsnotify.Watcher
	root    string
	known   map[string]Dir
}

// NewWatcher returns a watcher of t, which may be nil when there is no tree: err
// then says why.
func NewWatcher(t *Tree, err error, logger *slog.Logger, changed func()) *Watcher {
	w := &Watcher{
		Tree: t, Changed: changed, Logger: logger,
		Source: source.New("cgroup"), Notify: source.New("cgroup-inotify"),
		known: map[string]Dir{},
	}
	w.dirs.Store(&map[string]Dir{})
	if t == nil {
		w.Source.Report(err, "")
		w.Notify.Report(err, "")
		return w
	}
	w.root = t.watched()
	return w
}

// Dirs returns the directories by their paths in the tree. It is a snapshot and
// must not be changed.
func (w *Watcher) Dirs() map[string]Dir { return *w.dirs.Load() }

// Run watches until the context ends.
func (w *Watcher) Run(ctx context.Context) {
	if w.Tree == nil {
		return
	}
	every := rescanEvery
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		w.Notify.Report(fmt.Errorf("inotify: %w", err), "")
		w.Logger.Warn("control groups are listed every few seconds because inotify is not to be had", "err", err)
		notify, every = &fsnotify.Watcher{}, rescanBlind
	} else {
		defer notify.Close()
		w.watcher = notify
		w.Notify.Report(nil, w.root)
	}
	w.rescan()
	w.publish()

	rescan := time.NewTicker(every)
	defer rescan.Stop()
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-notify.Events:
			if w.event(e) && settled == nil {
				settled = time.After(settle)
			}
		case err := <-notify.Errors: // the queue overflowed: events are lost
			w.Logger.Debug("inotify lost events, listing control groups anew", "err", err)
			w.rescan()
			w.publish()
		case <-rescan.C:
			w.rescan()
			w.publish()
		case <-settled:
			settled = nil
			w.publish()
		}
	}
}

// event takes one change into the list and says whether it was one.
func (w *Watcher) event(e fsnotify.Event) bool {
	path := w.relative(e.Name)
	switch {
	case e.Has(fsnotify.Create):
		return w.scan(path, strings.Count(path, "/")) > 0
	case e.Has(fsnotify.Remove), e.Has(fsnotify.Rename):
		// Kernels remove a group's watches with it; only the list is left.
		return w.forget(path)
	}
	return false
}

func (w *Watcher) relative(name string) string {
	return strings.TrimPrefix(name, w.root)
}

// forget takes a directory and all below it from the list.
func (w *Watcher) forget(path string) bool {
	n := len(w.known)
	delete(w.known, path)
	maps.DeleteFunc(w.known, func(p string, _ Dir) bool { return strings.HasPrefix(p, path+"/") })
	return len(w.known) != n
}

// rescan lists the tree anew.
func (w *Watcher) rescan() {
	entries, err := os.ReadDir(w.root)
	w.Source.Report(err, fmt.Sprintf("%s (%s)", w.root, w.Tree.Version))
	if err != nil {
		w.known = map[string]Dir{}
		return
	}
	w.watch(w.root)
	former := w.known
	w.known = make(map[string]Dir, len(former))
	for _, e := range entries {
		if e.IsDir() {
			w.scan("/"+e.Name(), 1)
		}
	}
}

// scan takes a directory and all below it into the list and returns how many there
// are. It watches a directory before it lists it, so that none is missed.
func (w *Watcher) scan(path string, depth int) int {
	if depth > maxGroupDepth || len(w.known) >= maxGroups {
		return 0
	}
	dir := filepath.Join(w.root, path)
	st, err := os.Lstat(dir)
	if err != nil || !st.IsDir() {
		return 0
	}
	w.watch(dir)
	d := Dir{Changed: st.ModTime()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		d.Inode = sys.Ino
	}
	w.known[path] = d
	n := 1
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.Logger.Debug("a control group can't be listed", "path", path, "err", err)
	}
	for _, e := range entries {
		if e.IsDir() {
			n += w.scan(path+"/"+e.Name(), depth+1)
		}
	}
	return n
}

// watch asks for a directory's changes. When the user's watches are used up
// (fs.inotify.max_user_watches), the rescan still finds what is new.
func (w *Watcher) watch(dir string) {
	if w.watcher == nil {
		return
	}
	err := w.watcher.Add(dir)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return
	}
	if w.Notify.Report(fmt.Errorf("watching %s: %w", dir, err), "") {
		w.Logger.Warn("some control groups are not watched; new ones are found by the rescan only", "every", rescanEvery, "err", err)
	}
}

// publish hands the list on if it has changed.
func (w *Watcher) publish() {
	if maps.Equal(w.known, w.Dirs()) {
		return
	}
	list := maps.Clone(w.known)
	w.dirs.Store(&list)
	w.Changed()
}
