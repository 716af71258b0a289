package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// The families of collector bonding: /sys/class/net/<bond>/bonding
// (Documentation/networking/bonding.rst).
var (
	NodeBondingSlaves = nodeGauge("bonding", "node_bonding_slaves", "", "Network devices that a bond is made of.", "master")
	NodeBondingActive = nodeGauge("bonding", "node_bonding_active", "", "Network devices of a bond whose link is up.", "master")
)

// NodeCPUFrequency are the families of collector cpufreq with one number of a CPU:
// /sys/devices/system/cpu/cpu*/cpufreq (Documentation/admin-guide/pm/cpufreq.rst).
var NodeCPUFrequency = group("cpufreq", "node_cpu_", []string{"cpu"}, [][2]string{
	{"frequency_hertz", "Frequency that the hardware says a CPU runs at."},
	{"frequency_avg_hertz", "Average frequency of a CPU since it was last read."},
	{"frequency_min_hertz", "Lowest frequency that a CPU can run at."},
	{"frequency_max_hertz", "Highest frequency that a CPU can run at."},
	{"scaling_frequency_hertz", "Frequency that the kernel last set for a CPU."},
	{"scaling_frequency_min_hertz", "Lowest frequency that the policy of a CPU lets the kernel set."},
	{"scaling_frequency_max_hertz", "Highest frequency that the policy of a CPU lets the kernel set."},
})

// NodeCPUScalingGovernor belongs to collector cpufreq.
var NodeCPUScalingGovernor = nodeGauge("cpufreq", "node_cpu_scaling_governor", "",
	"Which of the governors that a CPU can have sets its frequency: 1 for that one, 0 for the others.", "cpu", "governor")

// The families of collector thermal_zone: /sys/class/thermal
// (Documentation/driver-api/thermal/sysfs-api.rst).
var (
	NodeThermalZoneTemp = nodeGauge("thermal_zone", "node_thermal_zone_temp", "",
		"Temperature of a thermal zone in degrees Celsius.", "zone", "type")
	NodeCoolingDeviceCurState = nodeGauge("thermal_zone", "node_cooling_device_cur_state", "",
		"How much a cooling device cools now, from 0 for not at all.", "name", "type")
	NodeCoolingDeviceMaxState = nodeGauge("thermal_zone", "node_cooling_device_max_state", "",
		"How much a cooling device can cool at the most.", "name", "type")
)

// The families of collector edac: /sys/devices/system/edac/mc
// (Documentation/admin-guide/ras.rst). A csrow is a row of memory modules that is
// accessed as one; what the hardware could not attribute has csrow unknown.
var (
	NodeEDACCorrectable = nodeCounter("edac", "node_edac_correctable_errors_total", "",
		"Memory errors that a memory controller corrected.", "controller")
	NodeEDACUncorrectable = nodeCounter("edac", "node_edac_uncorrectable_errors_total", "",
		"Memory errors that a memory controller could not correct.", "controller")
	NodeEDACRowCorrectable = nodeCounter("edac", "node_edac_csrow_correctable_errors_total", "",
		"Memory errors in a csrow that were corrected.", "controller", "csrow")
	NodeEDACRowUncorrectable = nodeCounter("edac", "node_edac_csrow_uncorrectable_errors_total", "",
		"Memory errors in a csrow that could not be corrected.", "controller", "csrow")
	NodeEDACChannelCorrectable = nodeCounter("edac", "node_edac_channel_correctable_errors_total", "",
		"Memory errors in a channel of a csrow that were corrected.", "controller", "csrow", "channel", "dimm_label")
	NodeEDACChannelUncorrectable = nodeCounter("edac", "node_edac_channel_uncorrectable_errors_total", "",
		"Memory errors in a channel of a csrow that could not be corrected.", "controller", "csrow", "channel", "dimm_label")
)

// NodeWatchdog are the families of collector watchdog with one number of a watchdog:
// /sys/class/watchdog (Documentation/ABI/testing/sysfs-class-watchdog).
var NodeWatchdog = group("watchdog", "node_watchdog_", []string{"name"}, [][2]string{
	{"bootstatus", "Why the machine was last booted, as a watchdog's driver knows it; 0 for another reason."},
	{"fw_version", "Version of a watchdog's firmware."},
	{"nowayout", "Whether a watchdog cannot be stopped once it runs."},
	{"timeleft_seconds", "Time until a watchdog resets the machine."},
	{"timeout_seconds", "Time after which a watchdog that nobody feeds resets the machine."},
	{"pretimeout_seconds", "How long before the reset a watchdog gives warning."},
	{"access_cs0", "Whether the machine was booted from the first flash chip (Aspeed)."},
})

// NodeWatchdogInfo belongs to collector watchdog.
var NodeWatchdogInfo = nodeGauge("watchdog", "node_watchdog_info", "",
	"What a watchdog is and can do, and its state, always 1.",
	"name", "options", "identity", "state", "status", "pretimeout_governor")

// NodeRAPL are the families of collector rapl by zone: /sys/class/powercap
// (Documentation/power/powercap/powercap.rst). Zones of other names are served too.
var NodeRAPL = group("rapl", "node_rapl_", []string{"index", "path"}, [][2]string{
	{"package_joules_total", "Energy that a CPU package took, until the counter starts again at the zone's largest value."},
	{"core_joules_total", "Energy that the cores of a package took."},
	{"uncore_joules_total", "Energy that a package took besides its cores, such as its graphics."},
	{"dram_joules_total", "Energy that the memory of a package took."},
	{"psys_joules_total", "Energy that the whole platform took."},
})

// NodeRAPLJoules is served instead of NodeRAPL with --collector.rapl.enable-zone-label.
var NodeRAPLJoules = nodeCounter("rapl", "node_rapl_joules_total", "",
	"Energy that a zone took, until the counter starts again at the zone's largest value.", "index", "path", "rapl_zone")

// hardwareTable lists the families of hardware, file systems and services: the collectors cpufreq to systemd.
func hardwareTable() family.Table {
	return slices.Concat(
		netDevicesTable(),
		family.Table{NodeBondingSlaves, NodeBondingActive},
		NodeCPUFrequency.Table, family.Table{
			NodeCPUScalingGovernor,
			NodeThermalZoneTemp, NodeCoolingDeviceCurState, NodeCoolingDeviceMaxState,
		},
		hwmonTable(), powerSupplyTable(),
		family.Table{
			NodeEDACCorrectable, NodeEDACUncorrectable, NodeEDACRowCorrectable, NodeEDACRowUncorrectable,
			NodeEDACChannelCorrectable, NodeEDACChannelUncorrectable,
		},
		NodeWatchdog.Table, family.Table{NodeWatchdogInfo},
		NodeRAPL.Table, family.Table{NodeRAPLJoules},
		disksTable(), fabricsTable(), filesystemsTable(), systemdTable(),
	)
}

// hardwareOptional are the collectors of them that are off by default: as in
// node_exporter, and rapl, whose files only root can read and which tell other
// tenants of the machine what a CPU works on (CVE-2020-8694).
func hardwareOptional() []string { return []string{"rapl", "nvmesubsystem", "systemd"} }
