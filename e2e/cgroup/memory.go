package cgroup

import (
	"os"
	"runtime"
)

// Stock is how many bytes the memory of a group may differ by between two readings
// though its processes use the same: for each processor the kernel charges 64 pages
// ahead (MEMCG_CHARGE_BATCH) and gives them back at any time, and it counts what
// memory.stat says in batches as large. Limits are exact.
func Stock() float64 { return float64(runtime.NumCPU() * 64 * os.Getpagesize()) }
