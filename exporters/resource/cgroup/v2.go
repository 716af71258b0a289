package cgroup

func (r *reader) v2(dir string) {
	r.v2CPU(dir)
	r.v2Memory(dir)
	r.pids(dir)
}

func (r *reader) v2CPU(dir string) {
	c := &r.stats.CPU
	eachPair(r.file(dir, "cpu.stat"), func(key []byte, v uint64) {
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
		}
	})
	if b := r.file(dir, "cpu.max"); b != nil {
		c.Quota, c.Period, _ = quotaPeriod(b)
	}
	if weight, ok := r.number(dir, "cpu.weight"); ok {
		c.Shares = sharesOf(weight)
	}
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

func (r *reader) v2Memory(dir string) {
	m := &r.stats.Memory
	if m.Usage, m.Known = r.number(dir, "memory.current"); !m.Known {
		return
	}
	var inactiveFile float64
	eachPair(r.file(dir, "memory.stat"), func(key []byte, v uint64) {
		switch string(key) {
		case "inactive_file":
			inactiveFile = float64(v)
		case "anon":
			m.RSS = float64(v)
		case "file":
			m.Cache = float64(v)
		case "file_mapped":
			m.Mapped = float64(v)
		}
	})
	m.WorkingSet = max(m.Usage-inactiveFile, 0)
	m.MaxUsage, m.MaxKnown = r.number(dir, "memory.peak")
	m.Swap, _ = r.number(dir, "memory.swap.current")
	m.Limit, _ = r.number(dir, "memory.max")
	m.Reservation, _ = r.number(dir, "memory.low")
	eachPair(r.file(dir, "memory.events"), func(key []byte, v uint64) {
		switch string(key) {
		case "max":
			m.Failures = float64(v)
		case "oom_kill":
			m.OOMKills = float64(v)
		}
	})
}
