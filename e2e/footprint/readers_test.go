package footprint

import (
	"testing"

	"github.com/google/cadvisor/lib/container"
	"github.com/google/cadvisor/lib/container/libcontainer"
	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/manager"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
)

// BenchmarkRead compares ways to read the counters of one real container: processor,
// memory and pids, which all of them read; own readers read the limits and the
// pressure too. It decides who reads them (docs/architecture.md).
func BenchmarkRead(b *testing.B) {
	c := containerd.Start(b)
	running := c.Run(b.Context(), containerd.Spec{
		Namespace: "default", ID: name(0), Args: []string{"hold", "2MiB"},
		MemoryLimit: 16 << 20, CPUQuota: 50_000, CPUPeriod: 100_000,
	})
	tree, err := cgroup.Open("/sys/fs/cgroup")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		var buffer cgroup.Buffer
		group := tree.Group(running.CgroupPath)
		defer group.Close()
		for b.Loop() {
			if _, err := group.Read(&buffer); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("own, files opened each time", func(b *testing.B) {
		b.ReportAllocs()
		var buffer cgroup.Buffer
		for b.Loop() {
			group := tree.Group(running.CgroupPath)
			if _, err := group.Read(&buffer); err != nil {
				b.Fatal(err)
			}
			group.Close()
		}
	})
	m := groups(b, running)
	b.Run("opencontainers", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := m.GetStats(); err != nil {
				b.Fatal(err)
			}
		}
	})
	included := container.MetricSet{container.CpuUsageMetrics: {}, container.MemoryUsageMetrics: {}, container.OOMMetrics: {}, container.PressureMetrics: {}}
	handler := libcontainer.NewHandler(m, "/", 0, included)
	b.Run("cadvisor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := handler.GetStats(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// groups is the library's manager of a container's cgroups, limited to the
// controllers that own readers read.
func groups(b *testing.B, c *containerd.Container) cgroups.Manager {
	b.Helper()
	config := &cgroups.Cgroup{Path: c.CgroupPath, Resources: &cgroups.Resources{}}
	if cgroups.IsCgroup2UnifiedMode() {
		m, err := manager.New(config)
		if err != nil {
			b.Fatal(err)
		}
		return m
	}
	paths := map[string]string{}
	for _, controller := range []string{"cpu", "cpuacct", "memory", "pids"} {
		paths[controller] = c.Cgroup(controller)
	}
	m, err := manager.NewWithPaths(config, paths)
	if err != nil {
		b.Fatal(err)
	}
	return m
}
