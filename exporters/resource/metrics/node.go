package metrics

import (
	"slices"
	"strings"

	"github.com/loadline-exporters/loadline/internal/family"
)

// The families of collector cpu: /proc/stat, in seconds, and
// /sys/devices/system/cpu.
var (
	NodeCPUSeconds = nodeCounter("cpu", "node_cpu_seconds_total", "seconds",
		"Time each CPU spent in each mode since boot, from /proc/stat; user and nice include the time of guests.", "cpu", "mode")
	NodeCPUGuestSeconds = nodeCounter("cpu", "node_cpu_guest_seconds_total", "seconds",
		"Time each CPU spent running virtual machines, by their priority (user, nice); it is contained in the mode of that name.", "cpu", "mode")
	NodeCPUCoreThrottles = nodeCounter("cpu", "node_cpu_core_throttles_total", "",
		"Times a core was slowed down because it was too hot, since boot.", "package", "core")
	NodeCPUPackageThrottles = nodeCounter("cpu", "node_cpu_package_throttles_total", "",
		"Times a whole CPU package was slowed down because it was too hot, since boot.", "package")
	NodeCPUOnline = nodeGauge("cpu", "node_cpu_online", "",
		"Whether a CPU is online; missing where the kernel cannot take the first CPU offline.", "cpu")
	NodeCPUIsolated = nodeGauge("cpu", "node_cpu_isolated", "",
		"CPUs that the scheduler leaves alone (isolcpus, isolated cpusets), always 1.", "cpu")
	NodeCPUInfo = nodeGauge("cpu", "node_cpu_info", "",
		"What a CPU is, from /proc/cpuinfo, always 1; only with --collector.cpu.info.",
		"package", "core", "cpu", "vendor", "family", "model", "model_name", "microcode", "stepping", "cachesize")
	NodeCPUFlagInfo = nodeGauge("cpu", "node_cpu_flag_info", "",
		"Flags of the first CPU that --collector.cpu.info.flags-include chooses, always 1.", "flag")
	NodeCPUBugInfo = nodeGauge("cpu", "node_cpu_bug_info", "",
		"Bugs of the first CPU that --collector.cpu.info.bugs-include chooses, always 1.", "bug")
)

// The families of collector stat: the counters of /proc/stat that no CPU owns.
var (
	NodeInterrupts = nodeCounter("stat", "node_intr_total", "",
		"Interrupts serviced since boot, with those that have no number.")
	NodeContextSwitches = nodeCounter("stat", "node_context_switches_total", "",
		"Context switches of all CPUs since boot.")
	NodeForks = nodeCounter("stat", "node_forks_total", "",
		"Processes and threads created since boot.")
	NodeBootTime = nodeGauge("stat", "node_boot_time_seconds", "seconds",
		"When the kernel booted, in seconds since the epoch.")
	NodeProcessesRunning = nodeGauge("stat", "node_procs_running", "",
		"Threads that run or are ready to.")
	NodeProcessesBlocked = nodeGauge("stat", "node_procs_blocked", "",
		"Threads that wait for I/O and cannot be interrupted.")
	NodeSoftIRQs = nodeCounter("stat", "node_softirqs_total", "",
		"Soft interrupts of all CPUs by vector; only with --collector.stat.softirq.", "vector")
)

// The families of collector loadavg: threads that run, are ready to or wait
// uninterruptibly, averaged with exponential decay.
var (
	NodeLoad1  = nodeGauge("loadavg", "node_load1", "", "Load average over one minute.")
	NodeLoad5  = nodeGauge("loadavg", "node_load5", "", "Load average over five minutes.")
	NodeLoad15 = nodeGauge("loadavg", "node_load15", "", "Load average over fifteen minutes.")
)

// The families of collector pressure: the totals of /proc/pressure, in seconds.
var (
	NodePressureCPUWaiting = nodeCounter("pressure", "node_pressure_cpu_waiting_seconds_total", "seconds",
		"Time in which at least one thread was ready and had no CPU.")
	NodePressureIOWaiting = nodeCounter("pressure", "node_pressure_io_waiting_seconds_total", "seconds",
		"Time in which at least one thread waited for I/O.")
	NodePressureIOStalled = nodeCounter("pressure", "node_pressure_io_stalled_seconds_total", "seconds",
		"Time in which all threads that had work waited for I/O.")
	NodePressureMemoryWaiting = nodeCounter("pressure", "node_pressure_memory_waiting_seconds_total", "seconds",
		"Time in which at least one thread waited for memory (reclaim, swap, refaults).")
	NodePressureMemoryStalled = nodeCounter("pressure", "node_pressure_memory_stalled_seconds_total", "seconds",
		"Time in which all threads that had work waited for memory.")
	NodePressureIRQStalled = nodeCounter("pressure", "node_pressure_irq_stalled_seconds_total", "seconds",
		"Time in which no thread made progress because interrupts were handled; needs Linux 6.1.")
)

// The families of collector filesystem: mountinfo and statfs(2). device_error is
// empty, an error's text, or "mountpoint timeout".
var (
	NodeFilesystemDeviceError = nodeGauge("filesystem", "node_filesystem_device_error", "",
		"Whether a file system gave no numbers: it answered with an error, or not in time.", filesystemLabels()...)
	NodeFilesystemReadonly = nodeGauge("filesystem", "node_filesystem_readonly", "",
		"Whether a file system is mounted read-only, or was made so by the kernel after an error.", filesystemLabels()...)
	NodeFilesystemSize = nodeGauge("filesystem", "node_filesystem_size_bytes", "bytes",
		"Size of a file system.", filesystemLabels()...)
	NodeFilesystemFree = nodeGauge("filesystem", "node_filesystem_free_bytes", "bytes",
		"Free space of a file system, with what is reserved for root.", filesystemLabels()...)
	NodeFilesystemAvail = nodeGauge("filesystem", "node_filesystem_avail_bytes", "bytes",
		"Free space of a file system that everybody may use.", filesystemLabels()...)
	NodeFilesystemFiles = nodeGauge("filesystem", "node_filesystem_files", "",
		"Inodes of a file system; 0 where they are made as needed.", filesystemLabels()...)
	NodeFilesystemFilesFree = nodeGauge("filesystem", "node_filesystem_files_free", "",
		"Free inodes of a file system.", filesystemLabels()...)
	NodeFilesystemPurgeable = nodeGauge("filesystem", "node_filesystem_purgeable_bytes", "bytes",
		"Space that the system could free by itself, a notion of macOS: always 0.", filesystemLabels()...)
	NodeFilesystemMountInfo = nodeGauge("filesystem", "node_filesystem_mount_info", "",
		"The device number of a mounted file system, always 1.", "device", "major", "minor", "mountpoint")
)

func filesystemLabels() []string {
	return []string{"device", "mountpoint", "fstype", "device_error"}
}

// The families of collector diskstats: /proc/diskstats, whose milliseconds are
// seconds here and whose sectors of 512 bytes are bytes, discards excepted.
var (
	NodeDiskInfo = nodeGauge("diskstats", "node_disk_info", "",
		"What a block device is, from udev and /sys/block, always 1; rotational is 1 for spinning disks.",
		"device", "major", "minor", "path", "wwn", "model", "serial", "revision", "rotational")
	NodeDiskReadsCompleted = nodeCounter("diskstats", "node_disk_reads_completed_total", "",
		"Reads that a block device completed.", "device")
	NodeDiskReadsMerged = nodeCounter("diskstats", "node_disk_reads_merged_total", "",
		"Reads that were merged with a neighbour before they reached a block device.", "device")
	NodeDiskReadBytes = nodeCounter("diskstats", "node_disk_read_bytes_total", "bytes",
		"Bytes read from a block device.", "device")
	NodeDiskReadTime = nodeCounter("diskstats", "node_disk_read_time_seconds_total", "seconds",
		"Time that all reads together took; concurrent ones add up.", "device")
	NodeDiskWritesCompleted = nodeCounter("diskstats", "node_disk_writes_completed_total", "",
		"Writes that a block device completed.", "device")
	NodeDiskWritesMerged = nodeCounter("diskstats", "node_disk_writes_merged_total", "",
		"Writes that were merged with a neighbour before they reached a block device.", "device")
	NodeDiskWrittenBytes = nodeCounter("diskstats", "node_disk_written_bytes_total", "bytes",
		"Bytes written to a block device.", "device")
	NodeDiskWriteTime = nodeCounter("diskstats", "node_disk_write_time_seconds_total", "seconds",
		"Time that all writes together took; concurrent ones add up.", "device")
	NodeDiskIONow = nodeGauge("diskstats", "node_disk_io_now", "",
		"Requests that a block device works on at this moment.", "device")
	NodeDiskIOTime = nodeCounter("diskstats", "node_disk_io_time_seconds_total", "seconds",
		"Time in which a block device had at least one request.", "device")
	NodeDiskIOTimeWeighted = nodeCounter("diskstats", "node_disk_io_time_weighted_seconds_total", "seconds",
		"Time that requests spent at a block device; its rate is the mean queue length.", "device")
	NodeDiskDiscardsCompleted = nodeCounter("diskstats", "node_disk_discards_completed_total", "",
		"Discards (TRIM) that a block device completed.", "device")
	NodeDiskDiscardsMerged = nodeCounter("diskstats", "node_disk_discards_merged_total", "",
		"Discards that were merged with a neighbour before they reached a block device.", "device")
	NodeDiskDiscardedSectors = nodeCounter("diskstats", "node_disk_discarded_sectors_total", "",
		"Sectors of 512 bytes that were discarded.", "device")
	NodeDiskDiscardTime = nodeCounter("diskstats", "node_disk_discard_time_seconds_total", "seconds",
		"Time that all discards together took.", "device")
	NodeDiskFlushRequests = nodeCounter("diskstats", "node_disk_flush_requests_total", "",
		"Flushes of a block device's cache that were completed.", "device")
	NodeDiskFlushRequestsTime = nodeCounter("diskstats", "node_disk_flush_requests_time_seconds_total", "seconds",
		"Time that all flushes together took.", "device")
	NodeDiskFilesystemInfo = nodeGauge("diskstats", "node_disk_filesystem_info", "",
		"What udev found on a block device, always 1.", "device", "type", "usage", "uuid", "version")
	NodeDiskDeviceMapperInfo = nodeGauge("diskstats", "node_disk_device_mapper_info", "",
		"The device mapper's and LVM's names of a block device, always 1.",
		"device", "name", "uuid", "vg_name", "lv_name", "lv_layer")
	NodeDiskATAWriteCache = nodeGauge("diskstats", "node_disk_ata_write_cache", "",
		"Whether an ATA disk has a write cache.", "device")
	NodeDiskATAWriteCacheEnabled = nodeGauge("diskstats", "node_disk_ata_write_cache_enabled", "",
		"Whether an ATA disk's write cache is on.", "device")
	NodeDiskATARotationRate = nodeGauge("diskstats", "node_disk_ata_rotation_rate_rpm", "",
		"Rotations a minute of an ATA disk; 0 for one without moving parts.", "device")
)

// The families of collector netdev: /proc/net/dev. What counts as an error is up
// to the driver.
var (
	NodeNetworkReceiveBytes       = netCounter("receive_bytes", "Bytes received.")
	NodeNetworkReceivePackets     = netCounter("receive_packets", "Packets received.")
	NodeNetworkReceiveErrs        = netCounter("receive_errs", "Packets received that were bad.")
	NodeNetworkReceiveDrop        = netCounter("receive_drop", "Packets received that were dropped: no room in the device's or the kernel's queue, or an unknown protocol.")
	NodeNetworkReceiveFIFO        = netCounter("receive_fifo", "Packets received that overran the device's FIFO.")
	NodeNetworkReceiveFrame       = netCounter("receive_frame", "Packets received with a bad length, alignment or checksum.")
	NodeNetworkReceiveCompressed  = netCounter("receive_compressed", "Compressed packets received (SLIP, PPP).")
	NodeNetworkReceiveMulticast   = netCounter("receive_multicast", "Multicast packets received.")
	NodeNetworkReceiveNoHandler   = netCounter("receive_nohandler", "Packets received by an inactive device, such as a bond's standby member; from /sys/class/net.")
	NodeNetworkTransmitBytes      = netCounter("transmit_bytes", "Bytes sent.")
	NodeNetworkTransmitPackets    = netCounter("transmit_packets", "Packets sent.")
	NodeNetworkTransmitErrs       = netCounter("transmit_errs", "Packets that could not be sent.")
	NodeNetworkTransmitDrop       = netCounter("transmit_drop", "Packets dropped before they were sent.")
	NodeNetworkTransmitFIFO       = netCounter("transmit_fifo", "Packets that underran the device's FIFO while they were sent.")
	NodeNetworkTransmitColls      = netCounter("transmit_colls", "Collisions while sending.")
	NodeNetworkTransmitCarrier    = netCounter("transmit_carrier", "Packets not sent because the carrier was lost, or the sending aborted.")
	NodeNetworkTransmitCompressed = netCounter("transmit_compressed", "Compressed packets sent (SLIP, PPP).")
)

func netCounter(name, help string) *family.Family {
	return nodeCounter("netdev", "node_network_"+name+"_total", "", help, "device")
}

// NodeUnameInfo is the family of collector uname: uname(2).
var NodeUnameInfo = nodeGauge("uname", "node_uname_info", "",
	"The kernel's release and the node's name, as uname(2) has them, always 1.",
	"sysname", "release", "version", "machine", "nodename", "domainname")

// NodeMemory holds the families of collector meminfo, without labels, by what
// follows node_memory_ in their names.
var NodeMemory = nodeMemory()

func nodeMemory() map[string]*family.Family {
	out := make(map[string]*family.Family, len(memoryFields()))
	for _, f := range memoryFields() {
		unit := ""
		if strings.HasSuffix(f[0], "_bytes") {
			unit = "bytes"
		}
		out[f[0]] = nodeGauge("meminfo", "node_memory_"+f[0], unit, f[1])
	}
	return out
}

// memoryFields are the fields of /proc/meminfo in the kernel's order, and what
// they mean (Documentation/filesystems/proc.rst, mm/vmstat).
func memoryFields() [][2]string {
	return [][2]string{
		{"MemTotal_bytes", "Memory that the kernel manages: what is installed, without what firmware and the kernel's image hold."},
		{"MemFree_bytes", "Memory that nothing uses."},
		{"MemAvailable_bytes", "Estimate of the memory that can be had without swapping: free memory, and caches that can go."},
		{"Buffers_bytes", "Cache of block devices read directly, such as file system metadata."},
		{"Cached_bytes", "Page cache of files, with shared memory and tmpfs, without what is in the swap cache."},
		{"SwapCached_bytes", "Memory that is in RAM again and still in swap too."},
		{"Active_bytes", "Memory used lately, reclaimed last."},
		{"Inactive_bytes", "Memory not used lately, reclaimed first."},
		{"Active_anon_bytes", "Anonymous memory and tmpfs used lately."},
		{"Inactive_anon_bytes", "Anonymous memory and tmpfs not used lately."},
		{"Active_file_bytes", "File cache used lately."},
		{"Inactive_file_bytes", "File cache not used lately."},
		{"Unevictable_bytes", "Memory that cannot be reclaimed: locked, ramfs, secret memory."},
		{"Mlocked_bytes", "Memory locked by mlock(2)."},
		{"SwapTotal_bytes", "Swap space."},
		{"SwapFree_bytes", "Unused swap space."},
		{"Zswap_bytes", "Memory that zswap's compressed pages take."},
		{"Zswapped_bytes", "Memory that zswap's pages took before they were compressed."},
		{"Dirty_bytes", "Memory that waits to be written to a device."},
		{"Writeback_bytes", "Memory that is being written to a device."},
		{"AnonPages_bytes", "Anonymous memory mapped by processes."},
		{"Mapped_bytes", "Files mapped by processes, such as libraries."},
		{"Shmem_bytes", "Shared memory and tmpfs."},
		{"Slab_bytes", "The kernel's caches of its objects."},
		{"SReclaimable_bytes", "Slab that can be reclaimed, such as dentries and inodes."},
		{"SUnreclaim_bytes", "Slab that cannot be reclaimed."},
		{"KernelStack_bytes", "Stacks of all threads in the kernel."},
		{"PageTables_bytes", "Page tables of user space."},
		{"NFS_Unstable_bytes", "Pages sent to an NFS server and not yet on its disk; 0 since Linux 5.8."},
		{"Bounce_bytes", "Buffers for devices that cannot reach all memory."},
		{"WritebackTmp_bytes", "Buffers of FUSE for writing back."},
		{"CommitLimit_bytes", "Memory that may be promised to processes when vm.overcommit_memory is 2."},
		{"Committed_AS_bytes", "Memory promised to processes, used or not."},
		{"VmallocTotal_bytes", "Address space for vmalloc."},
		{"VmallocUsed_bytes", "Memory allocated by vmalloc."},
		{"VmallocChunk_bytes", "Largest free block of vmalloc's address space; 0 since Linux 4.4."},
		{"Percpu_bytes", "Memory of the kernel's per-CPU allocator."},
		{"HardwareCorrupted_bytes", "Memory put aside because the hardware reported it broken."},
		{"AnonHugePages_bytes", "Anonymous memory in transparent huge pages."},
		{"ShmemHugePages_bytes", "Shared memory and tmpfs in huge pages."},
		{"ShmemPmdMapped_bytes", "Shared memory mapped by processes in huge pages."},
		{"CmaTotal_bytes", "Memory reserved for contiguous allocations."},
		{"CmaFree_bytes", "Unused memory of what is reserved for contiguous allocations."},
		{"HugePages_Total", "Pages in the pool of huge pages of the default size."},
		{"HugePages_Free", "Huge pages in the pool that are not allocated."},
		{"HugePages_Rsvd", "Huge pages promised to processes and not allocated yet."},
		{"HugePages_Surp", "Huge pages in the pool above vm.nr_hugepages."},
		{"Hugepagesize_bytes", "Default size of a huge page."},
		{"DirectMap4k_bytes", "Memory that the kernel maps in pages of 4 KiB."},
		{"DirectMap2M_bytes", "Memory that the kernel maps in pages of 2 MiB."},
		{"DirectMap1G_bytes", "Memory that the kernel maps in pages of 1 GiB."},
	}
}

func nodeGauge(collector, name, unit, help string, labels ...string) *family.Family {
	return &family.Family{Name: name, Type: family.Gauge, Help: help, Labels: labels, Unit: unit, Compat: family.Node, Collector: collector}
}

func nodeCounter(collector, name, unit, help string, labels ...string) *family.Family {
	return &family.Family{Name: name, Type: family.Counter, Help: help, Labels: labels, Unit: unit, Compat: family.Node, Collector: collector}
}

// nodeTable lists the families of the node in the order of exposition.
func nodeTable() family.Table {
	memory := make(family.Table, 0, len(NodeMemory))
	for _, f := range memoryFields() {
		memory = append(memory, NodeMemory[f[0]])
	}
	return slices.Concat(family.Table{
		NodeCPUSeconds, NodeCPUGuestSeconds, NodeCPUCoreThrottles, NodeCPUPackageThrottles, NodeCPUOnline, NodeCPUIsolated,
		NodeCPUInfo, NodeCPUFlagInfo, NodeCPUBugInfo,
	}, memory, family.Table{
		NodeLoad1, NodeLoad5, NodeLoad15,
		NodeFilesystemDeviceError, NodeFilesystemReadonly, NodeFilesystemSize, NodeFilesystemFree, NodeFilesystemAvail,
		NodeFilesystemFiles, NodeFilesystemFilesFree, NodeFilesystemPurgeable, NodeFilesystemMountInfo,
		NodeDiskInfo, NodeDiskReadsCompleted, NodeDiskReadsMerged, NodeDiskReadBytes, NodeDiskReadTime,
		NodeDiskWritesCompleted, NodeDiskWritesMerged, NodeDiskWrittenBytes, NodeDiskWriteTime,
		NodeDiskIONow, NodeDiskIOTime, NodeDiskIOTimeWeighted,
		NodeDiskDiscardsCompleted, NodeDiskDiscardsMerged, NodeDiskDiscardedSectors, NodeDiskDiscardTime,
		NodeDiskFlushRequests, NodeDiskFlushRequestsTime, NodeDiskFilesystemInfo, NodeDiskDeviceMapperInfo,
		NodeDiskATAWriteCache, NodeDiskATAWriteCacheEnabled, NodeDiskATARotationRate,
		NodeNetworkReceiveBytes, NodeNetworkReceivePackets, NodeNetworkReceiveErrs, NodeNetworkReceiveDrop,
		NodeNetworkReceiveFIFO, NodeNetworkReceiveFrame, NodeNetworkReceiveCompressed, NodeNetworkReceiveMulticast,
		NodeNetworkReceiveNoHandler, NodeNetworkTransmitBytes, NodeNetworkTransmitPackets, NodeNetworkTransmitErrs,
		NodeNetworkTransmitDrop, NodeNetworkTransmitFIFO, NodeNetworkTransmitColls, NodeNetworkTransmitCarrier,
		NodeNetworkTransmitCompressed,
		NodePressureCPUWaiting, NodePressureIOWaiting, NodePressureIOStalled, NodePressureMemoryWaiting,
		NodePressureMemoryStalled, NodePressureIRQStalled,
		NodeInterrupts, NodeContextSwitches, NodeForks, NodeBootTime, NodeProcessesRunning, NodeProcessesBlocked, NodeSoftIRQs,
		NodeUnameInfo,
	})
}
