package cgroup

// Stats are one control group's counters and settings at one time. What the kernel
// or the set-up does not offer has its Known field false.
type Stats struct {
	// Told says that an engine's interface told of the group, not the kernel's files.
	// Then OOM kills, the swap limit and the reservation are not known, and the
	// quota is that of a group around it.
	Told bool

	CPU    CPU
	PerCPU []float64 // seconds by processor, where Tree.ReadPerCPU asked for them (v1)
	Memory Memory
	PIDs   PIDs
	IO     []Device // by device; valid until the buffer is used again
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
	BurstKnown       bool    // since kernel 5.14
	BurstPeriods     float64 // intervals in which more than the quota was used
	Burst            float64 // seconds beyond the quota

	Quota  float64 // microseconds a period; 0 is no limit
	Period float64 // microseconds
	Shares float64 // v1 shares; on v2 derived from the weight
}

// Memory is in bytes, counted for the group and all below it.
type Memory struct {
	Known        bool
	Usage        float64
	WorkingSet   float64 // usage without inactive file pages: what can't be dropped at once
	RSS          float64 // anonymous memory
	Cache        float64 // page cache
	Mapped       float64 // mapped files
	Swap         float64 // where an engine told, 0 is unknown
	Kernel       float64
	KernelKnown  bool // v1; v2: since 5.18
	ActiveFile   float64
	InactiveFile float64
	Dirty        float64 // page cache that is not on disk yet
	Writeback    float64 // page cache on its way to disk
	MaxUsage     float64
	MaxKnown     bool    // the kernel keeps the maximum (v2: since 5.19)
	Failures     float64 // times the limit was hit; where an engine told, 0 is unknown
	OOMKills     float64 // processes of the group that the OOM killer ended
	Limit        float64 // 0 is none
	LimitKnown   bool
	SwapLimit    float64 // 0 is none: v1 memory and swap together, v2 swap alone
	Reservation  float64 // 0 is none: v1 soft limit, v2 memory.low or, if larger, memory.min

	Faults, MajorFaults        float64 // pages faulted in: all, and those read from disk
	OwnFaults, OwnMajorFaults  float64 // the same without the groups below (v2: with them)
	EventsKnown                bool    // v2
	EventsHigh, EventsMax      float64 // times that memory.high throttled, that memory.max was hit
	ReclaimKnown               bool    // v2
	Scanned, Stolen            float64 // pages that reclaim looked at, and took
	RefaultsFile, RefaultsAnon float64 // pages that came back soon after they were reclaimed
}

// PIDs counts tasks, which are threads.
type PIDs struct {
	Known bool
	Tasks float64
	Limit float64 // 0 is none
}

// Device is the I/O with one block device.
type Device struct {
	Major, Minor uint32
	// Bytes and Requests by operation; Has says which operations the kernel lists.
	Bytes, Requests [operations]float64
	Has             [operations]bool
	// RequestsUnknown says that an engine told of bytes alone.
	RequestsUnknown bool
}

// Operation is a kind of block I/O. Sync and Async count reads and writes once
// more, and Total all.
type Operation int

// The operations, of which v2 knows the first three.
const (
	Read Operation = iota
	Write
	Discard
	Sync
	Async
	Total
	operations
)

// Operations are the names of the operations, as cAdvisor has them.
func Operations() [operations]string {
	return [operations]string{"Read", "Write", "Discard", "Sync", "Async", "Total"}
}

// Pressure is stall time in seconds (Documentation/accounting/psi.rst).
type Pressure struct {
	Known            bool
	Waiting, Stalled float64
	StalledKnown     bool // before kernel 5.13 the processor has no "full"
}
