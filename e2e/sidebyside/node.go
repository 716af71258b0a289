package sidebyside

func nodeDifferences() []Difference {
	return []Difference{
		{Family: "node_scrape_collector_duration_seconds", Kind: Absent, Reason: "`loadline_collector_duration_seconds` is the exporter's own."},
		{Family: "node_scrape_collector_success", Kind: Absent, Reason: "`loadline_collector_success` is the exporter's own."},
		{Family: "node_network_*", Kind: Fewer, Series: "device=veth", Reason: "Devices whose other end is in a container are summed in `loadline_node_virtual_network_*`; `--collector.netdev.virtual=list` lists them."},
		{Family: "node_procs_running", Kind: Value, Elsewhere: true, Reason: "A matter of the moment: what is ready to run while the file is read."},

		{Family: "node_exporter_build_info", Kind: Value, Elsewhere: true, Reason: "The exporter's own version."},
		{Family: "node_filesystem_*", Kind: Fewer, Elsewhere: true, Reason: "Two mounts of one device, mount point and type: the upper one is served once; node_exporter emits both and logs an error at every scrape."},
		{Family: "node_filesystem_readonly", Kind: Value, Elsewhere: true, Reason: "A hung mount keeps its real value; `self/mountinfo` stands in where that of process 1 is forbidden."},
		{Family: "node_filesystem_*, label mountpoint", Kind: Value, Elsewhere: true, Reason: "`--path.rootfs=/host` leaves a mount point `/hostile` as it is."},
		{Family: "node_disk_info", Kind: Value, Elsewhere: true, Reason: "`cciss/c0d0` has its real `rotational`."},
		{Family: "node_network_receive_nohandler_total", Kind: Value, Elsewhere: true, Reason: "Read from sysfs instead of netlink."},
		{Family: "node_arp_entries", Kind: Value, Elsewhere: true, Reason: "The table is read from /proc, whatever `--collector.arp.netlink` says."},
		{Family: "node_os_info, node_selinux_*", Kind: Value, Elsewhere: true, Reason: "`/etc/os-release` and SELinux's configuration are those below `--path.rootfs`, also through absolute links; node_exporter reads its own container's `/etc/selinux/config`."},
		{Family: "node_dmi_info", Kind: Value, Elsewhere: true, Reason: "It has all labels; one that is not known is empty, which is the same to Prometheus."},
		{Family: "node_netstat_*", Kind: More, Elsewhere: true, Reason: "A protocol file that is broken loses itself, not the others' counters."},
		{Family: "node_textfile_*", Kind: Value, Elsewhere: true, Reason: "A text file's family that the exporter itself serves is refused; node_exporter serves both, or neither. Types that differ between files lose the later file's part. A file that has not changed is not parsed again."},
		{Family: "node_ipvs_backend_*", Kind: Value, Elsewhere: true, Reason: "`--collector.ipvs.backend-labels` leaves labels empty instead of out, which is the same to Prometheus."},
		{Family: "node_swap_*, node_ksmd_*, node_slabinfo_*, node_interrupts_total", Kind: More, Elsewhere: true, Reason: "What the kernel lacks is no error; node_exporter's collector fails."},
		{Family: "node_cpu_frequency_hertz", Kind: Fewer, Elsewhere: true, Reason: "`--collector.cpu.info` adds none with the labels package and core: the family is the collector cpufreq's."},
		{Family: "node_bcache_*, node_bcachefs_*, node_drbd_*, node_drm_*, node_ethtool_*, node_lnstat_*, node_logind_*, node_memory_numa_*, node_mountstats_*, node_network_route*, node_ntp_*, node_perf_*, node_qdisc_*, node_sysctl_*, node_tcp_*, node_wifi_*, node_xfrm_*, node_zoneinfo_*", Kind: Absent, Elsewhere: true, Reason: "Collectors that are not offered; most are off in node_exporter too."},
		{Family: "node_nvme_namespace_size_bytes, node_nvme_namespace_capacity_bytes", Kind: Value, Elsewhere: true, Reason: "Sectors of 512 bytes, as sysfs counts them; node_exporter takes them for the namespace's blocks, which is eight times too much where those have 4 KiB."},
		{Family: "node_rapl_*", Kind: Absent, Elsewhere: true, Reason: "Off by default (`--collector.rapl`): only root can read it, and it tells others what a CPU works on. Its `path` is the node's, whatever `--path.sysfs` is."},
		{Family: "node_thermal_zone_temp", Kind: Fewer, Elsewhere: true, Reason: "A zone whose temperature cannot be read is left out; node_exporter serves 0."},
		{Family: "node_infiniband_lifespan_seconds", Kind: Value, Elsewhere: true, Reason: "It keeps its fraction of a second."},
		{Family: "node_fibrechannel_*, node_watchdog_*, node_hwmon_*", Kind: More, Elsewhere: true, Reason: "What cannot be read is left out; node_exporter's collector fails."},
		{Family: "node_power_supply_info", Kind: Value, Elsewhere: true, Reason: "It has all labels; one that is not known is empty, which is the same to Prometheus."},
		{Family: "node_systemd_*", Kind: Value, Elsewhere: true, Reason: "Asked in the background every 15 seconds, not at each scrape."},
	}
}
