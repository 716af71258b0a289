package cgroup

import (
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
)

// View is how much of the machine a tree shows.
type View int

// The views.
const (
	Whole View = iota
	// OwnGroup: at the top is the group that this process is in itself, by a cgroup
	// namespace or because a container's engine mounted no more (cgroup_namespaces(7)).
	OwnGroup
	// NoProcesses: all groups, and none of their processes, since this process is in
	// a PID namespace of its own (pid_namespaces(7)).
	NoProcesses
)

// View says how much of the machine the tree shows.
func (t *Tree) View() View {
	var b Buffer
	seen, listed := t.processes("", &b)
	switch {
	case !t.isTop() && slices.Contains(seen, os.Getpid()):
		return OwnGroup
	case t.isTop() && listed && len(seen) == 0:
		// The kernel's own threads are always in the topmost group.
		return NoProcesses
	}
	return Whole
}

// isTop says whether the tree begins at the topmost group of the machine. Only that
// one has cgroup.sane_behavior (v1), and only that one has no cgroup.type (v2).
func (t *Tree) isTop() bool {
	dir := t.watched()
	if t.Version == V2 {
		return !exists(filepath.Join(dir, "cgroup.type"))
	}
	return exists(filepath.Join(dir, "cgroup.sane_behavior"))
}

// Processes returns the ids of the group's processes, as this process's PID
// namespace has them; those of another are left out.
func (t *Tree) Processes(path string, b *Buffer) []int {
	pids, _ := t.processes(path, b)
	return pids
}

// processes says too whether the list could be read, be it empty.
func (t *Tree) processes(path string, b *Buffer) (pids []int, ok bool) {
	fd, err := b.open(t.watched(), path, "cgroup.procs")
	if err != nil {
		return nil, false
	}
	defer unix.Close(fd)
	text, err := b.Whole(fd)
	if err != nil {
		return nil, false
	}
	for len(text) > 0 {
		var line []byte
		line, text = kernelfile.CutLine(text)
		if pid, ok := kernelfile.ParseUint(line); ok && pid > 0 {
			pids = append(pids, int(pid))
		}
	}
	return pids, true
}
