// Package cgroup finds the control groups of containers and reads their counters,
// on cgroup v1, v2 and the hybrid of both.
//
// A Tree knows where the hierarchies are and reads Stats; a Watcher keeps the list
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

// Tree is the machine's control group tree. It is immutable.
type Tree struct {
	Version Version
	root    string            // v2: the only hierarchy; hybrid: the v2 one; else empty
	v1      map[string]string // v1: directory of each controller
}

// v1Controllers are those that are read, in the order in which one is chosen to
// watch: every container has a directory in each.
var v1Controllers = []string{"memory", "cpu", "cpuacct", "pids", "blkio"}

// Open finds the hierarchies below dir, usually /sys/fs/cgroup. Where controllers
// are mounted together ("cpu,cpuacct"), both names are found.
func Open(dir string) (*Tree, error) {
	if isDir(dir) && exists(filepath.Join(dir, "cgroup.controllers")) {
		return &Tree{Version: V2, root: dir}, nil
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
	return t, nil
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
