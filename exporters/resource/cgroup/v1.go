package cgroup

// userHZ is the unit of cpuacct.stat: the kernel shows USER_HZ, which is 100 on
// every architecture that runs containers.
const userHZ = 100

func (r *reader) v1(dirs map[string]string) {
	if dir, ok := dirs["cpuacct"]; ok {
		r.v1Usage(dir)
	}
	if dir, ok := dirs["cpu"]; ok {
		r.v1Bandwidth(dir)
	}
	if dir, ok := dirs["memory"]; ok {
		r.v1Memory(dir)
	}
	if dir, ok := dirs["pids"]; ok {
		r.pids(dir)
	}
}

func (r *reader) v1Usage(dir string) {
	c := &r.stats.CPU
	ns, ok := r.number(dir, "cpuacct.usage")
	if !ok {
		return
	}
	c.Known, c.Usage = true, ns/1e9
	eachPair(r.file(dir, "cpuacct.stat"), func(key []byte, v uint64) {
		switch string(key) {
		case "user":
			c.User = float64(v) / userHZ
		case "system":
			c.System = float64(v) / userHZ
		}
	})
}

func (r *reader) v1Bandwidth(dir string) {
	c := &r.stats.CPU
	eachPair(r.file(dir, "cpu.stat"), func(key []byte, v uint64) {
		switch string(key) {
		case "nr_periods":
			c.Periods, c.BandwidthKnown = float64(v), true
		case "nr_throttled":
			c.ThrottledPeriods = float64(v)
		case "throttled_time":
			c.Throttled = float64(v) / 1e9
		}
	})
	if b := r.file(dir, "cpu.cfs_quota_us"); b != nil {
		c.Quota, _ = signed(b)
	}
	c.Period, _ = r.number(dir, "cpu.cfs_period_us")
	c.Shares, _ = r.number(dir, "cpu.shares")
}

func (r *reader) v1Memory(dir string) {
	m := &r.stats.Memory
	if m.Usage, m.Known = r.number(dir, "memory.usage_in_bytes"); !m.Known {
		return
	}
	var inactiveFile float64
	eachPair(r.file(dir, "memory.stat"), func(key []byte, v uint64) {
		switch string(key) {
		case "total_inactive_file":
			inactiveFile = float64(v)
		case "total_rss":
			m.RSS = float64(v)
		case "total_cache":
			m.Cache = float64(v)
		case "total_mapped_file":
			m.Mapped = float64(v)
		case "total_swap":
			m.Swap = float64(v)
		}
	})
	m.WorkingSet = max(m.Usage-inactiveFile, 0)
	m.MaxUsage, m.MaxKnown = r.number(dir, "memory.max_usage_in_bytes")
	m.Failures, _ = r.number(dir, "memory.failcnt")
	m.Limit, _ = r.number(dir, "memory.limit_in_bytes")
	m.Reservation, _ = r.number(dir, "memory.soft_limit_in_bytes")
	eachPair(r.file(dir, "memory.oom_control"), func(key []byte, v uint64) {
		if string(key) == "oom_kill" { // since kernel 4.13
			m.OOMKills = float64(v)
		}
	})
}

// pids reads the pids controller, whose files are the same on v1 and v2.
func (r *reader) pids(dir string) {
	p := &r.stats.PIDs
	if p.Tasks, p.Known = r.number(dir, "pids.current"); p.Known {
		p.Limit, _ = r.number(dir, "pids.max")
	}
}
