package node

import (
	"context"
	"fmt"

	"github.com/prometheus/procfs/btrfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// btrfsStats serves how Btrfs file systems use their devices.
type btrfsStats struct {
	fs      btrfs.FS
	devices *btrfsDevices
}

// Collect reads /sys/fs/btrfs/<uuid>. What a device holds and its errors come from
// the mounted file system; where it cannot be asked, sysfs has the size alone.
func (c btrfsStats) Collect(_ context.Context, w *family.Writer) error {
	stats, err := c.fs.Stats()
	if err != nil {
		if unreadable(err) {
			return nil // one was just unmounted
		}
		return fmt.Errorf("read statistics of Btrfs: %w", err)
	}
	if len(stats) == 0 {
		return nil
	}
	devices := c.devices.ask()
	for _, s := range stats {
		addBtrfs(w, s)
		known := devices[s.UUID]
		for _, d := range known {
			d.add(w, s.UUID)
		}
		if len(known) > 0 {
			continue
		}
		for _, name := range sortedNames(s.Devices) {
			w.Series(metrics.NodeBtrfsDeviceSize).Add(float64(s.Devices[name].Size), s.UUID, name, "")
		}
	}
	return nil
}

func addBtrfs(w *family.Writer, s *btrfs.Stats) {
	const second = 1000 // of the kernel's milliseconds
	w.Series(metrics.NodeBtrfsInfo).Add(1, s.UUID, s.Label)
	for _, v := range []struct {
		name  string
		value float64
	}{
		{"global_rsv_size_bytes", float64(s.Allocation.GlobalRsvSize)},
		{"commits_total", float64(s.CommitStats.Commits)},
		{"last_commit_seconds", float64(s.CommitStats.LastCommitMs) / second},
		{"max_commit_seconds", float64(s.CommitStats.MaxCommitMs) / second},
		{"commit_seconds_total", float64(s.CommitStats.TotalCommitMs) / second},
	} {
		w.Series(metrics.NodeBtrfs.Of(v.name)).Add(v.value, s.UUID)
	}
	for _, a := range []struct {
		kind  string
		stats *btrfs.AllocationStats
	}{{"data", s.Allocation.Data}, {"metadata", s.Allocation.Metadata}, {"system", s.Allocation.System}} {
		w.Series(metrics.NodeBtrfsReserved).Add(float64(a.stats.ReservedBytes), s.UUID, a.kind)
		for _, mode := range sortedNames(a.stats.Layouts) {
			l := a.stats.Layouts[mode]
			w.Series(metrics.NodeBtrfsUsed).Add(float64(l.UsedBytes), s.UUID, a.kind, mode)
			w.Series(metrics.NodeBtrfsSize).Add(float64(l.TotalBytes), s.UUID, a.kind, mode)
			w.Series(metrics.NodeBtrfsAllocationRatio).Add(l.Ratio, s.UUID, a.kind, mode)
		}
	}
}
