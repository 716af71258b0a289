package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// NodeXFS are the families of collector xfs: /sys/fs/xfs/<device>/stats/stats
// (Documentation/admin-guide/xfs.rst, fs/xfs/xfs_stats.h).
var NodeXFS = group("xfs", "node_xfs_", []string{"device"}, [][2]string{
	{"extent_allocation_extents_allocated_total", "Extents allocated."},
	{"extent_allocation_blocks_allocated_total", "Blocks allocated."},
	{"extent_allocation_extents_freed_total", "Extents freed."},
	{"extent_allocation_blocks_freed_total", "Blocks freed."},
	{"allocation_btree_lookups_total", "Lookups in the trees of free space."},
	{"allocation_btree_compares_total", "Comparisons in the trees of free space."},
	{"allocation_btree_records_inserted_total", "Records put into the trees of free space."},
	{"allocation_btree_records_deleted_total", "Records taken out of the trees of free space."},
	{"block_mapping_reads_total", "Block maps looked up to read."},
	{"block_mapping_writes_total", "Block maps looked up to write."},
	{"block_mapping_unmaps_total", "Blocks taken out of block maps."},
	{"block_mapping_extent_list_insertions_total", "Extents put into the lists of files."},
	{"block_mapping_extent_list_deletions_total", "Extents taken out of the lists of files."},
	{"block_mapping_extent_list_lookups_total", "Lookups in the lists of files' extents."},
	{"block_mapping_extent_list_compares_total", "Comparisons in the lists of files' extents."},
	{"block_map_btree_lookups_total", "Lookups in the trees of block maps."},
	{"block_map_btree_compares_total", "Comparisons in the trees of block maps."},
	{"block_map_btree_records_inserted_total", "Records put into the trees of block maps."},
	{"block_map_btree_records_deleted_total", "Records taken out of the trees of block maps."},
	{"directory_operation_lookup_total", "Names looked up in directories that the dentry cache did not have."},
	{"directory_operation_create_total", "Names put into directories."},
	{"directory_operation_remove_total", "Names taken out of directories."},
	{"directory_operation_getdents_total", "Listings of directories."},
	{"inode_operation_attempts_total", "Lookups in the cache of inodes."},
	{"inode_operation_found_total", "Lookups in the cache of inodes that found one."},
	{"inode_operation_recycled_total", "Lookups that found an inode which was about to go."},
	{"inode_operation_missed_total", "Lookups in the cache of inodes that found none."},
	{"inode_operation_duplicates_total", "Inodes read that another thread had cached meanwhile."},
	{"inode_operation_reclaims_total", "Inodes that left the cache."},
	{"inode_operation_attribute_changes_total", "Changes of inodes' attributes."},
	{"read_calls_total", "Calls of read(2)."},
	{"write_calls_total", "Calls of write(2)."},
	{"vnode_active_total", "Inodes in use."},
	{"vnode_allocate_total", "Inodes allocated in memory; 0 in kernels of today."},
	{"vnode_get_total", "Inodes taken from the cache; 0 in kernels of today."},
	{"vnode_hold_total", "Inodes held; 0 in kernels of today."},
	{"vnode_release_total", "Inodes released."},
	{"vnode_reclaim_total", "Inodes reclaimed."},
	{"vnode_remove_total", "Inodes removed from memory."},
})

// The families of collector btrfs: /sys/fs/btrfs/<uuid>
// (Documentation/filesystems/btrfs.rst, fs/btrfs/sysfs.c) and, where the file
// system is mounted below --path.rootfs, its devices by ioctl(2).
var (
	NodeBtrfsInfo = nodeGauge("btrfs", "node_btrfs_info", "", "The label of a Btrfs file system, always 1.", "uuid", "label")
	// NodeBtrfs are those with one number of a file system.
	NodeBtrfs = group("btrfs", "node_btrfs_", []string{"uuid"}, [][2]string{
		{"global_rsv_size_bytes", "Space that is put aside for the file system's own use."},
		{"commits_total", "Transactions that were committed."},
		{"last_commit_seconds", "How long the last commit took."},
		{"max_commit_seconds", "How long the longest commit took."},
		{"commit_seconds_total", "How long all commits took."},
	})
	NodeBtrfsReserved = nodeGauge("btrfs", "node_btrfs_reserved_bytes", "bytes",
		"Space that writes under way have been promised, by what it is for.", "uuid", "block_group_type")
	NodeBtrfsUsed = nodeGauge("btrfs", "node_btrfs_used_bytes", "bytes",
		"Space used, by what it is for and how it is spread over devices.", "uuid", "block_group_type", "mode")
	NodeBtrfsSize = nodeGauge("btrfs", "node_btrfs_size_bytes", "bytes",
		"Space allocated, by what it is for and how it is spread over devices.", "uuid", "block_group_type", "mode")
	NodeBtrfsAllocationRatio = nodeGauge("btrfs", "node_btrfs_allocation_ratio", "",
		"Bytes on devices that a byte takes, by what it is for and how it is spread over devices.", "uuid", "block_group_type", "mode")
	NodeBtrfsDeviceSize = nodeGauge("btrfs", "node_btrfs_device_size_bytes", "bytes",
		"Size of a device of a Btrfs file system.", "uuid", "device", "btrfs_dev_uuid")
	NodeBtrfsDeviceUnused = nodeGauge("btrfs", "node_btrfs_device_unused_bytes", "bytes",
		"Space of a device that is not allocated.", "uuid", "device", "btrfs_dev_uuid")
	NodeBtrfsDeviceErrors = nodeCounter("btrfs", "node_btrfs_device_errors_total", "",
		"Errors of a device by type: write, read, flush, corruption, generation.", "uuid", "type", "device", "btrfs_dev_uuid")
)

func btrfsTable() family.Table {
	return slices.Concat(family.Table{NodeBtrfsInfo}, NodeBtrfs.Table, family.Table{
		NodeBtrfsReserved, NodeBtrfsUsed, NodeBtrfsSize, NodeBtrfsAllocationRatio,
		NodeBtrfsDeviceSize, NodeBtrfsDeviceUnused, NodeBtrfsDeviceErrors,
	})
}

func filesystemsTable() family.Table { return slices.Concat(NodeXFS.Table, btrfsTable(), zfsTable()) }
