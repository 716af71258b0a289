package cgroup

import (
	"os"
	"path/filepath"
)

// maxWithin bounds how many groups are looked into for processes.
const maxWithin = 64

// ProcessesWithin returns the ids of the processes of a group, or, where it has none
// itself, those of the first group below it that has some, the nearest level first:
// on version 2 what runs an init system has all its processes in groups of its own,
// since a group with controllers for others can't have any. Directories are not
// followed through links.
func (t *Tree) ProcessesWithin(path string, b *Buffer) []int {
	level := []string{path}
	for looked := 0; len(level) > 0; {
		var below []string
		for _, group := range level {
			if pids := t.Processes(group, b); len(pids) > 0 {
				return pids
			}
			if looked++; looked >= maxWithin {
				return nil
			}
			entries, err := os.ReadDir(filepath.Join(t.watched(), group)) // sorted
			if err != nil {
				continue // it has ended
			}
			for _, e := range entries {
				if e.IsDir() {
					below = append(below, group+"/"+e.Name())
				}
			}
		}
		level = below
	}
	return nil
}
