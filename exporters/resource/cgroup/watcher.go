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

	"github.com/loadline-exporters/loadline/internal/source"
)

// Times and bounds of the watcher.
const (
	rescanEvery   = time.Minute            // with inotify: what a lost event can cost
	rescanBlind   = 5 * time.Second        // without inotify, or with too few watches
	settle        = 100 * time.Millisecond // a container's start makes several directories
	maxGroups     = 100_000                // directories; beyond it something is broken
	maxGroupDepth = 64
	maxNested     = 256 // directories in one container: what it makes inside is its own will
)

// Dir is a directory of the tree.
type Dir struct {
	Inode   uint64    // tells a directory from a later one of the same path
	Changed time.Time // when it was made, or last had a directory made in it before it was listed
}

// Watcher keeps the list of a tree's directories, and of a bounded number within
// each container, where containers may be nested.
type Watcher struct {
	Tree    *Tree
	Changed func() // called after the list has changed
	// Made and Gone, if set, are called at once for each directory that comes or
	// goes while the watcher runs, before the list is published: a container may
	// live for less than a list takes to settle.
	Made   func(path string, d Dir)
	Gone   func(path string)
	Logger *slog.Logger

	// Source says whether the tree can be listed; Notify whether changes are told
	// by inotify, without which they are seen at the next rescan.
	Source, Notify *source.Source

	dirs   atomic.Pointer[map[string]Dir]
	root   string
	known  map[string]Dir
	nested map[string]int // directories within containers
	listed bool           // the tree was listed once: what comes now is new
	former map[string]Dir // while the tree is listed anew: what was known

	open     func(root string) (*notifier, error) // openNotifier, unless a test stands in for the kernel
	notifier *notifier                            // nil without inotify
	watchErr error                                // why not everything is watched
}

// NewWatcher returns a watcher of t, which may be nil when there is no tree: err
// then says why.
func NewWatcher(t *Tree, err error, logger *slog.Logger, changed func()) *Watcher {
	w := &Watcher{
		Tree: t, Changed: changed, Logger: logger,
		Source: source.New("cgroup"), Notify: source.New("cgroup-inotify"),
		known: map[string]Dir{}, nested: map[string]int{}, open: openNotifier,
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
	defer w.closeNotifier()
	rescan := time.NewTimer(0)
	defer rescan.Stop()
	var settled <-chan time.Time
	for {
		seeing := w.watchErr == nil
		select {
		case <-ctx.Done():
			return
		case c, ok := <-w.changes():
			switch {
			case !ok:
				w.closeNotifier()
				w.watchErr = errors.New("inotify can't be read any more")
			case c.lost:
				rescan.Reset(0)
			case w.change(c) && settled == nil:
				settled = time.After(settle)
			}
			w.reportNotify()
			if seeing && w.watchErr != nil {
				rescan.Reset(rescanBlind)
			}
		case <-settled:
			settled = nil
			w.publish()
		case <-rescan.C:
			w.rescan()
			w.publish()
			rescan.Reset(w.pause())
		}
	}
}

// pause is the time until the next rescan.
func (w *Watcher) pause() time.Duration {
	if w.watchErr != nil {
		return rescanBlind
	}
	return rescanEvery
}

// changes are never ready without inotify.
func (w *Watcher) changes() <-chan change {
	if w.notifier == nil {
		return nil
	}
	return w.notifier.changes
}

func (w *Watcher) closeNotifier() {
	if w.notifier != nil {
		_ = w.notifier.close()
	}
	w.notifier = nil
}

// change takes a change into the list and says whether it was one.
func (w *Watcher) change(c change) bool {
	if c.made {
		return w.scan(c.path, strings.Count(c.path, "/")) > 0
	}
	return w.forget(c.path)
}

// forget takes a directory and all below it from the list.
func (w *Watcher) forget(path string) bool {
	n := len(w.known)
	for p := range w.known {
		if p == path || strings.HasPrefix(p, path+"/") {
			delete(w.known, p)
			w.left(p)
			if w.notifier != nil {
				w.notifier.unwatch(p)
			}
		}
	}
	return len(w.known) != n
}

// rescan lists the tree anew.
func (w *Watcher) rescan() {
	w.watchErr = nil
	if w.notifier == nil {
		w.notifier, w.watchErr = w.open(w.root)
	}
	w.former = w.known
	w.known, w.nested = make(map[string]Dir, len(w.known)), map[string]int{}
	err := w.scanRoot()
	w.listed = true
	for path, d := range w.former {
		if w.known[path].Inode != d.Inode && w.Gone != nil {
			w.Gone(path)
		}
	}
	w.former = nil
	if len(w.known) >= maxGroups {
		err = source.Because(source.Invalid, fmt.Errorf("%s has more than %d control groups: the rest is left out", w.root, maxGroups))
	}
	w.Source.Report(err, fmt.Sprintf("%s (%s)", w.root, w.Tree.Version))
	if w.notifier != nil {
		w.notifier.unwatchOthers(w.known)
	}
	w.reportNotify()
}

// watch asks for a directory's changes. When the user's watches are used up
// (fs.inotify.max_user_watches), rescans find what is new.
func (w *Watcher) watch(path string, inode uint64) {
	if w.notifier == nil {
		return
	}
	if err := w.notifier.watch(path, inode); err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.watchErr = err
	}
}

// reportNotify says whether everything is watched.
func (w *Watcher) reportNotify() {
	if w.Notify.Report(w.watchErr, w.root) && w.watchErr != nil {
		w.Logger.Warn("not all control groups are watched: new ones are found by listing all", "every", rescanBlind, "err", w.watchErr)
	}
}

func (w *Watcher) scanRoot() error {
	st, err := os.Stat(w.root)
	if err != nil {
		return err
	}
	w.watch("", dirOf(st).Inode)
	entries, err := os.ReadDir(w.root)
	for _, e := range entries {
		if e.IsDir() {
			w.scan("/"+e.Name(), 1)
		}
	}
	return err
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
	if !w.enter(path, dirOf(st)) {
		return 0
	}
	w.watch(path, w.known[path].Inode)
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

// enter takes a directory into the list unless its container has too many.
func (w *Watcher) enter(path string, d Dir) bool {
	if in := containerAbove(path); in != "" {
		if _, known := w.known[path]; !known {
			if w.nested[in] >= maxNested {
				return false
			}
			w.nested[in]++
		}
	}
	former, known := w.known[path]
	if !known {
		former, known = w.former[path]
	}
	w.known[path] = d
	if w.listed && w.Made != nil && (!known || former.Inode != d.Inode) {
		w.Made(path, d)
	}
	return true
}

// left undoes enter.
func (w *Watcher) left(path string) {
	if in := containerAbove(path); in != "" {
		if w.nested[in]--; w.nested[in] <= 0 {
			delete(w.nested, in)
		}
	}
	if w.Gone != nil {
		w.Gone(path)
	}
}

// containerAbove returns the outermost container that path is within, empty if
// there is none.
func containerAbove(path string) string {
	for i := 1; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		if _, ok := Identify(path[:i]); ok {
			return path[:i]
		}
	}
	return ""
}

func dirOf(st fs.FileInfo) Dir {
	d := Dir{Changed: st.ModTime()}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		d.Inode = sys.Ino
	}
	return d
}

// publish hands the list on if it has changed.
func (w *Watcher) publish() {
	same := func(x, y Dir) bool { return x.Inode == y.Inode }
	if maps.EqualFunc(w.known, w.Dirs(), same) {
		return
	}
	list := maps.Clone(w.known)
	w.dirs.Store(&list)
	w.Changed()
}
