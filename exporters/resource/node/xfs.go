package node

import (
	"context"
	"fmt"

	"github.com/prometheus/procfs/xfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// xfsStats serves what XFS file systems did since they were mounted.
type xfsStats struct{ fs xfs.FS }

// Collect reads /sys/fs/xfs/<device>/stats/stats.
func (c xfsStats) Collect(_ context.Context, w *family.Writer) error {
	stats, err := c.fs.SysStats()
	if err != nil {
		if unreadable(err) {
			return nil // one was just unmounted
		}
		return fmt.Errorf("read statistics of XFS: %w", err)
	}
	for _, s := range stats {
		for _, v := range xfsValues(s) {
			w.Series(metrics.NodeXFS.Of(v.name)).Add(float64(v.value), s.Name)
		}
	}
	return nil
}

type xfsValue struct {
	name  string
	value uint32
}

func xfsValues(s *xfs.Stats) []xfsValue {
	return []xfsValue{
		{"extent_allocation_extents_allocated_total", s.ExtentAllocation.ExtentsAllocated},
		{"extent_allocation_blocks_allocated_total", s.ExtentAllocation.BlocksAllocated},
		{"extent_allocation_extents_freed_total", s.ExtentAllocation.ExtentsFreed},
		{"extent_allocation_blocks_freed_total", s.ExtentAllocation.BlocksFreed},
		{"allocation_btree_lookups_total", s.AllocationBTree.Lookups},
		{"allocation_btree_compares_total", s.AllocationBTree.Compares},
		{"allocation_btree_records_inserted_total", s.AllocationBTree.RecordsInserted},
		{"allocation_btree_records_deleted_total", s.AllocationBTree.RecordsDeleted},
		{"block_mapping_reads_total", s.BlockMapping.Reads},
		{"block_mapping_writes_total", s.BlockMapping.Writes},
		{"block_mapping_unmaps_total", s.BlockMapping.Unmaps},
		{"block_mapping_extent_list_insertions_total", s.BlockMapping.ExtentListInsertions},
		{"block_mapping_extent_list_deletions_total", s.BlockMapping.ExtentListDeletions},
		{"block_mapping_extent_list_lookups_total", s.BlockMapping.ExtentListLookups},
		{"block_mapping_extent_list_compares_total", s.BlockMapping.ExtentListCompares},
		{"block_map_btree_lookups_total", s.BlockMapBTree.Lookups},
		{"block_map_btree_compares_total", s.BlockMapBTree.Compares},
		{"block_map_btree_records_inserted_total", s.BlockMapBTree.RecordsInserted},
		{"block_map_btree_records_deleted_total", s.BlockMapBTree.RecordsDeleted},
		{"directory_operation_lookup_total", s.DirectoryOperation.Lookups},
		{"directory_operation_create_total", s.DirectoryOperation.Creates},
		{"directory_operation_remove_total", s.DirectoryOperation.Removes},
		{"directory_operation_getdents_total", s.DirectoryOperation.Getdents},
		{"inode_operation_attempts_total", s.InodeOperation.Attempts},
		{"inode_operation_found_total", s.InodeOperation.Found},
		{"inode_operation_recycled_total", s.InodeOperation.Recycle},
		{"inode_operation_missed_total", s.InodeOperation.Missed},
		{"inode_operation_duplicates_total", s.InodeOperation.Duplicate},
		{"inode_operation_reclaims_total", s.InodeOperation.Reclaims},
		{"inode_operation_attribute_changes_total", s.InodeOperation.AttributeChange},
		{"read_calls_total", s.ReadWrite.Read},
		{"write_calls_total", s.ReadWrite.Write},
		{"vnode_active_total", s.Vnode.Active},
		{"vnode_allocate_total", s.Vnode.Allocate},
		{"vnode_get_total", s.Vnode.Get},
		{"vnode_hold_total", s.Vnode.Hold},
		{"vnode_release_total", s.Vnode.Release},
		{"vnode_reclaim_total", s.Vnode.Reclaim},
		{"vnode_remove_total", s.Vnode.Remove},
	}
}
