package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// The families of collector nvme: /sys/class/nvme.
var (
	NodeNVMeInfo = nodeGauge("nvme", "node_nvme_info", "", "What an NVMe controller is, and its state, always 1.",
		"device", "firmware_revision", "model", "serial", "state", "cntlid")
	NodeNVMeNamespaceInfo = nodeGauge("nvme", "node_nvme_namespace_info", "",
		"State of the path to an NVMe namespace (asymmetric namespace access), always 1.", "device", "nsid", "ana_state")
	NodeNVMeNamespaceCapacity = nodeGauge("nvme", "node_nvme_namespace_capacity_bytes", "bytes",
		"Size of an NVMe namespace.", "device", "nsid")
	NodeNVMeNamespaceSize = nodeGauge("nvme", "node_nvme_namespace_size_bytes", "bytes",
		"Size of an NVMe namespace.", "device", "nsid")
	NodeNVMeNamespaceUsed = nodeGauge("nvme", "node_nvme_namespace_used_bytes", "bytes",
		"How much of an NVMe namespace the drive has allocated.", "device", "nsid")
	NodeNVMeNamespaceLogicalBlockSize = nodeGauge("nvme", "node_nvme_namespace_logical_block_size_bytes", "bytes",
		"Size of an NVMe namespace's blocks.", "device", "nsid")
)

// The families of collector nvmesubsystem: /sys/class/nvme-subsystem.
var (
	NodeNVMeSubsystemInfo = nodeGauge("nvmesubsystem", "node_nvmesubsystem_info", "",
		"What an NVMe subsystem is, always 1.", "subsystem", "nqn", "model", "serial", "iopolicy")
	NodeNVMeSubsystemNamespaceInfo = nodeGauge("nvmesubsystem", "node_nvmesubsystem_namespace_info", "",
		"The block device of each namespace of an NVMe subsystem, always 1.", "subsystem", "device")
	NodeNVMeSubsystemPaths = nodeGauge("nvmesubsystem", "node_nvmesubsystem_paths", "",
		"Controllers that lead to an NVMe subsystem.", "subsystem")
	NodeNVMeSubsystemPathsLive = nodeGauge("nvmesubsystem", "node_nvmesubsystem_paths_live", "",
		"Controllers that lead to an NVMe subsystem and work.", "subsystem")
	NodeNVMeSubsystemPathState = nodeGauge("nvmesubsystem", "node_nvmesubsystem_path_state", "",
		"The state of a controller that leads to an NVMe subsystem: 1 for that one, 0 for the others.",
		"subsystem", "controller", "transport", "state")
)

// The families of collector mdadm: /proc/mdstat, and /sys/block/md*/md
// (Documentation/admin-guide/md.rst).
var (
	NodeMDDisksRequired = nodeGauge("mdadm", "node_md_disks_required", "", "Disks that an array is made of when it is whole.", "device")
	NodeMDDisks         = nodeGauge("mdadm", "node_md_disks", "", "Disks of an array by state: active, failed, spare.", "device", "state")
	NodeMDState         = nodeGauge("mdadm", "node_md_state", "",
		"What an array does: 1 for that state, 0 for the others.", "device", "state")
	NodeMDBlocks       = nodeGauge("mdadm", "node_md_blocks", "", "Size of an array in blocks of 1 KiB.", "device")
	NodeMDBlocksSynced = nodeGauge("mdadm", "node_md_blocks_synced", "", "Blocks of an array that are in sync.", "device")
	NodeMDRaidDisks    = nodeGauge("mdadm", "node_md_raid_disks", "", "Disks that an array was made for.", "device")
	NodeMDDegraded     = nodeGauge("mdadm", "node_md_degraded", "", "Disks that an array lacks.", "device")
)

// NodeTape are the families of collector tapestats: /sys/class/scsi_tape
// (Documentation/scsi/st.rst).
var NodeTape = group("tapestats", "node_tape_", []string{"device"}, [][2]string{
	{"io_now", "Requests that a tape drive works on."},
	{"io_time_seconds_total", "Time that all requests took, moving the tape included."},
	{"io_others_total", "Requests that neither read nor wrote."},
	{"read_bytes_total", "Bytes read from a tape drive."},
	{"reads_completed_total", "Requests to read."},
	{"read_time_seconds_total", "Time that requests to read took."},
	{"residual_total", "Requests that moved less than was asked for."},
	{"written_bytes_total", "Bytes written to a tape drive."},
	{"writes_completed_total", "Requests to write."},
	{"write_time_seconds_total", "Time that requests to write took."},
})

func disksTable() family.Table {
	return slices.Concat(family.Table{
		NodeNVMeInfo, NodeNVMeNamespaceInfo, NodeNVMeNamespaceCapacity, NodeNVMeNamespaceSize, NodeNVMeNamespaceUsed,
		NodeNVMeNamespaceLogicalBlockSize,
		NodeNVMeSubsystemInfo, NodeNVMeSubsystemNamespaceInfo, NodeNVMeSubsystemPaths, NodeNVMeSubsystemPathsLive,
		NodeNVMeSubsystemPathState,
		NodeMDDisksRequired, NodeMDDisks, NodeMDState, NodeMDBlocks, NodeMDBlocksSynced, NodeMDRaidDisks, NodeMDDegraded,
	}, NodeTape.Table)
}
