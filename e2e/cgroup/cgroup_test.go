package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestThisProcessIsInTheGroupsThatAreFoundForIt(t *testing.T) {
	groups, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) == 0 {
		t.Fatal("this process is in no cgroup")
	}
	for controller, dir := range groups {
		pids, err := Processes(dir)
		if err != nil || !slices.Contains(pids, os.Getpid()) {
			t.Errorf("controller %q: %s holds %v (%v), not this process", controller, dir, pids, err)
		}
	}
}

func TestControllerWithoutAHierarchyOfItsOwnIsInVersion2(t *testing.T) {
	groups := Groups{V2: "/v2/app", "memory": "/v1/memory/app"}
	for controller, want := range map[string]string{"memory": "/v1/memory/app", "cpu": "/v2/app"} {
		if got := groups.Dir(controller); got != want {
			t.Errorf("Dir(%s) = %s, want %s", controller, got, want)
		}
	}
}

func TestFilesAreReadOrSayWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cpu.stat"), []byte("nr_periods 12\nnr_throttled 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pids.max"), []byte("max\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := Field(dir, "cpu.stat", "nr_throttled"); got != 3 || err != nil {
		t.Errorf("Field = %d, %v; want 3", got, err)
	}
	if _, err := Field(dir, "cpu.stat", "usage_usec"); err == nil {
		t.Error("a field that is not there is no error")
	}
	if _, err := Value(dir, "pids.max"); err == nil {
		t.Error("a value that is no number is no error")
	}
}

func TestSystemdNestsSlices(t *testing.T) {
	for path, want := range map[string]string{
		"system.slice:cri-containerd:c1":        "/system.slice/cri-containerd-c1.scope",
		"kubepods-burstable-pod0_1.slice:cri:c": "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0_1.slice/cri-c.scope",
		"/default/c1":                           "/default/c1",
	} {
		if got := Scope(path); got != want {
			t.Errorf("Scope(%q) = %q, want %q", path, got, want)
		}
	}
}
