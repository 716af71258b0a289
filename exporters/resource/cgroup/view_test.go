package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestATreeSaysHowMuchOfTheMachineItShows(t *testing.T) {
	me := fmt.Sprintln(os.Getpid())
	for name, test := range map[string]struct {
		files map[string]string
		want  View
	}{
		"v1, the machine's":                        {map[string]string{"memory/cgroup.sane_behavior": "0\n", "memory/cgroup.procs": "2\n" + me}, Whole},
		"v1, a container's own":                    {map[string]string{"memory/cgroup.procs": me}, OwnGroup},
		"v1, without the host's processes":         {map[string]string{"memory/cgroup.sane_behavior": "0\n", "memory/cgroup.procs": ""}, NoProcesses},
		"v1, a container's own that hides another": {map[string]string{"memory/cgroup.procs": "999999999\n"}, Whole},
		"v2, the machine's":                        {map[string]string{"cgroup.controllers": "", "cgroup.procs": "2\n"}, Whole},
		"v2, a container's own":                    {map[string]string{"cgroup.controllers": "", "cgroup.type": "domain\n", "cgroup.procs": "0\n" + me}, OwnGroup},
		"v2, without the host's processes":         {map[string]string{"cgroup.controllers": "", "cgroup.procs": "0\n0\n"}, NoProcesses},
		"v2, a machine within a machine":           {map[string]string{"cgroup.controllers": "", "cgroup.type": "domain\n", "cgroup.procs": ""}, Whole},
		"v2, whose processes may not be listed":    {map[string]string{"cgroup.controllers": ""}, Whole},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range test.files {
				file = filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			tree, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := tree.View(); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
