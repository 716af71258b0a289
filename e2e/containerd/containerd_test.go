package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/client"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const (
	mebibyte = 1 << 20
	limit    = 20 * time.Second
)

// status waits for the container's end.
func status(t *testing.T, c *Container) uint32 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit(limit))
	defer cancel()
	code, err := c.Wait(ctx)
	if err != nil {
		t.Fatalf("%v; its output: %s", err, c.Output())
	}
	return code
}

// ready waits until the workload has done what it was told.
func ready(t *testing.T, c *Container) {
	t.Helper()
	wait.For(t, limit, "the workload of "+c.ID, func() error {
		if out := c.Output(); !strings.Contains(out, "ready") {
			return fmt.Errorf("its output is %q", out)
		}
		return nil
	})
}

func value(t *testing.T, dir, file string) int64 {
	t.Helper()
	v, err := cgroup.Value(dir, file)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// v1 skips what reads files of cgroup version 1 only.
func v1(t *testing.T, c *Container) {
	t.Helper()
	if _, ok := c.Cgroups()["memory"]; !ok {
		t.Skip("this machine has no cgroup version 1")
	}
}

func TestContainers(t *testing.T) {
	c := Start(t)
	t.Run("a container that holds 32 MiB of 64 uses that much in its cgroup", func(t *testing.T) {
		held := c.Run(t.Context(), Spec{ID: "held", Args: []string{"hold", "32MiB"}, MemoryLimit: 64 * mebibyte})
		v1(t, held)
		ready(t, held)
		dir := held.Cgroup("memory")
		if usage := value(t, dir, "memory.usage_in_bytes"); usage < 32*mebibyte || usage > 44*mebibyte {
			t.Errorf("usage is %d bytes, want 32 MiB and a little", usage)
		}
		if got := value(t, dir, "memory.limit_in_bytes"); got != 64*mebibyte {
			t.Errorf("limit is %d bytes, want 64 MiB", got)
		}
		if !strings.HasSuffix(dir, "/default/held") {
			t.Errorf("its memory cgroup is %s, want /default/held", dir)
		}
	})
	t.Run("a quota throttles a busy container", func(t *testing.T) {
		busy := c.Run(t.Context(), Spec{ID: "busy", Args: []string{"burn", "2"}, CPUQuota: 10_000, CPUShares: 512, PidsLimit: 40})
		v1(t, busy)
		wait.For(t, limit, "throttling", func() error {
			n, err := cgroup.Field(busy.Cgroup("cpu"), "cpu.stat", "nr_throttled")
			if err == nil && n < 3 {
				err = fmt.Errorf("throttled %d times", n)
			}
			return err
		})
		for file, want := range map[string]int64{"cpu.cfs_quota_us": 10_000, "cpu.cfs_period_us": 100_000, "cpu.shares": 512} {
			if got := value(t, busy.Cgroup("cpu"), file); got != want {
				t.Errorf("%s is %d, want %d", file, got, want)
			}
		}
		if got := value(t, busy.Cgroup("pids"), "pids.max"); got != 40 {
			t.Errorf("pids.max is %d, want 40", got)
		}
	})
	t.Run("the kernel kills an init process above its limit", func(t *testing.T) {
		killed := c.Run(t.Context(), Spec{ID: "oom", Args: []string{"oom"}, MemoryLimit: 24 * mebibyte})
		if got := status(t, killed); got != 137 {
			t.Errorf("exit status is %d, want 137; output: %s", got, killed.Output())
		}
	})
	t.Run("an init process survives the OOM kills of its children", func(t *testing.T) {
		parent := c.Run(t.Context(), Spec{ID: "oom-child", Args: []string{"oom-child", "2"}, MemoryLimit: 24 * mebibyte})
		v1(t, parent)
		ready(t, parent)
		kills, err := cgroup.Field(parent.Cgroup("memory"), "memory.oom_control", "oom_kill")
		if err != nil || kills != 2 {
			t.Errorf("the cgroup counts %d OOM kills (%v), want 2", kills, err)
		}
		if err := syscall.Kill(parent.PID, 0); err != nil {
			t.Errorf("its init process is gone: %v", err)
		}
	})
	t.Run("children and threads count as tasks", func(t *testing.T) {
		many := c.Run(t.Context(), Spec{ID: "many", Args: []string{"spawn", "3"}})
		ready(t, many)
		pids, err := cgroup.Processes(many.Cgroup("pids"))
		if err != nil || len(pids) != 4 {
			t.Errorf("processes are %v (%v), want init and three children", pids, err)
		}
	})
	t.Run("the exit status is the workload's own", func(t *testing.T) {
		if got := status(t, c.Run(t.Context(), Spec{ID: "exit", Args: []string{"exit", "3"}})); got != 3 {
			t.Errorf("exit status is %d, want 3", got)
		}
	})
	t.Run("an idle container ends well when it is told to", func(t *testing.T) {
		idle := c.Run(t.Context(), Spec{ID: "idle"})
		ready(t, idle)
		if err := idle.Kill(t.Context(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if got := status(t, idle); got != 0 {
			t.Errorf("exit status is %d, want 0", got)
		}
		if err := idle.Remove(t.Context()); err != nil {
			t.Error(err)
		}
		if left := idle.Cgroups().Existing(); len(left) > 0 {
			t.Errorf("after its removal these cgroups are left: %v", left)
		}
	})
}

func TestClientSeesNamesAndLabelsOfItsNamespace(t *testing.T) {
	c := Start(t)
	path := "/kubepods/burstable/pod1d2f/app"
	app := c.Run(t.Context(), Spec{
		Namespace: "k8s.io", ID: "app", CgroupsPath: path,
		Labels:      map[string]string{"io.kubernetes.pod.name": "web-1"},
		Annotations: map[string]string{"io.kubernetes.cri.container-type": "container"},
	})
	ctx := Context(t.Context(), "k8s.io")
	found, err := c.Client.LoadContainer(ctx, "app")
	if err != nil {
		t.Fatal(err)
	}
	labels, err := found.Labels(ctx)
	if err != nil || labels["io.kubernetes.pod.name"] != "web-1" {
		t.Errorf("labels are %v (%v)", labels, err)
	}
	spec, err := found.Spec(ctx)
	if err != nil || spec.Annotations["io.kubernetes.cri.container-type"] != "container" || spec.Linux.CgroupsPath != path {
		t.Errorf("the specification is %+v (%v)", spec, err)
	}
	for controller, dir := range app.Cgroups() {
		if controller != cgroup.V2 && !strings.HasSuffix(dir, path) {
			t.Errorf("controller %s has the cgroup %s, want one that ends in %s", controller, dir, path)
		}
	}
	if others, err := c.Client.Containers(Context(t.Context(), "default")); err != nil || len(others) != 0 {
		t.Errorf("namespace default has %d containers (%v), want none", len(others), err)
	}
}

func TestKubernetesPluginIsThereOnlyWhenAskedFor(t *testing.T) {
	for name, options := range map[string][]Option{"plain": nil, "with CRI": {WithCRI("loadline/pause:test")}} {
		t.Run(name, func(t *testing.T) {
			c := Start(t, options...)
			answer, err := c.Client.IntrospectionService().Plugins(t.Context(), "id==cri")
			if err != nil {
				t.Fatal(err)
			}
			working := false
			for _, plugin := range answer.Plugins {
				working = working || plugin.InitErr == nil
				if plugin.InitErr != nil {
					t.Logf("%s: %s", plugin.ID, plugin.InitErr.Message)
				}
			}
			if working != (len(options) > 0) {
				t.Errorf("the CRI plugin works: %v", working)
			}
		})
	}
}

// remains are what a containerd and its container could leave behind.
type remains struct {
	dir    string
	pids   []int
	groups []string
	socket string
}

func TestNothingIsLeftAfterwards(t *testing.T) {
	need.Root(t)
	var r remains
	t.Run("a containerd with a running container", func(t *testing.T) {
		c := Start(t)
		idle := c.Run(t.Context(), Spec{ID: "stays", CgroupsPath: "/loadline-e2e/below/stays"})
		socket, err := os.ReadFile(filepath.Join(c.bundle("default", "stays"), "address"))
		if err != nil {
			t.Fatal(err)
		}
		r = remains{
			dir: c.dir, pids: []int{c.PID, idle.PID}, groups: idle.Cgroups().Existing(),
			socket: strings.TrimPrefix(string(socket), "unix://"),
		}
		// One that the harness was not told of.
		_, err = c.Client.NewContainer(Context(t.Context(), "other"), "stranger", client.WithNewSpec())
		if err != nil {
			t.Fatal(err)
		}
	})
	for _, pid := range r.pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is still there (%v)", pid, err)
		}
	}
	for _, path := range append(r.groups, r.socket, r.dir) {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", path, err)
		}
	}
	if mounts, err := os.ReadFile("/proc/self/mounts"); err != nil || strings.Contains(string(mounts), r.dir) {
		t.Errorf("mounts below %s are left (%v)", r.dir, err)
	}
}
