package cgroup

// v2Files are what is read of a group on v2.
func v2Files() []file {
	return append([]file{
		{name: "cpu.stat", total: true, parse: v2CPUStat},
		{name: "cpu.max", parse: func(s *Stats, b []byte) (ok bool) {
			s.CPU.Quota, s.CPU.Period, ok = quotaPeriod(b)
			return ok
		}},
		{name: "cpu.weight", parse: func(s *Stats, b []byte) bool {
			weight, ok := number(b)
			s.CPU.Shares = sharesOf(weight)
			return ok
		}},
		{name: "memory.current", parse: memoryUsage},
		{name: "memory.stat", parse: v2MemoryStat},
		{name: "memory.peak", parse: memoryMaximum},
		numberFile("memory.swap.current", func(s *Stats) *float64 { return &s.Memory.Swap }),
		{name: "memory.max", total: true, parse: memoryLimit},
		numberFile("memory.swap.max", func(s *Stats) *float64 { return &s.Memory.SwapLimit }),
		{name: "memory.low", parse: protection},
		{name: "memory.min", parse: protection},
		{name: "memory.events", total: true, parse: v2MemoryEvents},
		{name: "io.stat", parse: func(s *Stats, b []byte) bool { return eachDevice(b, &s.IO) }},
	}, pidsFiles()...)
}

// pressureFiles are those of v2, which the hybrid set-up has too.
func pressureFiles() []file {
	of := func(name string, to func(*Stats) *Pressure) file {
		return file{name: name, parse: func(s *Stats, b []byte) bool {
			*to(s) = pressure(b)
			return true
		}}
	}
	return []file{
		of("cpu.pressure", func(s *Stats) *Pressure { return &s.CPUPressure }),
		of("memory.pressure", func(s *Stats) *Pressure { return &s.MemoryPressure }),
		of("io.pressure", func(s *Stats) *Pressure { return &s.IOPressure }),
	}
}

func v2CPUStat(s *Stats, b []byte) bool {
	c := &s.CPU
	eachPair(b, func(key []byte, v uint64) {
		switch string(key) {
		case "usage_usec":
			c.Usage, c.Known = float64(v)/1e6, true
		case "user_usec":
			c.User = float64(v) / 1e6
		case "system_usec":
			c.System = float64(v) / 1e6
		case "nr_periods": // only where the controller is enabled
			c.Periods, c.BandwidthKnown = float64(v), true
		case "nr_throttled":
			c.ThrottledPeriods = float64(v)
		case "throttled_usec":
			c.Throttled = float64(v) / 1e6
		case "nr_bursts":
			c.BurstPeriods, c.BurstKnown = float64(v), true
		case "burst_usec":
			c.Burst = float64(v) / 1e6
		}
	})
	return c.Known
}

// sharesOf turns a v2 weight (1 to 10000) into v1 shares (2 to 262144) by the line
// that KEP-2254 gives, as cAdvisor does. Runtimes since 2025 (runc 1.3.2, crun
// 1.23) derive the weight by another curve, so it is no way back to a request.
func sharesOf(weight float64) float64 {
	if weight == 0 {
		return 0
	}
	return float64(int64(2 + (weight-1)*262142/9999))
}

func v2MemoryStat(s *Stats, b []byte) bool {
	m := &s.Memory
	eachPair(b, func(key []byte, v uint64) {
		n := float64(v)
		switch string(key) {
		case "anon":
			m.RSS = n
		case "file":
			m.Cache = n
		case "kernel":
			m.Kernel, m.KernelKnown = n, true
		case "file_mapped":
			m.Mapped = n
		case "file_dirty":
			m.Dirty = n
		case "file_writeback":
			m.Writeback = n
		case "inactive_file":
			m.InactiveFile = n
		case "active_file":
			m.ActiveFile = n
		case "workingset_refault_anon":
			m.RefaultsAnon = n
		case "workingset_refault_file":
			m.RefaultsFile = n
		case "pgfault":
			m.Faults, m.OwnFaults = n, n
		case "pgmajfault":
			m.MajorFaults, m.OwnMajorFaults = n, n
		case "pgscan": // since kernel 6.0
			m.Scanned, m.ReclaimKnown = n, true
		case "pgsteal":
			m.Stolen = n
		}
	})
	return true
}

func v2MemoryEvents(s *Stats, b []byte) bool {
	m := &s.Memory
	m.EventsKnown = true
	eachPair(b, func(key []byte, v uint64) {
		switch string(key) {
		case "high":
			m.EventsHigh = float64(v)
		case "max":
			m.EventsMax, m.Failures = float64(v), float64(v)
		case "oom_kill":
			m.OOMKills = float64(v)
		}
	})
	return true
}

func protection(s *Stats, b []byte) bool {
	v, ok := number(b)
	s.Memory.Reservation = max(s.Memory.Reservation, v)
	return ok
}
