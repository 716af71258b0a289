package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// ContainerLabels begin every family of containers.
//
// id is the cgroup's path and name the runtime's name for the container, as
// cAdvisor has them; the others are the hierarchy's.
var ContainerLabels = []string{"id", "name", "image", "namespace", "pod", "container", "workload", "workload_type"}

// PlaceLabels begin the families that describe containers by their place alone.
var PlaceLabels = []string{"namespace", "pod", "container", "workload", "workload_type"}

// Collectors of containers.
const (
	collectorContainer = "container"
	collectorMachine   = "machine"
	collectorWorkload  = "workload"
)

func container(name string, t family.Type, unit, help string, labels ...string) *family.Family {
	return &family.Family{
		Name: name, Type: t, Unit: unit, Help: help, Labels: slices.Concat(ContainerLabels, labels),
		Compat: family.Container, Collector: collectorContainer,
	}
}

func loadlineContainer(name, unit, help string, labels ...string) *family.Family {
	return &family.Family{
		Name: name, Type: family.Gauge, Unit: unit, Help: help, Labels: slices.Concat(PlaceLabels, labels),
		Collector: collectorContainer,
	}
}

func machine(name, unit, help string) *family.Family {
	return &family.Family{
		Name: name, Type: family.Gauge, Unit: unit, Help: help, Labels: []string{"machine_id", "boot_id", "system_uuid"},
		Compat: family.Container, Collector: collectorMachine,
	}
}

// Processor time of containers.
var (
	ContainerCPUUsage = container("container_cpu_usage_seconds_total", family.Counter, "seconds",
		"Processor time that the container used, of all processors together (cpu is total), or by processor (--container.per-cpu, cgroup v1).", "cpu")
	ContainerCPUUser = container("container_cpu_user_seconds_total", family.Counter, "seconds",
		"Processor time that the container used in user mode.")
	ContainerCPUSystem = container("container_cpu_system_seconds_total", family.Counter, "seconds",
		"Processor time that the container used in the kernel.")
	ContainerCPUPeriods = container("container_cpu_cfs_periods_total", family.Counter, "",
		"Enforcement intervals of the processor quota that have passed while the container could run.")
	ContainerCPUThrottledPeriods = container("container_cpu_cfs_throttled_periods_total", family.Counter, "",
		"Enforcement intervals in which the container was throttled.")
	ContainerCPUThrottled = container("container_cpu_cfs_throttled_seconds_total", family.Counter, "seconds",
		"Time that the container was throttled, summed over its run queues.")
	ContainerCPUBurstPeriods = container("container_cpu_cfs_burst_periods_total", family.Counter, "",
		"Enforcement intervals in which the container used more than its quota out of what it had saved.")
	ContainerCPUBurst = container("container_cpu_cfs_burst_seconds_total", family.Counter, "seconds",
		"Processor time beyond the quota that the container used out of what it had saved.")
)

// Memory of containers.
var (
	ContainerMemoryUsage = container("container_memory_usage_bytes", family.Gauge, "bytes",
		"Memory charged to the container, page cache included.")
	ContainerMemoryWorkingSet = container("container_memory_working_set_bytes", family.Gauge, "bytes",
		"Memory charged to the container without inactive file pages: what the kernel can't drop at once. Eviction and OOM look at it.")
	ContainerMemoryRSS = container("container_memory_rss", family.Gauge, "bytes",
		"Anonymous memory of the container, in bytes.")
	ContainerMemoryCache = container("container_memory_cache", family.Gauge, "bytes",
		"Page cache of the container, in bytes.")
	ContainerMemoryMapped = container("container_memory_mapped_file", family.Gauge, "bytes",
		"Mapped files of the container, in bytes.")
	ContainerMemorySwap = container("container_memory_swap", family.Gauge, "bytes",
		"Swap that the container uses, in bytes.")
	ContainerMemoryMaxUsage = container("container_memory_max_usage_bytes", family.Gauge, "bytes",
		"Highest memory usage since the container started (cgroup v2: since kernel 5.19).")
	ContainerMemoryFailures = container("container_memory_failcnt", family.Counter, "",
		"Times that the container hit its memory limit.")
	ContainerMemoryKernel = container("container_memory_kernel_usage", family.Gauge, "",
		"Memory that the kernel holds for the container, in bytes (cgroup v2: since kernel 5.18).")
	ContainerMemoryActiveFile = container("container_memory_total_active_file_bytes", family.Gauge, "bytes",
		"Page cache of the container that was used lately.")
	ContainerMemoryInactiveFile = container("container_memory_total_inactive_file_bytes", family.Gauge, "bytes",
		"Page cache of the container that was not used lately, which the kernel can drop at once.")
	ContainerMemoryDirty = container("container_memory_file_dirty_bytes", family.Gauge, "bytes",
		"Page cache of the container that is not on disk yet.")
	ContainerMemoryWriteback = container("container_memory_file_writeback_bytes", family.Gauge, "bytes",
		"Page cache of the container that is being written to disk.")
	ContainerMemoryFaults = container("container_memory_failures_total", family.Counter, "",
		"Pages that the container faulted in: all (pgfault), and those read from disk (pgmajfault); by the group's own processes (container) and with the groups below it (hierarchy).",
		"failure_type", "scope")
	ContainerMemoryEventsHigh = container("container_memory_events_high_total", family.Counter, "",
		"Times that the container was throttled because it was above memory.high (cgroup v2).")
	ContainerMemoryEventsMax = container("container_memory_events_max_total", family.Counter, "",
		"Times that the container was about to pass its memory limit (cgroup v2).")
	ContainerMemoryScanned = container("container_memory_pgscan_total", family.Counter, "",
		"Pages of the container that reclaim looked at (cgroup v2).")
	ContainerMemoryStolen = container("container_memory_pgsteal_total", family.Counter, "",
		"Pages of the container that reclaim took (cgroup v2).")
	ContainerMemoryRefaultsFile = container("container_memory_workingset_refault_file_total", family.Counter, "",
		"Pages of files that the container needed again soon after they were reclaimed (cgroup v2).")
	ContainerMemoryRefaultsAnon = container("container_memory_workingset_refault_anon_total", family.Counter, "",
		"Anonymous pages that the container needed again soon after they were swapped out (cgroup v2).")
	ContainerOOMEvents = container("container_oom_events_total", family.Counter, "",
		"Processes of the container that the OOM killer ended, as its control group counts them.")
)

// Block I/O of containers, by device.
var (
	ContainerReads = container("container_fs_reads_total", family.Counter, "",
		"Reads that the container had completed, by block device.", "device")
	ContainerWrites = container("container_fs_writes_total", family.Counter, "",
		"Writes that the container had completed, by block device.", "device")
	ContainerReadBytes = container("container_fs_reads_bytes_total", family.Counter, "bytes",
		"Bytes that the container read, by block device.", "device")
	ContainerWrittenBytes = container("container_fs_writes_bytes_total", family.Counter, "bytes",
		"Bytes that the container wrote, by block device.", "device")
	ContainerBlockIO = container("container_blkio_device_usage_total", family.Counter, "",
		"Bytes of the container's block I/O, by device and operation; Sync, Async and Total count reads and writes again (cgroup v1).",
		"device", "major", "minor", "operation")
)

func process(collector, name, help string, labels ...string) *family.Family {
	f := container(name, family.Gauge, "", help, labels...)
	f.Collector = collector
	return f
}

// Processes of containers, as they were within the last half minute.
var (
	ContainerProcesses       = process("container-processes", "container_processes", "Processes of the container.")
	ContainerFileDescriptors = process("container-processes", "container_file_descriptors",
		"Open descriptors of the container's processes; missing where they may not be read.")
	ContainerSockets = process("container-processes", "container_sockets",
		"Open sockets of the container's processes; missing where they may not be read, or are too many to count at a time.")
	ContainerUlimits = process("container-processes", "container_ulimits_soft",
		"Soft limit of the container's first process; -1 is no limit. Only max_open_files.", "ulimit")
)

// What the threads of containers do (--collector.container-tasks), as it was within the last
// five seconds.
var (
	ContainerTasks = process("container-tasks", "container_tasks_state", "Threads of the container by state: sleeping, running, stopped, uninterruptible.", "state")
	ContainerLoad  = process("container-tasks", "container_cpu_load_average_10s",
		"Threads of the container that run or are ready to, in thousandths, averaged over ten seconds with exponential decay.")
	ContainerLoadD = process("container-tasks", "container_cpu_load_d_average_10s",
		"Threads of the container that wait uninterruptibly, in thousandths, averaged over ten seconds with exponential decay.")
)

// Tasks and pressure of containers.
var (
	ContainerThreads = container("container_threads", family.Gauge, "",
		"Threads that run in the container.")
	ContainerThreadsMax = container("container_threads_max", family.Gauge, "",
		"Threads that the container may have at the most; 0 is no limit.")

	ContainerPressureCPUWaiting = container("container_pressure_cpu_waiting_seconds_total", family.Counter, "seconds",
		"Time in which at least one task of the container waited for a processor.")
	ContainerPressureCPUStalled = container("container_pressure_cpu_stalled_seconds_total", family.Counter, "seconds",
		"Time in which all tasks of the container waited for a processor at once.")
	ContainerPressureMemoryWaiting = container("container_pressure_memory_waiting_seconds_total", family.Counter, "seconds",
		"Time in which at least one task of the container waited for memory.")
	ContainerPressureMemoryStalled = container("container_pressure_memory_stalled_seconds_total", family.Counter, "seconds",
		"Time in which all tasks of the container waited for memory at once.")
	ContainerPressureIOWaiting = container("container_pressure_io_waiting_seconds_total", family.Counter, "seconds",
		"Time in which at least one task of the container waited for block I/O.")
	ContainerPressureIOStalled = container("container_pressure_io_stalled_seconds_total", family.Counter, "seconds",
		"Time in which all tasks of the container waited for block I/O at once.")
)

// What containers were given.
var (
	ContainerStart = container("container_start_time_seconds", family.Gauge, "seconds",
		"When the container's first process started, in seconds since 1970.")
	ContainerSpecCPUPeriod = container("container_spec_cpu_period", family.Gauge, "",
		"Enforcement interval of the processor quota, in microseconds.")
	ContainerSpecCPUQuota = container("container_spec_cpu_quota", family.Gauge, "",
		"Processor time that the container may use in an interval, in microseconds; missing where there is no limit.")
	ContainerSpecCPUShares = container("container_spec_cpu_shares", family.Gauge, "",
		"The container's weight when processors are short; cgroup v2's weight is turned into shares.")
	ContainerSpecMemoryLimit = container("container_spec_memory_limit_bytes", family.Gauge, "bytes",
		"Memory that the container may use at the most; 0 is no limit.")
	ContainerSpecSwapLimit = container("container_spec_memory_swap_limit_bytes", family.Gauge, "bytes",
		"Swap that the container may use at the most, on cgroup v1 with its memory; 0 is no limit.")
	ContainerLastSeen = container("container_last_seen", family.Gauge, "seconds",
		"When the container was last read, in seconds since 1970: the time of the scrape.")
	ContainerHealth = container("container_health_state", family.Gauge, "",
		"What the container's own health check says (Docker): 1 is healthy; missing without a check.")
	ContainerSpecMemoryReservation = container("container_spec_memory_reservation_limit_bytes", family.Gauge, "bytes",
		"Memory that is kept for the container when memory is short; 0 is none.")
)

// Loadline's own families of containers.
var (
	ContainerInfo = loadlineContainer("loadline_container_info", "",
		"What a container is: its id and cgroup, its image's reference and digest, its node, what runs it, what orchestrates it and which kind of container of a pod it is (app, init, sidecar, ephemeral, sandbox); always 1.",
		"container_id", "id", "image", "image_digest", "node", "runtime", "orchestrator", "kind")
	ContainerRequests = loadlineContainer("loadline_container_resource_requests", "",
		"What the container asks for (cpu in cores, memory and ephemeral_storage in bytes): by the pod's specification, else by the control group's reservation.",
		"id", "resource", "unit")
	ContainerLimits = loadlineContainer("loadline_container_resource_limits", "",
		"What the container is limited to (cpu in cores, memory and ephemeral_storage in bytes): by the pod's specification, else by the control group.",
		"id", "resource", "unit")
)

// The machine, as cAdvisor has it.
var (
	MachineCPUCores         = machine("machine_cpu_cores", "", "Logical processors of the machine.")
	MachineCPUPhysicalCores = machine("machine_cpu_physical_cores", "", "Physical cores of the machine.")
	MachineCPUSockets       = machine("machine_cpu_sockets", "", "Processor sockets of the machine.")
	MachineMemory           = machine("machine_memory_bytes", "bytes", "Memory of the machine.")
	MachineSwap             = machine("machine_swap_bytes", "bytes", "Swap of the machine.")
)

// accountLabels begin what is counted by workload. container is empty where nothing
// tells containers apart.
func accountLabels(labels ...string) []string {
	return append([]string{"namespace", "workload", "workload_type", "container"}, labels...)
}

func account(name, unit, help string, labels ...string) *family.Family {
	return &family.Family{
		Name: name, Type: family.Counter, Unit: unit, Help: help, Labels: accountLabels(labels...), Collector: collectorWorkload,
	}
}

// What is counted by workload, and outlives its containers by an hour. It begins at
// 0 with the exporter, and is served at 0 once before it counts.
var (
	WorkloadCPU = account("loadline_workload_cpu_seconds_total", "seconds",
		"Processor time that the workload's containers used, those included that lived between two scrapes.")
	WorkloadStarts = account("loadline_workload_container_starts_total", "",
		"Containers of the workload that were started.")
	WorkloadOOMKills = account("loadline_workload_oom_kills_total", "",
		"Processes of the workload that the OOM killer ended: by whose memory was short (scope: container, pod, node) and whether it was the container's first process, with which it ends (victim: init, child).",
		"scope", "victim")
)

// workloadTable lists the families of what is counted by workload.
func workloadTable() family.Table {
	return family.Table{WorkloadCPU, WorkloadStarts, WorkloadOOMKills}
}

func containerTable() family.Table {
	return family.Table{
		ContainerCPUUsage, ContainerCPUUser, ContainerCPUSystem,
		ContainerCPUPeriods, ContainerCPUThrottledPeriods, ContainerCPUThrottled, ContainerCPUBurstPeriods, ContainerCPUBurst,
		ContainerMemoryUsage, ContainerMemoryWorkingSet, ContainerMemoryRSS, ContainerMemoryCache,
		ContainerMemoryMapped, ContainerMemorySwap, ContainerMemoryMaxUsage, ContainerMemoryFailures,
		ContainerMemoryKernel, ContainerMemoryActiveFile, ContainerMemoryInactiveFile, ContainerMemoryDirty, ContainerMemoryWriteback,
		ContainerMemoryFaults, ContainerMemoryEventsHigh, ContainerMemoryEventsMax,
		ContainerMemoryScanned, ContainerMemoryStolen, ContainerMemoryRefaultsFile, ContainerMemoryRefaultsAnon,
		ContainerOOMEvents,
		ContainerReads, ContainerWrites, ContainerReadBytes, ContainerWrittenBytes, ContainerBlockIO,
		ContainerThreads, ContainerThreadsMax,
		ContainerPressureCPUWaiting, ContainerPressureCPUStalled, ContainerPressureMemoryWaiting,
		ContainerPressureMemoryStalled, ContainerPressureIOWaiting, ContainerPressureIOStalled,
		ContainerStart, ContainerLastSeen, ContainerHealth,
		ContainerSpecCPUPeriod, ContainerSpecCPUQuota, ContainerSpecCPUShares,
		ContainerSpecMemoryLimit, ContainerSpecSwapLimit, ContainerSpecMemoryReservation,
		ContainerInfo, ContainerRequests, ContainerLimits,
		ContainerProcesses, ContainerFileDescriptors, ContainerSockets, ContainerUlimits,
		ContainerTasks, ContainerLoad, ContainerLoadD,
		MachineCPUCores, MachineCPUPhysicalCores, MachineCPUSockets, MachineMemory, MachineSwap,
	}
}
