package node

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/loadline-exporters/loadline/internal/serve"
)

// Options say where the machine's files are and what is left out. Start from
// DefaultOptions, or let AddFlags fill them.
type Options struct {
	ProcFS   string // where proc(5) is mounted
	SysFS    string // where sysfs(5) is mounted
	RootFS   string // where the node's root file system is mounted
	UdevData string // udev's database; need not exist

	MountPoints Filter // file systems, by mount point
	FSTypes     Filter // file systems, by type
	Disks       Filter // block devices, by name
	NetDevices  Filter // network devices, by name

	Kernel   KernelOptions
	Hardware HardwareOptions

	MountTimeout time.Duration // how long a mount may take to answer statfs(2)
	StatWorkers  int           // how many mounts are asked at a time

	Logger *slog.Logger // nil for none
}

// Filter chooses by regular expressions, which match anywhere in a name unless
// they are anchored. At most one of the two is set; when Include is, an Exclude
// that has its default is as good as empty.
type Filter struct {
	Include string // only what matches; empty for all
	Exclude string // nothing that matches; empty for nothing
}

// What node_exporter leaves out unless told otherwise: pseudo file systems and the
// mounts of containers, RAM disks, loop devices and partitions.
const (
	defaultMountPointsExclude = `^/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/)`
	defaultFSTypesExclude     = `^(autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|tracefs)$`
	defaultDisksExclude       = `^(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$`
)

// DefaultOptions are node_exporter's defaults, for a process that sees the node's
// own files.
func DefaultOptions() Options {
	return Options{
		ProcFS: "/proc", SysFS: "/sys", RootFS: "/", UdevData: "/run/udev/data",
		MountPoints:  Filter{Exclude: defaultMountPointsExclude},
		FSTypes:      Filter{Exclude: defaultFSTypesExclude},
		Disks:        Filter{Exclude: defaultDisksExclude},
		MountTimeout: 5 * time.Second,
		StatWorkers:  4,
		Kernel:       defaultKernelOptions(),
		Hardware:     defaultHardwareOptions(),
	}
}

// AddFlags adds flags under node_exporter's names. Parsing them sets every field
// but Logger, to node_exporter's defaults where nothing was given.
func (o *Options) AddFlags(g serve.FlagGroup) {
	d := DefaultOptions()
	text := func(to *string, name, value, help string) { g.Flag(name, help).Default(value).StringVar(to) }
	text(&o.ProcFS, "path.procfs", d.ProcFS, "Where the node's proc file system is mounted.")
	text(&o.SysFS, "path.sysfs", d.SysFS, "Where the node's sys file system is mounted.")
	text(&o.RootFS, "path.rootfs", d.RootFS, "Where the node's root file system is mounted.")
	text(&o.UdevData, "path.udev.data", d.UdevData, "Where the node's udev database is; it need not exist.")
	filter(g, &o.MountPoints, flagMountPoints, "mount points", d.MountPoints.Exclude)
	filter(g, &o.FSTypes, flagFSTypes, "file system types", d.FSTypes.Exclude)
	filter(g, &o.Disks, flagDisks, "block devices", d.Disks.Exclude)
	filter(g, &o.NetDevices, flagNetDevices, "network devices", d.NetDevices.Exclude)
	g.Flag("collector.filesystem.mount-timeout", "How long a mount may take to answer before it counts as hung.").
		Default(d.MountTimeout.String()).DurationVar(&o.MountTimeout)
	g.Flag("collector.filesystem.stat-workers", "How many mounts are asked at a time.").
		Default(fmt.Sprint(d.StatWorkers)).IntVar(&o.StatWorkers)
	o.Kernel.addFlags(g)
	o.Hardware.addFlags(g)
}

func filter(g serve.FlagGroup, to *Filter, name, subject, exclude string) {
	g.Flag(name+"-exclude", "Regular expression of the "+subject+" to leave out; not together with --"+name+"-include.").
		Default(exclude).StringVar(&to.Exclude)
	g.Flag(name+"-include", "Regular expression of the only "+subject+" to serve; not together with --"+name+"-exclude.").
		Default("").StringVar(&to.Include)
}

// The flags of filters, without -include and -exclude.
const (
	flagMountPoints = "collector.filesystem.mount-points"
	flagFSTypes     = "collector.filesystem.fs-types"
	flagDisks       = "collector.diskstats.device"
	flagNetDevices  = "collector.netdev.device"
)

type matchers struct {
	mountPoints, fsTypes, disks, netDevices matcher

	tables kernelMatchers

	hardware hardwareMatchers
}

// matchers compiles all filters and names every flag that is wrong.
func (o Options) matchers() (matchers, error) {
	d := DefaultOptions()
	var errs []error
	compile := func(flag string, f, byDefault Filter) matcher {
		m, err := f.compile(flag, byDefault)
		errs = append(errs, err)
		return m
	}
	m := matchers{
		mountPoints: compile(flagMountPoints, o.MountPoints, d.MountPoints),
		fsTypes:     compile(flagFSTypes, o.FSTypes, d.FSTypes),
		disks:       compile(flagDisks, o.Disks, d.Disks),
		netDevices:  compile(flagNetDevices, o.NetDevices, d.NetDevices),
	}
	tables, err := o.Kernel.matchers()
	errs = append(errs, err)
	m.tables = tables
	hardware, err := o.Hardware.matchers()
	m.hardware = hardware
	return m, errors.Join(append(errs, err)...)
}

func (f Filter) compile(flag string, byDefault Filter) (m matcher, err error) {
	if f.Include != "" && f.Exclude == byDefault.Exclude {
		f.Exclude = ""
	}
	if f.Include != "" && f.Exclude != "" {
		return m, fmt.Errorf("--%s-include and --%[1]s-exclude: give one of the two", flag)
	}
	if f.Include != "" {
		if m.include, err = regexp.Compile(f.Include); err != nil {
			return m, fmt.Errorf("--%s-include: %w", flag, err)
		}
	}
	if f.Exclude != "" {
		if m.exclude, err = regexp.Compile(f.Exclude); err != nil {
			return m, fmt.Errorf("--%s-exclude: %w", flag, err)
		}
	}
	return m, nil
}

// matcher is a compiled filter; the zero value wants everything.
type matcher struct{ include, exclude *regexp.Regexp }

func (m matcher) wants(name string) bool {
	return (m.include == nil || m.include.MatchString(name)) && (m.exclude == nil || !m.exclude.MatchString(name))
}
