package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// mdadm serves the arrays of Linux' software RAID.
type mdadm struct {
	proc procfs.FS
	sys  sysfs.FS
}

// mdStates are the states that an array can be in, and procfs' words for them.
var mdStates = [...]struct{ state, word string }{
	{"active", "active"}, {"inactive", "inactive"}, {"recovering", "recovering"}, {"resync", "resyncing"}, {"check", "checking"},
}

// Collect reads /proc/mdstat, which is missing without arrays, and
// /sys/block/md*/md.
func (c mdadm) Collect(_ context.Context, w *family.Writer) error {
	var errs []error
	arrays, err := c.proc.MDStat()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, fmt.Errorf("read RAID arrays: %w", err))
	}
	for _, a := range arrays {
		w.Series(metrics.NodeMDDisksRequired).Add(float64(a.DisksTotal), a.Name)
		w.Series(metrics.NodeMDDisks).Add(float64(a.DisksActive), a.Name, "active")
		w.Series(metrics.NodeMDDisks).Add(float64(a.DisksFailed), a.Name, "failed")
		w.Series(metrics.NodeMDDisks).Add(float64(a.DisksSpare), a.Name, "spare")
		for _, s := range mdStates {
			w.Series(metrics.NodeMDState).Add(truth(a.ActivityState == s.word), a.Name, s.state)
		}
		w.Series(metrics.NodeMDBlocks).Add(float64(a.BlocksTotal), a.Name)
		w.Series(metrics.NodeMDBlocksSynced).Add(float64(a.BlocksSynced), a.Name)
	}
	raids, err := c.sys.Mdraids()
	if err != nil && !unreadable(err) {
		errs = append(errs, fmt.Errorf("read RAID arrays: %w", err))
	}
	for _, r := range raids {
		addIf(w.Series(metrics.NodeMDRaidDisks), r.Disks, 1, r.Device)
		w.Series(metrics.NodeMDDegraded).Add(float64(r.DegradedDisks), r.Device)
	}
	return errors.Join(errs...)
}
