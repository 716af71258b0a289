package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/internal/family"
)

// filesystem serves size, free space and state of the node's mounted file systems.
type filesystem struct {
	table       *mount.Reader
	root        string // where the node's root is mounted
	mountPoints matcher
	types       matcher
	prober      *mount.Prober
}

func newFilesystem(proc procfs.FS, o Options, m matchers, call func(string, *unix.Statfs_t) error) *filesystem {
	root := filepath.Clean(o.RootFS)
	return &filesystem{
		table: mount.NewReader(o.ProcFS, proc, root), root: root, mountPoints: m.mountPoints, types: m.fsTypes,
		prober: mount.NewProber(call, o.MountTimeout, o.StatWorkers, o.Logger),
	}
}

// Collect asks every mount for its numbers. A mount that answers with an error or
// not in time is reported as such; it is no error of the collector.
func (c *filesystem) Collect(ctx context.Context, w *family.Writer) error {
	mounts, err := c.mounts()
	if err != nil {
		return fmt.Errorf("read mounts: %w", err)
	}
	paths := make([]string, len(mounts))
	for i, m := range mounts {
		paths[i] = filepath.Join(c.root, m.Point)
	}
	answers := c.prober.Ask(ctx, paths)
	unasked := 0
	for i, m := range mounts {
		a := answers[paths[i]]
		if errors.Is(a.Err, mount.ErrNotAsked) {
			unasked++
			continue
		}
		addMount(w, m, a)
	}
	if unasked > 0 {
		return fmt.Errorf("%d of %d mounts were not asked before the scrape's deadline", unasked, len(mounts))
	}
	return nil
}

// mounts returns the mounts that are wanted, in the kernel's order.
func (c *filesystem) mounts() ([]mount.Mount, error) {
	all, err := c.table.Table()
	var wanted []mount.Mount
	for _, m := range all {
		if c.types.wants(m.FSType) && c.mountPoints.wants(m.Point) {
			wanted = append(wanted, m)
		}
	}
	return wanted, err
}

func addMount(w *family.Writer, m mount.Mount, a *mount.Answer) {
	labels := family.NewBlock(metrics.NodeFilesystemSize.Labels, []string{m.Device, m.Point, m.FSType, a.Label()})
	set := func(f *family.Family, v float64) { w.Series(f).AddBlock(labels, v) }
	set(metrics.NodeFilesystemDeviceError, truth(a.Err != nil))
	set(metrics.NodeFilesystemReadonly, truth(m.Readonly))
	if a.Err != nil {
		return
	}
	block := float64(a.Stat.Bsize)
	set(metrics.NodeFilesystemSize, float64(a.Stat.Blocks)*block)
	set(metrics.NodeFilesystemFree, float64(a.Stat.Bfree)*block)
	set(metrics.NodeFilesystemAvail, float64(a.Stat.Bavail)*block)
	set(metrics.NodeFilesystemFiles, float64(a.Stat.Files))
	set(metrics.NodeFilesystemFilesFree, float64(a.Stat.Ffree))
	set(metrics.NodeFilesystemPurgeable, 0) // node_exporter has it on Linux too
	w.Series(metrics.NodeFilesystemMountInfo).Add(1, m.Device, m.Major, m.Minor, m.Point)
}
