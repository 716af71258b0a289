package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// conntrack serves the table of tracked connections.
type conntrack struct{ proc procfs.FS }

// Collect reads /proc/sys/net/netfilter and /proc/net/stat/nf_conntrack, which are
// missing while no connections are tracked.
func (c conntrack) Collect(_ context.Context, w *family.Writer) error {
	var errs []error
	for _, s := range []struct {
		name   string
		family *family.Family
	}{
		{"net.netfilter.nf_conntrack_count", metrics.NodeConntrackEntries},
		{"net.netfilter.nf_conntrack_max", metrics.NodeConntrackLimit},
	} {
		v, err := sysctl(c.proc, s.name, 1)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = append(errs, err)
		default:
			w.Series(s.family).Add(float64(v[0]))
		}
	}
	cpus, err := c.proc.ConntrackStat()
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		errs = append(errs, fmt.Errorf("read connection tracking: %w", err))
	default:
		addConntrack(w, cpus)
	}
	return errors.Join(errs...)
}

// addConntrack adds the sums over all CPUs.
func addConntrack(w *family.Writer, cpus []procfs.ConntrackStatEntry) {
	var sum procfs.ConntrackStatEntry
	for _, c := range cpus {
		sum.Found += c.Found
		sum.Invalid += c.Invalid
		sum.Ignore += c.Ignore
		sum.Insert += c.Insert
		sum.InsertFailed += c.InsertFailed
		sum.Drop += c.Drop
		sum.EarlyDrop += c.EarlyDrop
		sum.SearchRestart += c.SearchRestart
	}
	w.Series(metrics.NodeConntrackFound).Add(float64(sum.Found))
	w.Series(metrics.NodeConntrackInvalid).Add(float64(sum.Invalid))
	w.Series(metrics.NodeConntrackIgnore).Add(float64(sum.Ignore))
	w.Series(metrics.NodeConntrackInsert).Add(float64(sum.Insert))
	w.Series(metrics.NodeConntrackInsertFailed).Add(float64(sum.InsertFailed))
	w.Series(metrics.NodeConntrackDrop).Add(float64(sum.Drop))
	w.Series(metrics.NodeConntrackEarlyDrop).Add(float64(sum.EarlyDrop))
	w.Series(metrics.NodeConntrackSearchRestart).Add(float64(sum.SearchRestart))
}

// sysctl reads a setting of the kernel that has count numbers at least.
func sysctl(proc procfs.FS, name string, count int) ([]int, error) {
	v, err := proc.SysctlInts(name)
	if err != nil {
		return nil, fmt.Errorf("read sysctl %s: %w", name, err)
	}
	if len(v) < count {
		return nil, fmt.Errorf("read sysctl %s: %d numbers, want %d", name, len(v), count)
	}
	return v, nil
}
