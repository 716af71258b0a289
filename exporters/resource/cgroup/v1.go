package cgroup

import (
	"bytes"

	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
)

// userHZ is the unit of cpuacct.stat: the kernel shows USER_HZ, which is 100 on
// every architecture that runs containers.
const userHZ = 100

// v1Files are what is read of a group on v1, by controller.
func v1Files() map[string][]file {
	return map[string][]file{
		"cpuacct": {
			{name: "cpuacct.usage", total: true, parse: func(s *Stats, b []byte) bool {
				ns, ok := number(b)
				s.CPU.Usage, s.CPU.Known = ns/1e9, ok
				return ok
			}},
			{name: "cpuacct.stat", parse: v1Times},
		},
		"cpu": {
			{name: "cpu.stat", parse: v1Bandwidth},
			{name: "cpu.cfs_quota_us", parse: func(s *Stats, b []byte) (ok bool) { s.CPU.Quota, ok = signed(b); return ok }},
			numberFile("cpu.cfs_period_us", func(s *Stats) *float64 { return &s.CPU.Period }),
			numberFile("cpu.shares", func(s *Stats) *float64 { return &s.CPU.Shares }),
		},
		"memory": {
			{name: "memory.usage_in_bytes", parse: memoryUsage},
			{name: "memory.stat", parse: v1MemoryStat},
			{name: "memory.max_usage_in_bytes", parse: memoryMaximum},
			{name: "memory.kmem.usage_in_bytes", parse: func(s *Stats, b []byte) (ok bool) {
				s.Memory.Kernel, ok = number(b)
				s.Memory.KernelKnown = ok
				return ok
			}},
			numberFile("memory.failcnt", func(s *Stats) *float64 { return &s.Memory.Failures }),
			{name: "memory.limit_in_bytes", total: true, parse: memoryLimit},
			numberFile("memory.memsw.limit_in_bytes", func(s *Stats) *float64 { return &s.Memory.SwapLimit }),
			numberFile("memory.soft_limit_in_bytes", func(s *Stats) *float64 { return &s.Memory.Reservation }),
			{name: "memory.oom_control", total: true, parse: v1OOMControl},
		},
		"pids": pidsFiles(),
		"blkio": {
			{name: "blkio.throttle.io_service_bytes_recursive", parse: func(s *Stats, b []byte) bool {
				return eachOperation(b, &s.IO, func(d *Device) *[operations]float64 { return &d.Bytes })
			}},
			{name: "blkio.throttle.io_serviced_recursive", parse: func(s *Stats, b []byte) bool {
				return eachOperation(b, &s.IO, func(d *Device) *[operations]float64 { return &d.Requests })
			}},
		},
	}
}

// perCPUFile is read only when it is asked for: its size is that of the machine.
func perCPUFile() file {
	return file{name: "cpuacct.usage_percpu", parse: func(s *Stats, b []byte) bool {
		for field := range bytes.FieldsSeq(b) {
			ns, ok := kernelfile.ParseUint(field)
			if !ok {
				return false
			}
			s.PerCPU = append(s.PerCPU, float64(ns)/1e9)
		}
		return true
	}}
}

func v1Times(s *Stats, b []byte) bool {
	eachPair(b, func(key []byte, v uint64) {
		switch string(key) {
		case "user":
			s.CPU.User = float64(v) / userHZ
		case "system":
			s.CPU.System = float64(v) / userHZ
		}
	})
	return true
}

func v1Bandwidth(s *Stats, b []byte) bool {
	c := &s.CPU
	eachPair(b, func(key []byte, v uint64) {
		switch string(key) {
		case "nr_periods":
			c.Periods, c.BandwidthKnown = float64(v), true
		case "nr_throttled":
			c.ThrottledPeriods = float64(v)
		case "throttled_time":
			c.Throttled = float64(v) / 1e9
		case "nr_bursts":
			c.BurstPeriods, c.BurstKnown = float64(v), true
		case "burst_time":
			c.Burst = float64(v) / 1e9
		}
	})
	return true
}

func v1MemoryStat(s *Stats, b []byte) bool {
	m := &s.Memory
	eachPair(b, func(key []byte, v uint64) {
		n := float64(v)
		switch string(key) {
		case "pgfault":
			m.OwnFaults = n
		case "pgmajfault":
			m.OwnMajorFaults = n
		case "total_rss":
			m.RSS = n
		case "total_cache":
			m.Cache = n
		case "total_mapped_file":
			m.Mapped = n
		case "total_swap":
			m.Swap = n
		case "total_dirty":
			m.Dirty = n
		case "total_writeback":
			m.Writeback = n
		case "total_active_file":
			m.ActiveFile = n
		case "total_inactive_file":
			m.InactiveFile = n
		case "total_pgfault":
			m.Faults = n
		case "total_pgmajfault":
			m.MajorFaults = n
		}
	})
	return true
}

func v1OOMControl(s *Stats, b []byte) bool {
	eachPair(b, func(key []byte, v uint64) {
		if string(key) == "oom_kill" { // since kernel 4.13
			s.Memory.OOMKills = float64(v)
		}
	})
	return true
}

func memoryUsage(s *Stats, b []byte) (ok bool) {
	s.Memory.Usage, ok = number(b)
	s.Memory.Known = ok
	return ok
}

func memoryMaximum(s *Stats, b []byte) (ok bool) {
	s.Memory.MaxUsage, ok = number(b)
	s.Memory.MaxKnown = ok
	return ok
}

// pidsFiles are those of the pids controller, which are the same on v1 and v2.
func pidsFiles() []file {
	return []file{
		{name: "pids.current", parse: func(s *Stats, b []byte) (ok bool) {
			s.PIDs.Tasks, ok = number(b)
			s.PIDs.Known = ok
			return ok
		}},
		numberFile("pids.max", func(s *Stats) *float64 { return &s.PIDs.Limit }),
	}
}

// numberFile is a file of one number.
func memoryLimit(s *Stats, b []byte) bool {
	v, ok := number(b)
	s.Memory.Limit, s.Memory.LimitKnown = v, ok
	return ok
}

func numberFile(name string, to func(*Stats) *float64) file {
	return file{name: name, parse: func(s *Stats, b []byte) bool {
		v, ok := number(b)
		*to(s) = v
		return ok
	}}
}
