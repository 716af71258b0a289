package sidebyside

// notOnV1 is why cAdvisor has no pressure on this machine.
const notOnV1 = "On cgroup version 1 cAdvisor serves 0; the pressure files are read where the kernel has them, in the version 2 tree beside it."

// notKnown is why some families are absent on this machine.
const notKnown = "Served where the kernel counts it, on cgroup version 2; on version 1 cAdvisor serves 0."

// perContainer is why groups around containers lack some families.
const perContainer = "Counted for containers, which have processes; a pod's are their sum."

// tasks is why what threads do is absent.
const tasks = "Served with `--collector.container-tasks`; cAdvisor serves 0 unless its load reader is on, which it is not by default."

// noOther are machines that few have.
const noOther = "Says nothing on a machine without that hardware, which is every one but mainframes and those with Optane memory."

func containerDifferences() []Difference {
	return []Difference{
		{Family: "container_oom_events_total", Kind: Value, Reason: "Counted from the control group; cAdvisor's library alone counts none, its program and the kubelet those of the kernel's log."},
		{Family: "container_pressure_cpu_stalled_seconds_total", Kind: Value, OnV1: true, Reason: notOnV1},
		{Family: "container_pressure_cpu_waiting_seconds_total", Kind: Value, OnV1: true, Reason: notOnV1},
		{Family: "container_pressure_memory_stalled_seconds_total", Kind: Value, Elsewhere: true, OnV1: true, Reason: notOnV1},
		{Family: "container_pressure_memory_waiting_seconds_total", Kind: Value, Elsewhere: true, OnV1: true, Reason: notOnV1},
		{Family: "container_pressure_io_waiting_seconds_total", Kind: Value, Elsewhere: true, OnV1: true, Reason: notOnV1},
		{Family: "container_pressure_io_stalled_seconds_total", Kind: Value, Elsewhere: true, OnV1: true, Reason: notOnV1},
		{Family: "container_start_time_seconds", Kind: Value, Reason: "When the first process started, to the hundredth of a second; cAdvisor has the runtime's time of creation in whole seconds."},
		{Family: "container_network_*", Kind: Fewer, Elsewhere: true, Reason: "A pod on the node's network has none: its numbers would be the node's, which `node_network_*` has; cAdvisor repeats them for each such pod."},
		{Family: "container_network_*", Kind: Fewer, Elsewhere: true, Reason: "Devices that the kernel makes in every namespace once a module of tunnels is loaded (`tunl0`, `sit0` …) are left out while they carry nothing."},
		{Family: "container_network_*", Kind: More, Elsewhere: true, Reason: "Of devices whose name begins with `lo`, only the loopback device is left out."},

		{Family: "container_*", Kind: Fewer, Series: "kind=sandbox", Reason: "A pod's sandbox runs nothing of the user's: it has what adds up (processor time, memory in use, OOM events, threads), its network, and no limits."},
		{Family: "container_fs_*", Kind: More, Series: "kind=container", Reason: "What a container keeps on disk is counted for containerd too, where cAdvisor has none."},
		{Family: "container_start_time_seconds", Kind: Fewer, Series: "kind=(pod|root)", Reason: "A group that is no container starts nothing."},
		{Family: "container_processes", Kind: Fewer, Series: "kind=(pod|root)", Reason: perContainer},
		{Family: "container_file_descriptors", Kind: Fewer, Series: "kind=(pod|root)", Reason: perContainer},
		{Family: "container_sockets", Kind: Fewer, Series: "kind=(pod|root)", Reason: perContainer},
		{Family: "container_ulimits_soft", Kind: Fewer, Series: "kind=root", Reason: "The limits of the machine's first process limit nothing else."},
		{Family: "container_network_*", Kind: Fewer, Series: "kind=root", Reason: "The machine's own devices are in `node_network_*`."},
		{Family: "container_threads*", Kind: Fewer, Series: "kind=root", Reason: "The kernel counts no tasks of the root; `node_procs_running` and `node_forks_total` are the machine's."},
		{Family: "container_spec_memory_limit_bytes", Kind: Value, Series: "kind=root", Reason: "The root has no limit; `machine_memory_bytes` is what the machine has."},
		{Family: "container_memory_failures_total", Kind: Value, Series: "kind=(pod|root),scope=hierarchy", OnV1: true, Reason: "With the groups below, as the scope says; cAdvisor repeats the group's own on version 1."},
		{Family: "container_memory_file_*", Kind: Value, Series: "kind=(pod|root)", Elsewhere: true, OnV1: true, Reason: "With the groups below, as all memory of a group; cAdvisor has the group's own on version 1."},

		{Family: "container_memory_events_high_total", Kind: Absent, OnV1: true, Reason: notKnown},
		{Family: "container_memory_events_max_total", Kind: Absent, OnV1: true, Reason: notKnown},
		{Family: "container_memory_pgscan_total", Kind: Absent, OnV1: true, Reason: notKnown},
		{Family: "container_memory_pgsteal_total", Kind: Absent, OnV1: true, Reason: notKnown},
		{Family: "container_memory_workingset_refault_*", Kind: Absent, OnV1: true, Reason: notKnown},
		{Family: "container_health_state", Kind: Absent, Reason: "Served for containers that have a health check; cAdvisor has -1 for all others."},

		{Family: "container_tasks_state", Kind: Absent, Reason: tasks},
		{Family: "container_cpu_load_average_10s", Kind: Absent, Reason: tasks},
		{Family: "container_cpu_load_d_average_10s", Kind: Absent, Reason: tasks},
		{Family: "container_creation_time_seconds", Kind: Absent, Reason: "`container_start_time_seconds` says when the container's process started."},
		{Family: "cadvisor_version_info", Kind: Absent, Reason: "Of cAdvisor itself."},
		{Family: "container_scrape_error", Kind: Absent, Reason: "`loadline_collector_success` says so for each collector."},
		{Family: "machine_scrape_error", Kind: Absent, Reason: "`loadline_collector_success` says so for each collector."},
		{Family: "machine_cpu_books", Kind: Absent, Reason: noOther},
		{Family: "machine_cpu_drawers", Kind: Absent, Reason: noOther},
		{Family: "machine_nvm_capacity", Kind: Absent, Reason: noOther},
		{Family: "machine_nvm_avg_power_budget_watts", Kind: Absent, Reason: noOther},
		{Family: "container_label_*, container_env_*", Kind: Fewer, Elsewhere: true, Reason: "Labels and variables of images and pods are no labels of every series: cAdvisor puts the union of everybody's on all of them."},
		{Family: "container_cpu_usage_seconds_total", Kind: Fewer, Elsewhere: true, Reason: "One series of all processors (`cpu=\"total\"`), as the kubelet has it; cAdvisor's program has one a processor."},
	}
}
