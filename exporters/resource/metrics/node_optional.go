package metrics

import "github.com/loadline-exporters/loadline/internal/family"

// The families of collector processes, which reads all of /proc.
var (
	NodeProcessesThreads = nodeGauge("processes", "node_processes_threads", "",
		"Threads of all processes.")
	NodeProcessesMaxThreads = nodeGauge("processes", "node_processes_max_threads", "",
		"Threads that the kernel allows (kernel.threads-max).")
	NodeProcessesThreadsState = nodeGauge("processes", "node_processes_threads_state", "",
		"Threads by state, as proc(5) abbreviates it.", "thread_state")
	NodeProcessesState = nodeGauge("processes", "node_processes_state", "",
		"Processes by state, as proc(5) abbreviates it.", "state")
	NodeProcessesPIDs = nodeGauge("processes", "node_processes_pids", "",
		"Processes.")
	NodeProcessesMaxProcesses = nodeGauge("processes", "node_processes_max_processes", "",
		"Above the highest ID that a thread can have (kernel.pid_max).")
)

// NodeSoftIRQsFunctions is the family of collector softirqs: /proc/softirqs.
var NodeSoftIRQsFunctions = nodeCounter("softirqs", "node_softirqs_functions_total", "",
	"Soft interrupts by CPU and type.", "cpu", "type")

// NodeInterruptsByCPU is the family of collector interrupts: /proc/interrupts.
var NodeInterruptsByCPU = nodeCounter("interrupts", "node_interrupts_total", "",
	"Interrupts by CPU and number or abbreviation.", "cpu", "type", "info", "devices")

// The families of collector swap: /proc/swaps.
var (
	NodeSwapSize     = nodeGauge("swap", "node_swap_size_bytes", "bytes", "Size of a swap area.", "device", "swap_type")
	NodeSwapUsed     = nodeGauge("swap", "node_swap_used_bytes", "bytes", "Use of a swap area.", "device", "swap_type")
	NodeSwapPriority = nodeGauge("swap", "node_swap_priority", "", "Priority of a swap area: the highest is used first.", "device", "swap_type")
)

// NodeBuddyinfoBlocks is the family of collector buddyinfo: /proc/buddyinfo.
var NodeBuddyinfoBlocks = nodeGauge("buddyinfo", "node_buddyinfo_blocks", "",
	"Free blocks of 2^size pages.", "node", "zone", "size")

// The families of collector ksmd: /sys/kernel/mm/ksm
// (Documentation/admin-guide/mm/ksm.rst).
var (
	NodeKSMFullScans        = nodeCounter("ksmd", "node_ksmd_full_scans_total", "", "Times that all memory was scanned for equal pages.")
	NodeKSMMergeAcrossNodes = nodeGauge("ksmd", "node_ksmd_merge_across_nodes", "", "Whether pages of different NUMA nodes are merged.")
	NodeKSMPagesShared      = nodeGauge("ksmd", "node_ksmd_pages_shared", "", "Merged pages.")
	NodeKSMPagesSharing     = nodeGauge("ksmd", "node_ksmd_pages_sharing", "", "Pages that merging saves.")
	NodeKSMPagesToScan      = nodeGauge("ksmd", "node_ksmd_pages_to_scan", "", "Pages that are scanned before each pause.")
	NodeKSMPagesUnshared    = nodeGauge("ksmd", "node_ksmd_pages_unshared", "", "Pages that are scanned and have no equal.")
	NodeKSMPagesVolatile    = nodeGauge("ksmd", "node_ksmd_pages_volatile", "", "Pages that change too fast to be merged.")
	NodeKSMRun              = nodeGauge("ksmd", "node_ksmd_run", "", "Whether pages are merged: 0 no, 1 yes, 2 no and merged ones are split.")
	NodeKSMSleep            = nodeGauge("ksmd", "node_ksmd_sleep_seconds", "seconds", "Length of the pauses between scans.")
)

// The families of collector cgroups: /proc/cgroups.
var (
	NodeCgroups        = nodeGauge("cgroups", "node_cgroups_cgroups", "", "Control groups of a controller.", "subsys_name")
	NodeCgroupsEnabled = nodeGauge("cgroups", "node_cgroups_enabled", "", "Whether a controller is enabled.", "subsys_name")
)

// NodeCPUVulnerabilities is the family of collector cpu_vulnerabilities:
// /sys/devices/system/cpu/vulnerabilities.
var NodeCPUVulnerabilities = nodeGauge("cpu_vulnerabilities", "node_cpu_vulnerabilities_info", "",
	"Known vulnerabilities of the CPU and what the kernel does about them, always 1; state is not affected, vulnerable, mitigation or unknown.",
	"codename", "state", "mitigation")

// The families of collector slabinfo: /proc/slabinfo, which is for root only.
var (
	NodeSlabActiveObjects  = nodeGauge("slabinfo", "node_slabinfo_active_objects", "", "Objects of a slab cache that are in use.", "slab")
	NodeSlabObjects        = nodeGauge("slabinfo", "node_slabinfo_objects", "", "Objects of a slab cache.", "slab")
	NodeSlabObjectSize     = nodeGauge("slabinfo", "node_slabinfo_object_size_bytes", "bytes", "Size of a slab cache's objects.", "slab")
	NodeSlabObjectsPerSlab = nodeGauge("slabinfo", "node_slabinfo_objects_per_slab", "", "Objects in each slab.", "slab")
	NodeSlabPagesPerSlab   = nodeGauge("slabinfo", "node_slabinfo_pages_per_slab", "", "Pages of each slab.", "slab")
)

func optionalTable() family.Table {
	return family.Table{
		NodeProcessesThreads, NodeProcessesMaxThreads, NodeProcessesThreadsState, NodeProcessesState,
		NodeProcessesPIDs, NodeProcessesMaxProcesses,
		NodeSoftIRQsFunctions,
		NodeInterruptsByCPU,
		NodeSwapSize, NodeSwapUsed, NodeSwapPriority,
		NodeBuddyinfoBlocks,
		NodeKSMFullScans, NodeKSMMergeAcrossNodes, NodeKSMPagesShared, NodeKSMPagesSharing, NodeKSMPagesToScan,
		NodeKSMPagesUnshared, NodeKSMPagesVolatile, NodeKSMRun, NodeKSMSleep,
		NodeCgroups, NodeCgroupsEnabled,
		NodeCPUVulnerabilities,
		NodeSlabActiveObjects, NodeSlabObjects, NodeSlabObjectSize, NodeSlabObjectsPerSlab, NodeSlabPagesPerSlab,
	}
}
