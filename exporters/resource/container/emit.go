package container

import (
	"maps"
	"slices"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// emitter holds the places of the families, looked up once a scrape.
type emitter struct {
	w *family.Writer

	cpuUsage, cpuUser, cpuSystem, periods, throttledPeriods, throttled         *family.Series
	usage, workingSet, rss, cache, mapped, swap, maxUsage, failures, oomEvents *family.Series
	threads, threadsMax                                                        *family.Series
	start, cpuPeriod, cpuQuota, cpuShares, memoryLimit, memoryReservation      *family.Series
	info, requests, limits                                                     *family.Series
	pressure                                                                   [3]pressureSeries // cpu, memory, io
}

type pressureSeries struct{ waiting, stalled *family.Series }

func newEmitter(w *family.Writer) *emitter {
	return &emitter{
		w:        w,
		cpuUsage: w.Series(metrics.ContainerCPUUsage), cpuUser: w.Series(metrics.ContainerCPUUser),
		cpuSystem: w.Series(metrics.ContainerCPUSystem), periods: w.Series(metrics.ContainerCPUPeriods),
		throttledPeriods: w.Series(metrics.ContainerCPUThrottledPeriods), throttled: w.Series(metrics.ContainerCPUThrottled),
		usage: w.Series(metrics.ContainerMemoryUsage), workingSet: w.Series(metrics.ContainerMemoryWorkingSet),
		rss: w.Series(metrics.ContainerMemoryRSS), cache: w.Series(metrics.ContainerMemoryCache),
		mapped: w.Series(metrics.ContainerMemoryMapped), swap: w.Series(metrics.ContainerMemorySwap),
		maxUsage: w.Series(metrics.ContainerMemoryMaxUsage), failures: w.Series(metrics.ContainerMemoryFailures),
		oomEvents: w.Series(metrics.ContainerOOMEvents),
		threads:   w.Series(metrics.ContainerThreads), threadsMax: w.Series(metrics.ContainerThreadsMax),
		start: w.Series(metrics.ContainerStart), cpuPeriod: w.Series(metrics.ContainerSpecCPUPeriod),
		cpuQuota: w.Series(metrics.ContainerSpecCPUQuota), cpuShares: w.Series(metrics.ContainerSpecCPUShares),
		memoryLimit: w.Series(metrics.ContainerSpecMemoryLimit), memoryReservation: w.Series(metrics.ContainerSpecMemoryReservation),
		info: w.Series(metrics.ContainerInfo), requests: w.Series(metrics.ContainerRequests), limits: w.Series(metrics.ContainerLimits),
		pressure: [3]pressureSeries{
			{w.Series(metrics.ContainerPressureCPUWaiting), w.Series(metrics.ContainerPressureCPUStalled)},
			{w.Series(metrics.ContainerPressureMemoryWaiting), w.Series(metrics.ContainerPressureMemoryStalled)},
			{w.Series(metrics.ContainerPressureIOWaiting), w.Series(metrics.ContainerPressureIOStalled)},
		},
	}
}

func (e *emitter) emit(c *Container, s cgroup.Stats) {
	l := c.labels.container
	e.cpu(l, s.CPU)
	e.memory(l, s.Memory)
	if s.PIDs.Known {
		e.threads.AddBlock(l, s.PIDs.Tasks)
		e.threadsMax.AddBlock(l, s.PIDs.Limit)
	}
	for i, p := range [3]cgroup.Pressure{s.CPUPressure, s.MemoryPressure, s.IOPressure} {
		if p.Known {
			e.pressure[i].waiting.AddBlock(l, p.Waiting)
		}
		if p.StalledKnown {
			e.pressure[i].stalled.AddBlock(l, p.Stalled)
		}
	}
	if !c.Started.IsZero() {
		e.start.AddBlock(l, float64(c.Started.UnixMilli())/1000)
	}
	e.describe(c, s)
}

func (e *emitter) cpu(l family.Block, s cgroup.CPU) {
	if s.Known {
		e.cpuUsage.AddBlock(l, s.Usage, "total")
		e.cpuUser.AddBlock(l, s.User)
		e.cpuSystem.AddBlock(l, s.System)
	}
	// As with cAdvisor, a container without a quota has no throttling series.
	if s.BandwidthKnown && s.Quota > 0 {
		e.periods.AddBlock(l, s.Periods)
		e.throttledPeriods.AddBlock(l, s.ThrottledPeriods)
		e.throttled.AddBlock(l, s.Throttled)
	}
	if s.Period > 0 {
		e.cpuPeriod.AddBlock(l, s.Period)
	}
	if s.Quota > 0 {
		e.cpuQuota.AddBlock(l, s.Quota)
	}
	if s.Shares > 0 {
		e.cpuShares.AddBlock(l, s.Shares)
	}
}

func (e *emitter) memory(l family.Block, s cgroup.Memory) {
	if !s.Known {
		return
	}
	e.usage.AddBlock(l, s.Usage)
	e.workingSet.AddBlock(l, s.WorkingSet)
	e.rss.AddBlock(l, s.RSS)
	e.cache.AddBlock(l, s.Cache)
	e.mapped.AddBlock(l, s.Mapped)
	e.swap.AddBlock(l, s.Swap)
	if s.MaxKnown {
		e.maxUsage.AddBlock(l, s.MaxUsage)
	}
	e.failures.AddBlock(l, s.Failures)
	e.oomEvents.AddBlock(l, s.OOMKills)
	e.memoryLimit.AddBlock(l, s.Limit)
	e.memoryReservation.AddBlock(l, s.Reservation)
}

// units are those of the resources, as kube-state-metrics names them.
var units = map[string]string{CPU: "core", Memory: "byte", EphemeralStorage: "byte"}

func (e *emitter) describe(c *Container, s cgroup.Stats) {
	l := c.labels.place
	e.info.AddBlock(l, 1, c.ID, c.CgroupPath, c.Image, c.ImageDigest, c.Node, c.Runtime, c.Orchestrator, string(c.Kind))
	requests, limits := c.Requests, c.Limits
	if !c.FromPod {
		requests, limits = grouped(c, s)
	}
	addResources(e.requests, c, requests)
	addResources(e.limits, c, limits)
}

func addResources(s *family.Series, c *Container, amounts Resources) {
	for _, r := range slices.Sorted(maps.Keys(amounts)) {
		s.AddBlock(c.labels.place, amounts[r], c.CgroupPath, r, units[r])
	}
}

// grouped are the requests and limits that the control group's settings amount to.
// Shares are no request: outside of Kubernetes they are a weight among neighbours,
// and cgroup v2's cannot be turned back into one.
func grouped(c *Container, s cgroup.Stats) (requests, limits Resources) {
	if c.Sandbox {
		return nil, nil
	}
	requests, limits = Resources{}, Resources{}
	if s.Memory.Reservation > 0 {
		requests[Memory] = s.Memory.Reservation
	}
	if s.Memory.Limit > 0 {
		limits[Memory] = s.Memory.Limit
	}
	if s.CPU.Quota > 0 && s.CPU.Period > 0 {
		limits[CPU] = s.CPU.Quota / s.CPU.Period
	}
	return requests, limits
}
