package sidebyside

// notOnV1 is why cAdvisor has no pressure on this machine.
const notOnV1 = "On version 1 cAdvisor serves 0; the pressure files are read where the kernel has them, in the version 2 tree beside it."

// noOther are machines that few have.
const noOther = "Says nothing on a machine without that hardware, which is every one but mainframes and those with Optane memory."

func containerDifferences() []Difference {
	return []Difference{
		{Family: "container_oom_events_total", Kind: Value, Reason: "Counted from the control group; cAdvisor's library alone counts none, its program and the kubelet those of the kernel's log."},
		{Family: "container_pressure_cpu_stalled_seconds_total", Kind: Value, Reason: notOnV1},
		{Family: "container_pressure_cpu_waiting_seconds_total", Kind: Value, Reason: notOnV1},
		{Family: "container_pressure_memory_stalled_seconds_total", Kind: Value, Elsewhere: true, Reason: notOnV1},
		{Family: "container_pressure_memory_waiting_seconds_total", Kind: Value, Elsewhere: true, Reason: notOnV1},
		{Family: "container_pressure_io_waiting_seconds_total", Kind: Value, Elsewhere: true, Reason: notOnV1},
		{Family: "container_pressure_io_stalled_seconds_total", Kind: Value, Elsewhere: true, Reason: notOnV1},
		{Family: "container_start_time_seconds", Kind: Value, Reason: "When the first process started, to the hundredth of a second; cAdvisor has the runtime's time of creation in whole seconds."},
		{Family: "container_network_*", Kind: Fewer, Elsewhere: true, Reason: "A pod on the node's network has none: its numbers would be the node's, which `node_network_*` has; cAdvisor repeats them for each such pod."},
		{Family: "container_network_*", Kind: Fewer, Elsewhere: true, Reason: "Devices that the kernel makes in every namespace once a module of tunnels is loaded (`tunl0`, `sit0` …) are left out while they carry nothing."},
		{Family: "container_network_*", Kind: More, Elsewhere: true, Reason: "Of devices whose name begins with `lo`, only the loopback device is left out."},
		{Family: "label id", Kind: Fewer, Series: "^id=/$", Reason: "The root group is the machine, which `node_*` describes."},

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
