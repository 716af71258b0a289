package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// filesystem serves size, free space and state of the node's mounted file systems.
type filesystem struct {
	proc        procfs.FS
	root        string // where the node's root is mounted
	mountPoints matcher
	types       matcher
	prober      *prober
}

func newFilesystem(proc procfs.FS, o Options, m matchers, call func(string, *unix.Statfs_t) error) *filesystem {
	return &filesystem{
		proc: proc, root: filepath.Clean(o.RootFS), mountPoints: m.mountPoints, types: m.fsTypes,
		prober: newProber(call, o.MountTimeout, o.StatWorkers, o.Logger),
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
		paths[i] = filepath.Join(c.root, m.point)
	}
	answers := c.prober.ask(ctx, paths)
	unasked := 0
	for i, m := range mounts {
		a := answers[paths[i]]
		if errors.Is(a.err, errNotAsked) {
			unasked++
			continue
		}
		m.add(w, a)
	}
	if unasked > 0 {
		return fmt.Errorf("%d of %d mounts were not asked before the scrape's deadline", unasked, len(mounts))
	}
	return nil
}

// mount is one line of mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	device, point, fsType string
	major, minor          string
	readonly              bool
}

// mounts returns the mounts that are wanted, in the kernel's order. They are those
// of the node's first process; where that is hidden (hidepid), the exporter's own.
func (c *filesystem) mounts() ([]mount, error) {
	all, err := c.proc.GetProcMounts(1)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		all, err = c.proc.GetMounts()
	}
	if err != nil {
		return nil, err
	}
	type identity struct{ device, point, fsType string }
	index := make(map[identity]int, len(all))
	out := make([]mount, 0, len(all))
	for _, line := range all {
		m := c.mount(line)
		if !c.mountPoints.wants(m.point) || !c.types.wants(m.fsType) {
			continue
		}
		// What was mounted on top of its like hides it, and is what statfs sees.
		id := identity{m.device, m.point, m.fsType}
		if i, ok := index[id]; ok {
			out[i] = m
			continue
		}
		index[id] = len(out)
		out = append(out, m)
	}
	return out, nil
}

func (c *filesystem) mount(line *procfs.MountInfo) mount {
	major, minor, _ := strings.Cut(line.MajorMinorVer, ":")
	return mount{
		device:   valid(line.Source),
		point:    valid(stripRoot(c.root, unescape(line.MountPoint))),
		fsType:   valid(line.FSType),
		major:    major,
		minor:    minor,
		readonly: has(line.Options, "ro") || has(line.SuperOptions, "ro") || has(line.SuperOptions, "emergency_ro"),
	}
}

func has(options map[string]string, flag string) bool {
	value, ok := options[flag]
	return ok && value == ""
}

// valid makes of a name from the kernel, which is any bytes, one that a label can
// hold, before names are compared: two series must not become one.
func valid(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }

// unescape undoes what the kernel does to the characters that separate fields
// (seq_path with "\ \t\n\\").
func unescape(path string) string {
	if !strings.Contains(path, `\`) {
		return path
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// stripRoot returns a mount point as the node sees it, when the exporter sees the
// node's root below root.
func stripRoot(root, point string) string {
	below, ok := strings.CutPrefix(point, root)
	switch {
	case root == "/" || !ok:
		return point
	case below == "":
		return "/"
	case below[0] != '/': // /host is not a part of /hostile
		return point
	}
	return below
}

func (m mount) add(w *family.Writer, a *answer) {
	labels := family.NewBlock(metrics.NodeFilesystemSize.Labels, []string{m.device, m.point, m.fsType, a.label()})
	set := func(f *family.Family, v float64) { w.Series(f).AddBlock(labels, v) }
	set(metrics.NodeFilesystemDeviceError, truth(a.err != nil))
	set(metrics.NodeFilesystemReadonly, truth(m.readonly))
	if a.err != nil {
		return
	}
	block := float64(a.stat.Bsize)
	set(metrics.NodeFilesystemSize, float64(a.stat.Blocks)*block)
	set(metrics.NodeFilesystemFree, float64(a.stat.Bfree)*block)
	set(metrics.NodeFilesystemAvail, float64(a.stat.Bavail)*block)
	set(metrics.NodeFilesystemFiles, float64(a.stat.Files))
	set(metrics.NodeFilesystemFilesFree, float64(a.stat.Ffree))
	set(metrics.NodeFilesystemPurgeable, 0) // node_exporter has it on Linux too
	w.Series(metrics.NodeFilesystemMountInfo).Add(1, m.device, m.major, m.minor, m.point)
}
