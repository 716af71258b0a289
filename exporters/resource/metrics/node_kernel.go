package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// NodeVMStat holds the families of collector vmstat, without labels, by the field
// of /proc/vmstat: those that node_exporter serves unless told otherwise. Other
// fields that --collector.vmstat.fields asks for are foreign families
// (VMStatField).
var NodeVMStat = fields(VMStatField, vmstatFields())

// VMStatField is the family of a field of /proc/vmstat.
func VMStatField(field, help string) *family.Family {
	return nodeUntyped("vmstat", "node_vmstat_"+field, help)
}

func vmstatFields() [][2]string {
	return [][2]string{
		{"pgpgin", "KiB read from block devices."},
		{"pgpgout", "KiB written to block devices."},
		{"pswpin", "Pages read from swap."},
		{"pswpout", "Pages written to swap."},
		{"pgfault", "Page faults, major ones included."},
		{"pgmajfault", "Page faults that had to wait for a device."},
		{"oom_kill", "Processes killed because memory ran out, of the machine or of a cgroup."},
	}
}

// The families of collector filefd: /proc/sys/fs/file-nr.
var (
	NodeFileFDAllocated = nodeGauge("filefd", "node_filefd_allocated", "", "Open files (struct file) of the whole machine.")
	NodeFileFDMaximum   = nodeGauge("filefd", "node_filefd_maximum", "", "Open files that the kernel allows (fs.file-max).")
)

// The families of collector entropy: /proc/sys/kernel/random.
var (
	NodeEntropyAvailable = nodeGauge("entropy", "node_entropy_available_bits", "", "Entropy that the kernel's random number generator has, in bits.")
	NodeEntropyPoolSize  = nodeGauge("entropy", "node_entropy_pool_size_bits", "", "Size of the kernel's entropy pool, in bits.")
)

// The families of collector os: os-release(5) of the node's root.
var (
	NodeOSInfo = nodeGauge("os", "node_os_info", "", "The operating system, as os-release(5) has it, always 1.",
		"build_id", "id", "id_like", "image_id", "image_version", "name", "pretty_name",
		"variant", "variant_id", "version", "version_codename", "version_id")
	NodeOSVersion = nodeGauge("os", "node_os_version", "",
		"The operating system's version as a number: major.minor of VERSION_ID; 4.10 is 4.1.", "id", "id_like", "name")
	NodeOSSupportEnd = nodeGauge("os", "node_os_support_end_timestamp_seconds", "seconds",
		"When support of the operating system ends, in seconds since the epoch, where os-release(5) says it.")
)

// NodeDMIInfo is the family of collector dmi: /sys/class/dmi/id.
var NodeDMIInfo = nodeGauge("dmi", "node_dmi_info", "",
	"What the firmware says of the machine, always 1; serial numbers and the UUID need root.",
	"bios_date", "bios_release", "bios_vendor", "bios_version",
	"board_asset_tag", "board_name", "board_serial", "board_vendor", "board_version",
	"chassis_asset_tag", "chassis_serial", "chassis_vendor", "chassis_version",
	"product_family", "product_name", "product_serial", "product_sku", "product_uuid", "product_version",
	"system_vendor")

// The families of collector schedstat: /proc/schedstat, in seconds.
var (
	NodeSchedstatRunning = nodeCounter("schedstat", "node_schedstat_running_seconds_total", "seconds",
		"Time in which a CPU ran a thread.", "cpu")
	NodeSchedstatWaiting = nodeCounter("schedstat", "node_schedstat_waiting_seconds_total", "seconds",
		"Time that ready threads together waited for a CPU.", "cpu")
	NodeSchedstatTimeslices = nodeCounter("schedstat", "node_schedstat_timeslices_total", "",
		"Timeslices that a CPU ran.", "cpu")
)

// The families of collector selinux. The mode is 1 for enforcing and 0 for
// permissive; the configured one is -1 where SELinux is not to be used.
var (
	NodeSELinuxEnabled     = nodeGauge("selinux", "node_selinux_enabled", "", "Whether SELinux is on.")
	NodeSELinuxConfigMode  = nodeGauge("selinux", "node_selinux_config_mode", "", "SELinux's mode in /etc/selinux/config: 1 enforcing, 0 permissive, -1 disabled.")
	NodeSELinuxCurrentMode = nodeGauge("selinux", "node_selinux_current_mode", "", "SELinux's mode now: 1 enforcing, 0 permissive.")
)

// NodeKernelHungTasks is the family of collector kernel_hung.
var NodeKernelHungTasks = nodeCounter("kernel_hung", "node_kernel_hung_tasks_total", "",
	"Threads that the kernel found to wait uninterruptibly for too long, since boot; needs Linux 6.13.")

// NodeExporterBuildInfo is the family of collector build_info.
var NodeExporterBuildInfo = nodeGauge("build_info", "node_exporter_build_info", "",
	"This program, in node_exporter's place, always 1: dashboards look here for clusters.",
	"branch", "goarch", "goos", "goversion", "revision", "tags", "version")

// The families of collector textfile about itself; what is in the files is
// foreign.
var (
	NodeTextfileMtime = nodeGauge("textfile", "node_textfile_mtime_seconds", "seconds",
		"When a file of metrics that is served was last modified, in seconds since the epoch.", "file")
	NodeTextfileScrapeError = nodeGauge("textfile", "node_textfile_scrape_error", "",
		"Whether some file of metrics, or a family in one, could not be served.")
)

// fields makes a family of each field, by the field's name.
func fields(of func(field, help string) *family.Family, list [][2]string) map[string]*family.Family {
	out := make(map[string]*family.Family, len(list))
	for _, f := range list {
		out[f[0]] = of(f[0], f[1])
	}
	return out
}

// listed are the families of fields in the fields' order.
func listed(families map[string]*family.Family, list [][2]string) family.Table {
	out := make(family.Table, 0, len(list))
	for _, f := range list {
		out = append(out, families[f[0]])
	}
	return out
}

func nodeUntyped(collector, name, help string) *family.Family {
	return &family.Family{Name: name, Type: family.Untyped, Help: help, Compat: family.Node, Collector: collector}
}

// kernelTable lists the families of the kernel's own tables and limits: the
// collectors vmstat to textfile.
func kernelTable() family.Table {
	return slices.Concat(
		listed(NodeVMStat, vmstatFields()),
		networkTable(),
		family.Table{
			NodeFileFDAllocated, NodeFileFDMaximum,
			NodeEntropyAvailable, NodeEntropyPoolSize,
			NodeOSInfo, NodeOSVersion, NodeOSSupportEnd,
			NodeDMIInfo,
		},
		timeTable(),
		family.Table{
			NodeSchedstatRunning, NodeSchedstatWaiting, NodeSchedstatTimeslices,
			NodeSELinuxEnabled, NodeSELinuxConfigMode, NodeSELinuxCurrentMode,
			NodeKernelHungTasks,
			NodeExporterBuildInfo,
		},
		serviceTable(),
		optionalTable(),
		family.Table{NodeTextfileMtime, NodeTextfileScrapeError},
	)
}

// kernelOptional are the collectors of them that are off by default, as in
// node_exporter.
func kernelOptional() []string { return optionalTable().Collectors() }
