package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const (
	mebibyte = 1 << 20
	limit    = 30 * time.Second
)

// within is a context with the tests' time limit.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit(limit))
	t.Cleanup(cancel)
	return ctx
}

// ready waits until the workload has done what it was told.
func ready(t *testing.T, c *Container) {
	t.Helper()
	wait.For(t, limit, "the workload of "+c.Name, func() error {
		out, err := c.Output(t.Context())
		if err == nil && !strings.Contains(out, "ready") {
			err = fmt.Errorf("its output is %q", out)
		}
		return err
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
	d := Start(t)
	t.Run("a container that holds 32 MiB of 64 uses that much in its cgroup", func(t *testing.T) {
		held := d.Run(t.Context(), Spec{Name: "held", Args: []string{"hold", "32MiB"}, MemoryLimit: 64 * mebibyte, MemoryReservation: 48 * mebibyte})
		v1(t, held)
		ready(t, held)
		dir := held.Cgroup("memory")
		if usage := value(t, dir, "memory.usage_in_bytes"); usage < 32*mebibyte || usage > 44*mebibyte {
			t.Errorf("usage is %d bytes, want 32 MiB and a little", usage)
		}
		for file, want := range map[string]int64{"memory.limit_in_bytes": 64 * mebibyte, "memory.soft_limit_in_bytes": 48 * mebibyte} {
			if got := value(t, dir, file); got != want {
				t.Errorf("%s is %d, want %d", file, got, want)
			}
		}
		actual, err := cgroup.Of(held.PID)
		if err != nil || actual.Dir("memory") != dir || !strings.HasSuffix(dir, "/docker/"+held.ID) {
			t.Errorf("its process is in %s (%v), the container says %s", actual.Dir("memory"), err, dir)
		}
	})
	t.Run("a quota throttles a busy container", func(t *testing.T) {
		busy := d.Run(t.Context(), Spec{Name: "busy", Args: []string{"burn", "2"}, CPUQuota: 10_000, CPUShares: 512, PidsLimit: 40})
		v1(t, busy)
		wait.For(t, limit, "throttling", func() error {
			n, err := cgroup.Field(busy.Cgroup("cpu"), "cpu.stat", "nr_throttled")
			if err == nil && n < 3 {
				err = fmt.Errorf("throttled %d times", n)
			}
			return err
		})
		if quota, pids := value(t, busy.Cgroup("cpu"), "cpu.cfs_quota_us"), value(t, busy.Cgroup("pids"), "pids.max"); quota != 10_000 || pids != 40 {
			t.Errorf("quota is %d and pids.max %d, want 10000 and 40", quota, pids)
		}
	})
	t.Run("Docker knows that the kernel killed a container", func(t *testing.T) {
		killed := d.Run(t.Context(), Spec{Name: "oom", Args: []string{"oom"}, MemoryLimit: 24 * mebibyte})
		code, err := killed.Wait(within(t))
		if err != nil || code != 137 {
			t.Errorf("exit status is %d (%v), want 137", code, err)
		}
		inspected, err := killed.Inspect(t.Context())
		if err != nil || !inspected.State.OOMKilled {
			t.Errorf("the state is %+v (%v), want OOMKilled", inspected.State, err)
		}
	})
	t.Run("an init process survives the OOM kills of its children", func(t *testing.T) {
		parent := d.Run(t.Context(), Spec{Name: "oom-child", Args: []string{"oom-child", "2"}, MemoryLimit: 24 * mebibyte})
		v1(t, parent)
		ready(t, parent)
		kills, err := cgroup.Field(parent.Cgroup("memory"), "memory.oom_control", "oom_kill")
		if err != nil || kills != 2 {
			t.Errorf("the cgroup counts %d OOM kills (%v), want 2", kills, err)
		}
	})
	t.Run("a container of Compose is found by its project", func(t *testing.T) {
		labels := map[string]string{"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
		web := d.Run(t.Context(), Spec{Name: "shop-web-1", Labels: labels})
		found, err := d.Client.ContainerList(t.Context(), client.ContainerListOptions{
			Filters: make(client.Filters).Add("label", "com.docker.compose.project=shop"),
		})
		if err != nil || len(found.Items) != 1 || found.Items[0].ID != web.ID || found.Items[0].Labels["com.docker.compose.service"] != "web" {
			t.Errorf("containers of the project are %+v (%v), want %s", found.Items, err, web.ID)
		}
	})
	t.Run("an idle container ends well when it is told to", func(t *testing.T) {
		idle := d.Run(t.Context(), Spec{Name: "idle"})
		ready(t, idle)
		if err := idle.Kill(t.Context(), "SIGTERM"); err != nil {
			t.Fatal(err)
		}
		if code, err := idle.Wait(within(t)); err != nil || code != 0 {
			t.Errorf("exit status is %d (%v), want 0", code, err)
		}
		if err := idle.Remove(t.Context()); err != nil {
			t.Error(err)
		}
		if left := idle.Cgroups().Existing(); len(left) > 0 {
			t.Errorf("after its removal these cgroups are left: %v", left)
		}
	})
}

func TestImages(t *testing.T) {
	d := Start(t)
	built := image.Workload(t, image.Spec{
		Name:    "example.org/team/app:1.2",
		Created: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
		Labels:  map[string]string{"team": "blue"},
	})
	t.Run("a loaded image keeps its id, age and labels", func(t *testing.T) {
		d.LoadImage(t.Context(), built)
		found, err := d.Client.ImageInspect(t.Context(), built.Name)
		if err != nil {
			t.Fatal(err)
		}
		if found.ID != built.Config.String() || found.Created != "2024-02-29T00:00:00Z" || found.Config.Labels["team"] != "blue" {
			t.Errorf("id %s, created %s, labels %v; want %s, 2024-02-29 and team=blue", found.ID, found.Created, found.Config.Labels, built.Config)
		}
	})
	t.Run("an imported image runs", func(t *testing.T) {
		d.ImportImage(t.Context(), "imported:1", built)
		ready(t, d.Run(t.Context(), Spec{Name: "imported", Image: "imported:1"}))
	})
}

// remains are what a Docker and its container could leave behind.
type remains struct {
	dir    string
	pids   []int
	groups []string
}

func TestNothingIsLeftAfterwards(t *testing.T) {
	need.Root(t)
	var r remains
	t.Run("a Docker with running containers", func(t *testing.T) {
		d := Start(t, WithOwnNetwork())
		host := d.Run(t.Context(), Spec{Name: "host", Network: "host"})
		pod := d.Run(t.Context(), Spec{Name: "pod", CgroupParent: "/loadline-e2e/docker"})
		r = remains{
			dir:    strings.TrimSuffix(d.ExecRoot, "/exec"),
			pids:   []int{d.PID, host.PID, pod.PID},
			groups: append(host.Cgroups().Existing(), pod.Cgroups().Existing()...),
		}
		if len(r.groups) < 2 || !strings.Contains(pod.Cgroup("memory"), "/loadline-e2e/docker/") {
			t.Errorf("cgroups are %v", r.groups)
		}
	})
	for _, pid := range r.pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is still there (%v)", pid, err)
		}
	}
	for _, path := range append(r.groups, r.dir) {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there (%v)", path, err)
		}
	}
	if mounts, err := os.ReadFile("/proc/self/mounts"); err != nil || strings.Contains(string(mounts), r.dir) {
		t.Errorf("mounts below %s are left (%v)", r.dir, err)
	}
}
