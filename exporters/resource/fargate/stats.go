package fargate

import (
	"math"
	"slices"
	"strings"

	engine "github.com/moby/moby/api/types/container"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
)

// unlimited is from where a limit is none: the kernel's largest number of pages, in
// bytes (PAGE_COUNTER_MAX of cgroup v1).
const unlimited = 1 << 62

// statsOf are the counters in Docker's statistics. What is 0 is left out there, and
// a running container has used some of all: 0 is unknown.
func statsOf(s *engine.StatsResponse) told {
	t := told{Told: true}
	if c := &s.CPUStats; c.CPUUsage.TotalUsage > 0 {
		t.CPU = cgroup.CPU{
			Known: true, Usage: nanoseconds(c.CPUUsage.TotalUsage),
			User: nanoseconds(c.CPUUsage.UsageInUsermode), System: nanoseconds(c.CPUUsage.UsageInKernelmode),
			BandwidthKnown: true, Periods: float64(c.ThrottlingData.Periods),
			ThrottledPeriods: float64(c.ThrottlingData.ThrottledPeriods), Throttled: nanoseconds(c.ThrottlingData.ThrottledTime),
		}
	}
	if s.MemoryStats.Usage > 0 {
		t.Memory = memoryOf(&s.MemoryStats)
	}
	if p := &s.PidsStats; p.Current > 0 {
		t.PIDs = cgroup.PIDs{Known: true, Tasks: float64(p.Current)}
		if p.Limit < math.MaxInt64 {
			t.PIDs.Limit = float64(p.Limit)
		}
	}
	t.IO = devicesOf(&s.BlkioStats)
	return t
}

func nanoseconds(n uint64) float64 { return float64(n) / 1e9 }

// memoryOf takes what memory.stat says, by the names of cgroup v1, where numbers
// with those of the groups below begin with "total_", or of v2.
func memoryOf(s *engine.MemoryStats) cgroup.Memory {
	m := cgroup.Memory{
		Known: true, Usage: float64(s.Usage), MaxUsage: float64(s.MaxUsage), MaxKnown: s.MaxUsage > 0, Failures: float64(s.Failcnt),
	}
	if s.Limit < unlimited {
		m.Limit = float64(s.Limit)
	}
	of := func(names ...string) (v float64) {
		for _, name := range names {
			if n, ok := s.Stats[name]; ok {
				return float64(n)
			}
		}
		return 0
	}
	m.RSS, m.Cache = of("total_rss", "anon"), of("total_cache", "file")
	m.Mapped, m.Swap = of("total_mapped_file", "file_mapped"), of("total_swap", "swap")
	m.Dirty, m.Writeback = of("total_dirty", "file_dirty"), of("total_writeback", "file_writeback")
	m.ActiveFile, m.InactiveFile = of("total_active_file", "active_file"), of("total_inactive_file", "inactive_file")
	m.Faults, m.MajorFaults = of("total_pgfault", "pgfault"), of("total_pgmajfault", "pgmajfault")
	m.OwnFaults, m.OwnMajorFaults = of("pgfault"), of("pgmajfault")
	if n, ok := s.Stats["kernel"]; ok { // v2, since kernel 5.18
		m.Kernel, m.KernelKnown = float64(n), true
	}
	m.WorkingSet = max(m.Usage-m.InactiveFile, 0)
	return m
}

// devicesOf are the block devices, in the order in which they are told.
func devicesOf(s *engine.BlkioStats) (list []cgroup.Device) {
	names := cgroup.Operations()
	each := func(entries []engine.BlkioStatEntry, set func(d *cgroup.Device, op int, v float64)) {
		for _, e := range entries {
			for op, name := range names {
				if strings.EqualFold(e.Op, name) && e.Major <= math.MaxUint32 && e.Minor <= math.MaxUint32 {
					d := device(&list, uint32(e.Major), uint32(e.Minor))
					d.Has[op] = true
					set(d, op, float64(e.Value))
				}
			}
		}
	}
	each(s.IoServiceBytesRecursive, func(d *cgroup.Device, op int, v float64) { d.Bytes[op] = v })
	each(s.IoServicedRecursive, func(d *cgroup.Device, op int, v float64) { d.Requests[op] = v })
	for i := range list {
		list[i].RequestsUnknown = len(s.IoServicedRecursive) == 0 // Docker on cgroup v2
	}
	return list
}

// device returns a device's place in the list, and adds it where it is new.
func device(list *[]cgroup.Device, major, minor uint32) *cgroup.Device {
	i := slices.IndexFunc(*list, func(d cgroup.Device) bool { return d.Major == major && d.Minor == minor })
	if i < 0 {
		*list = append(*list, cgroup.Device{Major: major, Minor: minor})
		i = len(*list) - 1
	}
	return &(*list)[i]
}
