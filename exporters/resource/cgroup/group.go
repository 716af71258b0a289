package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// ErrGone says that a control group has ended. It is how most containers end, and
// no failure.
var ErrGone = errors.New("the control group has ended")

// Group is a control group that is read again and again. It keeps its files open:
// reading one again costs an eighth of opening, reading and closing it, since the
// kernel has no path to walk. An open file keeps no ended group alive. When all
// descriptors that the tree may hold are taken, files are opened for each reading.
//
// Its methods may be called by several goroutines.
type Group struct {
	tree *Tree
	path string

	opened time.Time

	mu     sync.Mutex
	fds    []int // by the tree's files: a descriptor, or one of the two below
	reads  int
	closed bool
}

// What stands for a descriptor where there is none.
const (
	notOpen = -1
	absent  = -2 // the kernel, or this group, does not have the file
)

// A controller can be enabled, and on v1 its directory made, after the group was
// seen: files that are absent are looked for at each reading while the group is
// young, and later after so many readings.
const (
	young     = 10 * time.Second
	lookAgain = 16
)

// Group returns the group at path ("/docker/<id>"). Nothing is opened before it is
// read; Close gives its descriptors back.
func (t *Tree) Group(path string) *Group {
	g := &Group{tree: t, path: path, opened: time.Now(), fds: make([]int, len(t.files))}
	for i := range g.fds {
		g.fds[i] = notOpen
	}
	return g
}

// Path is the group's place in the tree.
func (g *Group) Path() string { return g.path }

// Read reads the group's counters and settings. Controllers that are not there
// leave their part unknown; an error other than ErrGone says what could not be
// read, and the rest is valid. io is reused for what the statistics' IO needs.
func (g *Group) Read(b *Buffer) (Stats, error) {
	return g.read(b, func(file) bool { return true })
}

// ReadTotals reads what is to be counted of a group that is about to end: the
// processor time, the OOM kills, and the memory limit that they were due to.
func (g *Group) ReadTotals(b *Buffer) (Stats, error) {
	return g.read(b, func(f file) bool { return f.total })
}

func (g *Group) read(b *Buffer, wanted func(file) bool) (Stats, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return Stats{}, ErrGone
	}
	r := reading{stats: Stats{IO: b.io[:0]}}
	for i, f := range g.tree.files {
		if !wanted(f) {
			continue
		}
		data, err := g.file(i, b)
		if err != nil {
			r.failed(fmt.Errorf("reading %s%s/%s: %w", f.dir, g.path, f.name, err))
		}
		if data == nil {
			continue
		}
		if !f.parse(&r.stats, data) {
			r.failed(fmt.Errorf("%s%s/%s: not what the kernel writes: %.40q", f.dir, g.path, f.name, data))
		}
	}
	if g.path == "" && !r.stats.Memory.Known && r.stats.Memory.RSS > 0 {
		// v2's root has no memory.current; v1's is the sum of these two.
		r.stats.Memory.Usage, r.stats.Memory.Known = r.stats.Memory.RSS+r.stats.Memory.Cache, true
	}
	g.reads++
	b.io = r.stats.IO
	s := &r.stats
	s.Memory.WorkingSet = max(s.Memory.Usage-s.Memory.InactiveFile, 0)
	if !s.CPU.Known && !s.Memory.Known && !s.PIDs.Known && r.err == nil {
		return *s, ErrGone
	}
	return *s, r.err
}

type reading struct {
	stats Stats
	err   error // the first
}

func (r *reading) failed(err error) {
	if r.err == nil {
		r.err = err
	}
}

// file returns a file's content, nil when the group does not have it.
func (g *Group) file(i int, b *Buffer) ([]byte, error) {
	f := g.tree.files[i]
	switch fd := g.fds[i]; {
	case fd == absent && g.reads%lookAgain != 0:
		return nil, nil
	case fd >= 0:
		data, err := b.Record(fd)
		return there(data, err)
	}
	fd, err := b.open(f.dir, g.path, f.name)
	if err != nil {
		data, err := there(nil, err)
		if err == nil && time.Since(g.opened) > young {
			g.fds[i] = absent
		}
		return data, err
	}
	data, err := b.Record(fd)
	if !g.tree.hold() {
		unix.Close(fd)
		return there(data, err)
	}
	g.fds[i] = fd
	return there(data, err)
}

// there turns what says that a file can't be had here into nothing.
func there(data []byte, err error) ([]byte, error) {
	switch {
	case err == nil:
		return data, nil
	// A group that has ended answers ENODEV.
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENOTDIR):
	// Pressure can be off by the boot parameter psi=0.
	case errors.Is(err, unix.EOPNOTSUPP):
	default:
		return nil, err
	}
	return nil, nil
}

// Close gives the descriptors back. What is read after it has ended.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, fd := range g.fds {
		if fd >= 0 {
			unix.Close(fd)
			g.tree.held.Add(-1)
		}
		g.fds[i] = notOpen
	}
	g.closed = true
}
