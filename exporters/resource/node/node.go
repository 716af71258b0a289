// Package node reads what the kernel says of the machine as a whole and serves it
// under node_exporter's names, types, labels and defaults, so that rules and
// dashboards written for node_exporter work unchanged.
//
// Each collector is one file: a small type that holds the file systems it reads
// and a method Collect, which reads once and adds series to the writer. The files
// of /proc and /sys are parsed by github.com/prometheus/procfs; what it does not
// parse is said where it is read. To add a collector, write its file, list its
// families in exporters/resource/metrics and itself in environment.basic,
// kernelCollectors or hardwareCollectors.
//
// A file that the kernel does not offer (pressure, thermal throttling, udev's data)
// is not an error: its families have no series. A collector returns an error for
// what should be there and could not be read.
package node

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/blockdevice"
	procnfs "github.com/prometheus/procfs/nfs"
	"github.com/prometheus/procfs/sysfs"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// Collectors returns the collectors of the node, in the order of exposition. A
// path that is no directory or a regular expression that does not compile is an
// error that names the flag.
func Collectors(o Options) ([]serve.Collector, error) {
	return o.collectors(kernel{mount.Statfs, unix.Uname, unix.Adjtimex, time.Now, readInRoot, mountedBtrfs})
}

// kernel are the system calls that collectors make, and the reading of files of
// the node that are not the kernel's; they are all that a test must stand in for.
type kernel struct {
	statfs   func(path string, into *unix.Statfs_t) error
	uname    func(into *unix.Utsname) error
	adjtimex func(*unix.Timex) (state int, err error)
	now      func() time.Time

	readInRoot func(root, path string) ([]byte, error)
	btrfs      func(root, mountPoint string) (uuid string, devices []btrfsDevice, err error)
}

func (o Options) collectors(k kernel) ([]serve.Collector, error) {
	proc, err := procfs.NewFS(o.ProcFS)
	if err != nil {
		return nil, fmt.Errorf("--path.procfs: %w", err)
	}
	sys, err := sysfs.NewFS(o.SysFS)
	if err != nil {
		return nil, fmt.Errorf("--path.sysfs: %w", err)
	}
	block, err := blockdevice.NewFS(o.ProcFS, o.SysFS)
	if err != nil {
		return nil, fmt.Errorf("block devices: %w", err)
	}
	nfs, err := procnfs.NewFS(o.ProcFS)
	if err != nil {
		return nil, fmt.Errorf("NFS: %w", err)
	}
	match, err := o.matchers()
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	env := environment{Options: o, proc: proc, sys: sys, block: block, nfs: nfs, match: match, kernel: k,
		netDevices: newNetDevices(o.ProcFS, o.SysFS)}
	hardware, err := env.hardwareCollectors()
	if err != nil {
		return nil, err
	}
	return slices.Concat(env.basic(), env.kernelCollectors(), hardware), nil
}

// environment is what collectors are made of.
type environment struct {
	Options
	proc   procfs.FS
	sys    sysfs.FS
	block  blockdevice.FS
	nfs    procnfs.FS
	match  matchers
	kernel kernel

	netDevices *netDevices
}

func (e environment) basic() []serve.Collector {
	shared := &sharedStat{proc: e.proc}
	return []serve.Collector{
		{Name: "cpu", Collect: newCPU(e, shared).Collect},
		{Name: "meminfo", Collect: meminfo{e.proc}.Collect},
		{Name: "loadavg", Collect: loadavg{e.proc}.Collect},
		{Name: "filesystem", Collect: newFilesystem(e.proc, e.Options, e.match, e.kernel.statfs).Collect},
		{Name: "diskstats", Collect: diskstats{e.block, udev(e.UdevData), e.match.disks}.Collect},
		{Name: "netdev", Collect: e.netdev().Collect},
		{Name: "pressure", Collect: pressure{e.proc}.Collect},
		{Name: "stat", Collect: stat{shared, e.Kernel.StatSoftIRQ}.Collect},
		{Name: "uname", Collect: uname{e.kernel.uname}.Collect},
	}
}

// truth is a boolean as a sample's value.
func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
