package container

import (
	"strconv"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// reading is what one scrape found of one container.
type reading struct {
	*Container
	cgroup.Stats
}

// row is a family of one series a container, and its value if there is one.
type row struct {
	family *family.Family
	value  func(r *reading) (v float64, ok bool)
}

// basic are the rows that sandboxes have too: what they run is of no interest, what
// they take adds up.
func basic() []row {
	return []row{
		{metrics.ContainerCPUUser, func(r *reading) (float64, bool) { return r.CPU.User, r.CPU.Known }},
		{metrics.ContainerCPUSystem, func(r *reading) (float64, bool) { return r.CPU.System, r.CPU.Known }},
		{metrics.ContainerMemoryUsage, func(r *reading) (float64, bool) { return r.Memory.Usage, r.Memory.Known }},
		{metrics.ContainerMemoryWorkingSet, func(r *reading) (float64, bool) { return r.Memory.WorkingSet, r.Memory.Known }},
		{metrics.ContainerMemoryRSS, func(r *reading) (float64, bool) { return r.Memory.RSS, r.Memory.Known }},
		{metrics.ContainerMemoryCache, func(r *reading) (float64, bool) { return r.Memory.Cache, r.Memory.Known }},
		{metrics.ContainerOOMEvents, func(r *reading) (float64, bool) { return r.Memory.OOMKills, r.Memory.Known && !r.Told }},
		{metrics.ContainerThreads, func(r *reading) (float64, bool) { return r.PIDs.Tasks, r.PIDs.Known }},
		{metrics.ContainerStart, func(r *reading) (float64, bool) { return seconds(r.Started), !r.Started.IsZero() }},
	}
}

// detailed are the further rows of containers and groups.
func detailed() []row {
	throttled := func(r *reading) bool {
		// As with cAdvisor, a container without a quota has no throttling series. Who
		// tells of periods and not of the quota must have one.
		return r.CPU.BandwidthKnown && (r.CPU.Quota > 0 || r.Told && r.CPU.Periods > 0)
	}
	return []row{
		{metrics.ContainerCPUPeriods, func(r *reading) (float64, bool) { return r.CPU.Periods, throttled(r) }},
		{metrics.ContainerCPUThrottledPeriods, func(r *reading) (float64, bool) { return r.CPU.ThrottledPeriods, throttled(r) }},
		{metrics.ContainerCPUThrottled, func(r *reading) (float64, bool) { return r.CPU.Throttled, throttled(r) }},
		{metrics.ContainerCPUBurstPeriods, func(r *reading) (float64, bool) { return r.CPU.BurstPeriods, throttled(r) && r.CPU.BurstKnown }},
		{metrics.ContainerCPUBurst, func(r *reading) (float64, bool) { return r.CPU.Burst, throttled(r) && r.CPU.BurstKnown }},
		{metrics.ContainerMemoryMapped, func(r *reading) (float64, bool) { return r.Memory.Mapped, r.Memory.Known }},
		{metrics.ContainerMemorySwap, func(r *reading) (float64, bool) {
			return r.Memory.Swap, r.Memory.Known && (!r.Told || r.Memory.Swap > 0)
		}},
		{metrics.ContainerMemoryMaxUsage, func(r *reading) (float64, bool) { return r.Memory.MaxUsage, r.Memory.Known && r.Memory.MaxKnown }},
		{metrics.ContainerMemoryFailures, func(r *reading) (float64, bool) {
			return r.Memory.Failures, r.Memory.Known && (!r.Told || r.Memory.Failures > 0)
		}},
		{metrics.ContainerMemoryKernel, func(r *reading) (float64, bool) { return r.Memory.Kernel, r.Memory.Known && r.Memory.KernelKnown }},
		{metrics.ContainerMemoryActiveFile, func(r *reading) (float64, bool) { return r.Memory.ActiveFile, r.Memory.Known }},
		{metrics.ContainerMemoryInactiveFile, func(r *reading) (float64, bool) { return r.Memory.InactiveFile, r.Memory.Known }},
		{metrics.ContainerMemoryDirty, func(r *reading) (float64, bool) { return r.Memory.Dirty, r.Memory.Known }},
		{metrics.ContainerMemoryWriteback, func(r *reading) (float64, bool) { return r.Memory.Writeback, r.Memory.Known }},
		{metrics.ContainerMemoryEventsHigh, func(r *reading) (float64, bool) { return r.Memory.EventsHigh, r.Memory.EventsKnown }},
		{metrics.ContainerMemoryEventsMax, func(r *reading) (float64, bool) { return r.Memory.EventsMax, r.Memory.EventsKnown }},
		{metrics.ContainerMemoryScanned, func(r *reading) (float64, bool) { return r.Memory.Scanned, r.Memory.ReclaimKnown }},
		{metrics.ContainerMemoryStolen, func(r *reading) (float64, bool) { return r.Memory.Stolen, r.Memory.ReclaimKnown }},
		{metrics.ContainerMemoryRefaultsFile, func(r *reading) (float64, bool) { return r.Memory.RefaultsFile, r.Memory.EventsKnown }},
		{metrics.ContainerMemoryRefaultsAnon, func(r *reading) (float64, bool) { return r.Memory.RefaultsAnon, r.Memory.EventsKnown }},
		{metrics.ContainerThreadsMax, func(r *reading) (float64, bool) { return r.PIDs.Limit, r.PIDs.Known }},
		{metrics.ContainerPressureCPUWaiting, func(r *reading) (float64, bool) { return r.CPUPressure.Waiting, r.CPUPressure.Known }},
		{metrics.ContainerPressureCPUStalled, func(r *reading) (float64, bool) { return r.CPUPressure.Stalled, r.CPUPressure.StalledKnown }},
		{metrics.ContainerPressureMemoryWaiting, func(r *reading) (float64, bool) { return r.MemoryPressure.Waiting, r.MemoryPressure.Known }},
		{metrics.ContainerPressureMemoryStalled, func(r *reading) (float64, bool) { return r.MemoryPressure.Stalled, r.MemoryPressure.StalledKnown }},
		{metrics.ContainerPressureIOWaiting, func(r *reading) (float64, bool) { return r.IOPressure.Waiting, r.IOPressure.Known }},
		{metrics.ContainerPressureIOStalled, func(r *reading) (float64, bool) { return r.IOPressure.Stalled, r.IOPressure.StalledKnown }},
		{metrics.ContainerSpecCPUPeriod, func(r *reading) (float64, bool) { return r.CPU.Period, r.CPU.Period > 0 }},
		{metrics.ContainerSpecCPUQuota, func(r *reading) (float64, bool) { return r.CPU.Quota, r.CPU.Quota > 0 }},
		{metrics.ContainerSpecCPUShares, func(r *reading) (float64, bool) { return r.CPU.Shares, r.CPU.Shares > 0 }},
		{metrics.ContainerSpecMemoryLimit, func(r *reading) (float64, bool) { return r.Memory.Limit, r.Memory.Known }},
		{metrics.ContainerSpecSwapLimit, func(r *reading) (float64, bool) { return r.Memory.SwapLimit, r.Memory.Known && !r.Told }},
		{metrics.ContainerSpecMemoryReservation, func(r *reading) (float64, bool) { return r.Memory.Reservation, r.Memory.Known && !r.Told }},
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// emitter holds the places of the families, looked up once a scrape.
type emitter struct {
	basic, detailed []placed
	devices         *Devices
	now             float64

	usage, faults, lastSeen, health      *family.Series
	reads, writes, readBytes, writeBytes *family.Series
	blockIO                              *family.Series
	info, requests, limits               *family.Series
}

// placed is a row's value with the place for it.
type placed struct {
	series *family.Series
	value  func(r *reading) (v float64, ok bool)
}

func place(w *family.Writer, rows []row) []placed {
	out := make([]placed, 0, len(rows))
	for _, r := range rows {
		if s := w.Series(r.family); s.Enabled() {
			out = append(out, placed{s, r.value})
		}
	}
	return out
}

func newEmitter(w *family.Writer, devices *Devices) *emitter {
	return &emitter{
		basic: place(w, basic()), detailed: place(w, detailed()), devices: devices, now: float64(time.Now().Unix()),
		usage: w.Series(metrics.ContainerCPUUsage), faults: w.Series(metrics.ContainerMemoryFaults),
		lastSeen: w.Series(metrics.ContainerLastSeen), health: w.Series(metrics.ContainerHealth),
		reads: w.Series(metrics.ContainerReads), writes: w.Series(metrics.ContainerWrites),
		readBytes: w.Series(metrics.ContainerReadBytes), writeBytes: w.Series(metrics.ContainerWrittenBytes),
		blockIO: w.Series(metrics.ContainerBlockIO),
		info:    w.Series(metrics.ContainerInfo), requests: w.Series(metrics.ContainerRequests), limits: w.Series(metrics.ContainerLimits),
	}
}

// container adds a container's series.
func (e *emitter) container(r *reading) {
	if r.Sandbox {
		e.shared(r)
	} else {
		e.group(r)
	}
	if h, ok := r.Health.value(); ok {
		e.health.AddBlock(r.labels.container, h)
	}
	e.describe(r)
}

// shared adds what all kinds of groups have.
func (e *emitter) shared(r *reading) {
	l := r.labels.container
	add(e.basic, l, r)
	e.lastSeen.AddBlock(l, e.now)
	switch {
	case len(r.PerCPU) > 0:
		for i, v := range r.PerCPU {
			e.usage.AddBlock(l, v, cpuName(i))
		}
	case r.CPU.Known:
		e.usage.AddBlock(l, r.CPU.Usage, "total")
	}
}

// group adds the counters and settings of a control group.
func (e *emitter) group(r *reading) {
	e.shared(r)
	l := r.labels.container
	add(e.detailed, l, r)
	if m := &r.Memory; m.Known {
		e.faults.AddBlock(l, m.OwnFaults, "pgfault", "container")
		e.faults.AddBlock(l, m.OwnMajorFaults, "pgmajfault", "container")
		e.faults.AddBlock(l, m.Faults, "pgfault", "hierarchy")
		e.faults.AddBlock(l, m.MajorFaults, "pgmajfault", "hierarchy")
	}
	e.io(l, r.IO)
}

func add(rows []placed, l family.Block, r *reading) {
	for _, row := range rows {
		if v, ok := row.value(r); ok {
			row.series.AddBlock(l, v)
		}
	}
}

// cpuName is a processor's name as cAdvisor writes it.
func cpuName(i int) string {
	n := strconv.Itoa(i)
	if i < 10 {
		n = "0" + n
	}
	return "cpu" + n
}

func (e *emitter) io(l family.Block, devices []cgroup.Device) {
	names := cgroup.Operations()
	for i := range devices {
		d := &devices[i]
		device, major, minor := e.devices.name(d.Major, d.Minor)
		if d.Has[cgroup.Read] {
			if !d.RequestsUnknown {
				e.reads.AddBlock(l, d.Requests[cgroup.Read], device)
			}
			e.readBytes.AddBlock(l, d.Bytes[cgroup.Read], device)
		}
		if d.Has[cgroup.Write] {
			if !d.RequestsUnknown {
				e.writes.AddBlock(l, d.Requests[cgroup.Write], device)
			}
			e.writeBytes.AddBlock(l, d.Bytes[cgroup.Write], device)
		}
		for op, has := range d.Has {
			if has {
				e.blockIO.AddBlock(l, d.Bytes[op], device, major, minor, names[op])
			}
		}
	}
}
