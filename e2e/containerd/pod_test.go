package containerd

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/need"
)

func TestPodHasItsOwnNetworkAndItsContainersTheirLimits(t *testing.T) {
	need.Root(t)
	c := Start(t, WithCRI(Pause), WithPodNetworks())
	pod := c.RunPodOf(t.Context(), PodSpec{
		Namespace: "shop", Name: "web-0", UID: "5d3b9a52-3f0e-4f5e-8f4e-000000000001",
		OwnNetwork: true,
	})
	web := pod.RunContainer(t.Context(), ContainerSpec{Name: "web", Args: []string{"idle"}, MemoryLimit: 32 << 20})
	devices, err := os.ReadFile("/proc/" + strconv.Itoa(web.PID) + "/net/dev")
	if err != nil || !strings.Contains(string(devices), "eth0:") {
		t.Errorf("the pod has no eth0 (%v):\n%s", err, devices)
	}
	groups, err := cgroup.At(web.CgroupPath)
	if err != nil {
		t.Fatal(err)
	}
	file := "memory.max" // version 2
	if groups["memory"] != "" {
		file = "memory.limit_in_bytes"
	}
	if got, err := cgroup.Value(groups.Dir("memory"), file); got != 32<<20 || err != nil {
		t.Errorf("its memory limit is %d (%v)", got, err)
	}
}
