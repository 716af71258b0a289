package cgroup

// Stats are one control group's counters and settings at one time. What the kernel
// or the set-up does not offer has its Known field false.
type Stats struct {
	CPU    CPU
	Memory Memory
	PIDs   PIDs
	// Pressure by resource; waiting is the kernel's "some", stalled its "full".
	CPUPressure, MemoryPressure, IOPressure Pressure
}

// CPU is processor time in seconds, and the bandwidth controller's settings.
type CPU struct {
	Known               bool
	Usage, User, System float64 // seconds

	BandwidthKnown   bool    // the CFS bandwidth controller's counters are there
	Periods          float64 // enforcement intervals that have elapsed
	ThrottledPeriods float64
	Throttled        float64 // seconds, summed over the group's run queues

	Quota  float64 // microseconds a period; 0 is no limit
	Period float64 // microseconds
	Shares float64 // v1 shares; on v2 derived from the weight
}

// Memory is in bytes, counted for the group and all below it.
type Memory struct {
	Known       bool
	Usage       float64
	WorkingSet  float64 // usage without inactive file pages: what can't be dropped at once
	RSS         float64 // anonymous memory
	Cache       float64 // page cache
	Mapped      float64 // mapped files
	Swap        float64
	MaxUsage    float64
	MaxKnown    bool    // the kernel keeps the maximum (v2: since 5.19)
	Failures    float64 // times the limit was hit
	OOMKills    float64 // processes of the group that the OOM killer ended
	Limit       float64 // 0 is none
	Reservation float64 // 0 is none: v1 soft limit, v2 memory.low
}

// PIDs counts tasks, which are threads.
type PIDs struct {
	Known bool
	Tasks float64
	Limit float64 // 0 is none
}

// Pressure is stall time in seconds (Documentation/accounting/psi.rst).
type Pressure struct {
	Known            bool
	Waiting, Stalled float64
	StalledKnown     bool // before kernel 5.13 the processor has no "full"
}
