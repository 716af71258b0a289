package resource

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// machine is what the subtests of TestContainers share: a Docker that is a Swarm
// of one node, a containerd, and one exporter that watches both.
type machine struct {
	docker     *docker.Docker
	containerd *containerd.Containerd
	exporter   *exporter
	driver     cgroup.Driver
}

func TestContainers(t *testing.T) { testContainers(t, cgroup.Cgroupfs) }

func testContainers(t *testing.T, driver cgroup.Driver) {
	t.Helper()
	t.Parallel()
	need.Root(t)
	m := &machine{
		docker:     docker.Start(t, docker.WithSwarm(), docker.WithDriver(driver)),
		containerd: containerd.Start(t, containerd.WithDriver(driver)), driver: driver,
	}
	m.exporter = startExporter(t, m.containerd.Address, m.docker.Host)
	for _, test := range []struct {
		behaviour string
		run       func(*testing.T)
	}{
		{"every runtime's containers have their place in the hierarchy", m.names},
		{"requests and limits are those that the runtime was given", m.amounts},
		{"containers of one id in two namespaces are both there", m.sameID},
		{"memory, processor time, threads and pressure are the kernel's own", m.counters},
		{"a container is as old as its process", m.startTime},
		{"a throttled container's counters grow with the kernel's", m.throttling},
		{"OOM kills are counted one by one while the container lives on", m.oomKills},
		{"a container whose own process is killed leaves no series", m.oomOfInit},
		{"a container that starts is there soon, and one that ends at once gone", m.comesAndGoes},
		{"a Docker container that is restarted has a new start time", m.restart},
		{"hostile names and labels are no more than text", m.hostile},
		{"a process whose name has a newline is one like others", m.processName},
	} {
		t.Run(test.behaviour, test.run)
	}
	if lines := m.exporter.complaints(); len(lines) > 0 {
		t.Errorf("the exporter complained although nothing was wrong:\n%s", strings.Join(lines, ""))
	}
}

// inPod is where a kubelet would have a container of the test's pod.
func (m *machine) inPod(id string) string {
	if m.driver == cgroup.Systemd {
		return "kubepods-burstable-pod" + strings.ReplaceAll(podUID, "-", "_") + ".slice:cri-containerd:" + id
	}
	return "/kubepods/burstable/pod" + podUID + "/" + id
}

// within is a context with the tests' time limit.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit(limit))
	t.Cleanup(cancel)
	return ctx
}

// ready waits until a container's workload has done what it was told.
func ready(t *testing.T, output func() (string, error)) {
	t.Helper()
	wait.For(t, limit, "the workload", func() error {
		out, err := output()
		if err == nil && !strings.Contains(out, "ready") {
			err = fmt.Errorf("its output is %q", out)
		}
		return err
	})
}

func dockerOutput(t *testing.T, c *docker.Container) func() (string, error) {
	return func() (string, error) { return c.Output(t.Context()) }
}

func containerdOutput(c *containerd.Container) func() (string, error) {
	return func() (string, error) { return c.Output(), nil }
}

// workloadDigest is the digest of the manifest of the image that containers run
// unless told otherwise.
func workloadDigest(t *testing.T) string {
	t.Helper()
	return image.Workload(t, image.Spec{}).Manifest.String()
}
