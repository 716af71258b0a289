// Package cgroup finds the control groups of containers and reads their counters,
// on cgroup v1, v2 and the hybrid of both.
//
// A Tree knows where the hierarchies are, a Group reads Stats; a Watcher keeps the list
// of directories by inotify, with a periodic rescan; Identify tells from a path
// which container it belongs to. The sources are the kernel's documents
// admin-guide/cgroup-v1/ and admin-guide/cgroup-v2.rst.
package cgroup

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Version is the kind of set-up that a machine has.
type Version string

// The set-ups. Hybrid is v1 for the controllers and an empty v2 tree beside them,
// which has the pressure files.
const (
	V1     Version = "v1"
	V2     Version = "v2"
	Hybrid Version = "hybrid"
)

// Tree is the machine's control group tree.
type Tree struct {
	Version Version
	root    string            // v2: the only hierarchy; hybrid: the v2 one; else empty
	v1      map[string]string // v1: directory of each controller
	files   []file            // what is read of a group, in this order

	held    atomic.Int64 // descriptors that groups hold
	maxHeld int64
}

// maxDescriptors bounds what groups hold open, whatever the process may: the kernel
// keeps about five kilobytes for each. 16384 are enough for some 700 containers.
const maxDescriptors = 16 << 10

// v1Controllers are those that are read, in the order in which one is chosen to
// watch: every container has a directory in each.
var v1Controllers = []string{"memory", "cpu", "cpuacct", "pids", "blkio"}

// Open finds the hierarchies below dir, usually /sys/fs/cgroup. Where controllers
// are mounted together ("cpu,cpuacct"), both names are found.
func Open(dir string) (*Tree, error) {
	if isDir(dir) && exists(filepath.Join(dir, "cgroup.controllers")) {
		t := &Tree{Version: V2, root: dir}
		t.prepare()
		return t, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for control groups: %w", err)
	}
	t := &Tree{Version: V1, v1: map[string]string{}}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !isDir(path) {
			continue
		}
		for _, name := range strings.Split(e.Name(), ",") {
			for _, c := range v1Controllers {
				if name == c {
					t.v1[c] = path
				}
			}
		}
	}
	if unified := filepath.Join(dir, "unified"); exists(filepath.Join(unified, "cgroup.controllers")) {
		t.root, t.Version = unified, Hybrid
	}
	if len(t.v1) == 0 {
		return nil, fmt.Errorf("no control group hierarchy below %s: %w", dir, fs.ErrNotExist)
	}
	t.prepare()
	return t, nil
}

// prepare lists the files to read, and how many may be held open: half of what the
// process may open.
func (t *Tree) prepare() {
	in := func(dir string, files []file) {
		for _, f := range files {
			f.dir = dir
			t.files = append(t.files, f)
		}
	}
	v1 := v1Files()
	for _, c := range v1Controllers {
		if dir, ok := t.v1[c]; ok {
			in(dir, v1[c])
		}
	}
	if t.Version == V2 {
		in(t.root, v2Files())
	}
	if t.root != "" {
		in(t.root, pressureFiles())
	}
	t.maxHeld = maxDescriptors
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil {
		t.maxHeld = int64(min(limit.Cur/2, maxDescriptors))
	}
}

// ReadPerCPU has the processor time read by processor too, where the kernel keeps
// it: on v1. It must be called before the first group is made.
func (t *Tree) ReadPerCPU() {
	if dir, ok := t.v1["cpuacct"]; ok {
		f := perCPUFile()
		f.dir = dir
		t.files = append(t.files, f)
	}
}

// Has says whether the group that a listing found at path is still there.
func (t *Tree) Has(path string, inode uint64) bool {
	st, err := os.Lstat(filepath.Join(t.watched(), path))
	return err == nil && dirOf(st).Inode == inode
}

// hold takes a descriptor of those that may be held, and says whether there was
// one left.
func (t *Tree) hold() bool {
	if t.held.Add(1) > t.maxHeld {
		t.held.Add(-1)
		return false
	}
	return true
}

// watched is the hierarchy whose directories stand for all.
func (t *Tree) watched() string {
	if t.Version == V2 {
		return t.root
	}
	for _, c := range v1Controllers {
		if dir, ok := t.v1[c]; ok {
			return dir
		}
	}
	return t.root
}

func isDir(path string) bool {
	st, err := os.Stat(path) // follows the link "cpu" to "cpu,cpuacct"
	return err == nil && st.IsDir()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
