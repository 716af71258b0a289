package metrics

import (
	"slices"
	"strings"

	"github.com/loadline-exporters/loadline/internal/family"
)

// NodeZFSPoolState belongs to collector zfs.
var NodeZFSPoolState = nodeGauge("zfs", "node_zfs_zpool_state", "",
	"The state of a ZFS pool: 1 for that one, 0 for the others.", "zpool", "state")

// The families of collector zfs that dashboards use: /proc/spl/kstat/zfs. ZFS does
// not tell counters from gauges, so they have no type; the other fields of its files
// are served too, under the names that node_exporter gives them.
var (
	NodeZFSARC = zfsGroup("node_zfs_arc_", nil, [][2]string{
		{"hits", "Reads that the adaptive replacement cache (ARC) answered."},
		{"misses", "Reads that the ARC did not answer."},
		{"demand_data_hits", "Reads of data that the ARC answered."},
		{"demand_data_misses", "Reads of data that the ARC did not answer."},
		{"demand_metadata_hits", "Reads of metadata that the ARC answered."},
		{"demand_metadata_misses", "Reads of metadata that the ARC did not answer."},
		{"prefetch_data_hits", "Prefetches of data that the ARC answered."},
		{"prefetch_data_misses", "Prefetches of data that the ARC did not answer."},
		{"prefetch_metadata_hits", "Prefetches of metadata that the ARC answered."},
		{"prefetch_metadata_misses", "Prefetches of metadata that the ARC did not answer."},
		{"mru_hits", "Hits among what was used once lately."},
		{"mru_ghost_hits", "Misses of what was used once and evicted lately."},
		{"mfu_hits", "Hits among what was used more than once."},
		{"mfu_ghost_hits", "Misses of what was used more than once and evicted lately."},
		{"deleted", "Buffers evicted."},
		{"evict_skip", "Buffers that could not be evicted."},
		{"hash_elements", "Buffers that the ARC knows."},
		{"hash_collisions", "Lookups in the ARC's hash table that collided."},
		{"p", "Target size of what was used once, in bytes."},
		{"c", "Target size of the ARC in bytes."},
		{"c_min", "Smallest target size of the ARC in bytes."},
		{"c_max", "Largest target size of the ARC in bytes."},
		{"size", "Size of the ARC in bytes."},
		{"compressed_size", "Size of the ARC's data as it is compressed, in bytes."},
		{"uncompressed_size", "Size that the ARC's data would have uncompressed, in bytes."},
		{"overhead_size", "Size of the ARC's uncompressed copies in use, in bytes."},
		{"hdr_size", "Size of the ARC's headers in bytes."},
		{"data_size", "Size of data in the ARC in bytes."},
		{"metadata_size", "Size of metadata in the ARC in bytes."},
		{"mru_size", "Size of what was used once lately, in bytes."},
		{"mfu_size", "Size of what was used more than once, in bytes."},
		{"l2_hits", "Reads that the cache on disks (L2ARC) answered."},
		{"l2_misses", "Reads that the L2ARC did not answer."},
		{"l2_size", "Size that the data of the L2ARC has uncompressed, in bytes."},
		{"l2_asize", "Size of the L2ARC on disks in bytes."},
		{"l2_read_bytes", "Bytes read from the L2ARC."},
		{"l2_write_bytes", "Bytes written to the L2ARC."},
		{"memory_throttle_count", "Times the ARC waited for memory."},
		{"arc_meta_used", "Size of metadata in the ARC in bytes."},
		{"arc_meta_limit", "Limit of metadata in the ARC in bytes; before OpenZFS 2.2."},
		{"memory_all_bytes", "Memory of the machine in bytes, as ZFS knows it."},
		{"memory_free_bytes", "Free memory in bytes, as ZFS knows it."},
	})
	NodeZFSZFetch = zfsGroup("node_zfs_zfetch_", nil, [][2]string{
		{"hits", "Reads that a stream of prefetching foresaw."},
		{"misses", "Reads that no stream of prefetching foresaw."},
	})
	NodeZFSZIL = zfsGroup("node_zfs_zil_", nil, [][2]string{
		{"zil_commit_count", "Commits to the intent log."},
		{"zil_itx_count", "Transactions written to the intent log."},
	})
	NodeZFSPool = zfsGroup("node_zfs_zpool_", []string{"zpool"}, [][2]string{
		{"nread", "Bytes read from a pool."},
		{"nwritten", "Bytes written to a pool."},
		{"reads", "Reads from a pool."},
		{"writes", "Writes to a pool."},
		{"wtime", "Time in which requests waited, in nanoseconds."},
		{"wlentime", "Length of the queue of waiting requests over time, in nanoseconds."},
		{"wupdate", "When the queue of waiting requests last changed, in nanoseconds since boot."},
		{"rtime", "Time in which a pool worked, in nanoseconds."},
		{"rlentime", "Length of the queue of running requests over time, in nanoseconds."},
		{"rupdate", "When the queue of running requests last changed, in nanoseconds since boot."},
		{"wcnt", "Requests that wait."},
		{"rcnt", "Requests that run."},
	})
	NodeZFSDataset = zfsGroup("node_zfs_zpool_dataset_", []string{"zpool", "dataset"}, [][2]string{
		{"writes", "Writes to a dataset."},
		{"nwritten", "Bytes written to a dataset."},
		{"reads", "Reads from a dataset."},
		{"nread", "Bytes read from a dataset."},
		{"nunlinks", "Files that were removed."},
		{"nunlinked", "Removed files whose space was given back."},
	})
)

// zfsGroup makes a group of families without a type. Their names keep ZFS' own
// words, which say no unit.
func zfsGroup(prefix string, labels []string, rows [][2]string) Group {
	g := group("zfs", prefix, labels, rows)
	for _, f := range g.Table {
		f.Type, f.Unit = family.Untyped, ""
	}
	return g
}

// NodeZFSOther returns the family of a field that no group lists: its prefix is a
// group's or that of a file of its own, its labels are the group's.
func NodeZFSOther(prefix, field string, labels []string) *family.Family {
	name := prefix + strings.ReplaceAll(field, "-", "_")
	return &family.Family{
		Name: name, Type: family.Untyped, Help: "Field " + field + " of ZFS' statistics.", Labels: labels,
		Compat: family.Node, Collector: "zfs",
	}
}

func zfsTable() family.Table {
	return slices.Concat(NodeZFSARC.Table, NodeZFSZFetch.Table, NodeZFSZIL.Table, NodeZFSPool.Table, NodeZFSDataset.Table,
		family.Table{NodeZFSPoolState})
}
