package cgroup

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// ErrGone says that a control group has ended. It is how most containers end, and
// no failure.
var ErrGone = errors.New("the control group has ended")

// Read reads a group's counters, of which path is the place in the tree
// ("/docker/<id>"). Controllers that are not there leave their part unknown; an
// error other than ErrGone says what could not be read, and the rest is valid.
func (t *Tree) Read(path string, b *Buffer) (Stats, error) {
	r := &reader{b: b, group: path}
	if t.Version == V2 {
		r.v2(t.root)
	} else {
		r.v1(t.v1)
	}
	if t.root != "" {
		r.stats.CPUPressure = r.pressure(t.root, "cpu.pressure")
		r.stats.MemoryPressure = r.pressure(t.root, "memory.pressure")
		r.stats.IOPressure = r.pressure(t.root, "io.pressure")
	}
	s := r.stats
	if !s.CPU.Known && !s.Memory.Known && !s.PIDs.Known && r.err == nil {
		return s, ErrGone
	}
	return s, r.err
}

// reader reads one group.
type reader struct {
	b     *Buffer
	group string
	stats Stats
	err   error // the first that is not "not there"
}

// file returns a file's content, nil when it can't be had.
func (r *reader) file(dir, name string) []byte {
	b, err := r.b.read(dir, r.group, name)
	switch {
	case err == nil:
		return b
	// A group that ends between open and read answers ENODEV.
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENOTDIR):
	// Pressure can be off by the boot parameter psi=0.
	case errors.Is(err, unix.EOPNOTSUPP):
	case r.err == nil:
		r.err = fmt.Errorf("reading %s%s/%s: %w", dir, r.group, name, err)
	}
	return nil
}

func (r *reader) number(dir, name string) (float64, bool) {
	b := r.file(dir, name)
	if b == nil {
		return 0, false
	}
	v, ok := number(b)
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%s%s/%s: not a number: %.40q", dir, r.group, name, b)
	}
	return v, ok
}

func (r *reader) pressure(dir, name string) Pressure {
	return pressure(r.file(dir, name))
}

// Processes returns the ids of the group's processes, as this process's PID
// namespace has them; those of another are left out.
func (t *Tree) Processes(path string, b *Buffer) []int {
	text, err := b.read(t.watched(), path, "cgroup.procs")
	if err != nil {
		return nil
	}
	var pids []int
	for len(text) > 0 {
		var line []byte
		line, text = cutLine(text)
		if pid, ok := parseUint(line); ok && pid > 0 {
			pids = append(pids, int(pid))
		}
	}
	return pids
}
