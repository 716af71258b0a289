package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestProcessesInGroupsBelowStandForAGroupThatHasNone(t *testing.T) {
	for name, test := range map[string]struct {
		groups map[string]string // cgroup.procs by path
		want   []int
	}{
		"its own come first":                   {map[string]string{"/c": "7\n8\n", "/c/init": "9\n"}, []int{7, 8}},
		"then those of the level below":        {map[string]string{"/c": "", "/c/a": "", "/c/a/deep": "5\n", "/c/init": "9\n"}, []int{9}},
		"then those of the next":               {map[string]string{"/c": "", "/c/a": "", "/c/a/deep": "5\n"}, []int{5}},
		"those of another PID namespace don't": {map[string]string{"/c": "0\n", "/c/a": "0\n"}, nil},
		"a group that has ended has none":      {map[string]string{"/other": "1\n"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for path, procs := range test.groups {
				if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, path, "cgroup.procs"), []byte(procs), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			tree := &Tree{Version: V2, root: dir}
			if got := tree.ProcessesWithin("/c", new(Buffer)); !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestLookingForProcessesBelowIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range maxWithin + 10 {
		if err := os.MkdirAll(filepath.Join(dir, "c", fmt.Sprintf("%03d", i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "c", fmt.Sprintf("%03d", maxWithin+5), "cgroup.procs"), []byte("7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := (&Tree{Version: V2, root: dir}).ProcessesWithin("/c", new(Buffer)); got != nil {
		t.Errorf("got %v", got)
	}
}
