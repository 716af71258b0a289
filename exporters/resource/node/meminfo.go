package node

import (
	"context"
	"fmt"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// meminfo serves /proc/meminfo. Which fields there are depends on the kernel's
// version, configuration and architecture.
type meminfo struct{ proc procfs.FS }

// Collect reads /proc/meminfo.
func (c meminfo) Collect(_ context.Context, w *family.Writer) error {
	m, err := c.proc.Meminfo()
	if err != nil {
		return fmt.Errorf("read memory: %w", err)
	}
	for _, f := range memoryValues(&m) {
		if f.value != nil {
			w.Series(metrics.NodeMemory[f.name]).Add(float64(*f.value))
		}
	}
	return nil
}

type memoryValue struct {
	name  string  // of the family, without node_memory_
	value *uint64 // in bytes, for HugePages_ in pages; nil when the kernel has no such field
}

func memoryValues(m *procfs.Meminfo) []memoryValue {
	return []memoryValue{
		{"MemTotal_bytes", m.MemTotalBytes},
		{"MemFree_bytes", m.MemFreeBytes},
		{"MemAvailable_bytes", m.MemAvailableBytes},
		{"Buffers_bytes", m.BuffersBytes},
		{"Cached_bytes", m.CachedBytes},
		{"SwapCached_bytes", m.SwapCachedBytes},
		{"Active_bytes", m.ActiveBytes},
		{"Inactive_bytes", m.InactiveBytes},
		{"Active_anon_bytes", m.ActiveAnonBytes},
		{"Inactive_anon_bytes", m.InactiveAnonBytes},
		{"Active_file_bytes", m.ActiveFileBytes},
		{"Inactive_file_bytes", m.InactiveFileBytes},
		{"Unevictable_bytes", m.UnevictableBytes},
		{"Mlocked_bytes", m.MlockedBytes},
		{"SwapTotal_bytes", m.SwapTotalBytes},
		{"SwapFree_bytes", m.SwapFreeBytes},
		{"Zswap_bytes", m.ZswapBytes},
		{"Zswapped_bytes", m.ZswappedBytes},
		{"Dirty_bytes", m.DirtyBytes},
		{"Writeback_bytes", m.WritebackBytes},
		{"AnonPages_bytes", m.AnonPagesBytes},
		{"Mapped_bytes", m.MappedBytes},
		{"Shmem_bytes", m.ShmemBytes},
		{"Slab_bytes", m.SlabBytes},
		{"SReclaimable_bytes", m.SReclaimableBytes},
		{"SUnreclaim_bytes", m.SUnreclaimBytes},
		{"KernelStack_bytes", m.KernelStackBytes},
		{"PageTables_bytes", m.PageTablesBytes},
		{"NFS_Unstable_bytes", m.NFSUnstableBytes},
		{"Bounce_bytes", m.BounceBytes},
		{"WritebackTmp_bytes", m.WritebackTmpBytes},
		{"CommitLimit_bytes", m.CommitLimitBytes},
		{"Committed_AS_bytes", m.CommittedASBytes},
		{"VmallocTotal_bytes", m.VmallocTotalBytes},
		{"VmallocUsed_bytes", m.VmallocUsedBytes},
		{"VmallocChunk_bytes", m.VmallocChunkBytes},
		{"Percpu_bytes", m.PercpuBytes},
		{"HardwareCorrupted_bytes", m.HardwareCorruptedBytes},
		{"AnonHugePages_bytes", m.AnonHugePagesBytes},
		{"ShmemHugePages_bytes", m.ShmemHugePagesBytes},
		{"ShmemPmdMapped_bytes", m.ShmemPmdMappedBytes},
		{"CmaTotal_bytes", m.CmaTotalBytes},
		{"CmaFree_bytes", m.CmaFreeBytes},
		{"HugePages_Total", m.HugePagesTotal},
		{"HugePages_Free", m.HugePagesFree},
		{"HugePages_Rsvd", m.HugePagesRsvd},
		{"HugePages_Surp", m.HugePagesSurp},
		{"Hugepagesize_bytes", m.HugepagesizeBytes},
		{"DirectMap4k_bytes", m.DirectMap4kBytes},
		{"DirectMap2M_bytes", m.DirectMap2MBytes},
		{"DirectMap1G_bytes", m.DirectMap1GBytes},
	}
}
