//go:build guest

package node

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
)

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(content))
}

func TestCgroupsAreOfVersion2Alone(t *testing.T) {
	mounts, err := cgroup.Mounts()
	if err != nil {
		t.Fatal(err)
	}
	if len(mounts) != 1 || mounts[cgroup.V2] != "/sys/fs/cgroup" {
		t.Errorf("the hierarchies are %v, want version 2 at /sys/fs/cgroup and no other", mounts)
	}
	controllers := strings.Fields(read(t, "/sys/fs/cgroup/cgroup.controllers"))
	for _, want := range []string{"cpu", "cpuset", "io", "memory", "pids"} {
		if !slices.Contains(controllers, want) {
			t.Errorf("there is no controller %s among %v", want, controllers)
		}
	}
}

func TestSystemdIsInit(t *testing.T) {
	if got := read(t, "/proc/1/comm"); got != "systemd" {
		t.Errorf("process 1 is %s", got)
	}
}

func TestKernelTellsPressure(t *testing.T) {
	for _, resource := range []string{"cpu", "io", "memory"} {
		if got := read(t, "/sys/fs/cgroup/init.scope/"+resource+".pressure"); !strings.HasPrefix(got, "some avg10=") {
			t.Errorf("%s.pressure of systemd's group is %q", resource, got)
		}
	}
}
