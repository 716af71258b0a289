package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// Collectors of storage, and of what the node's pods ask for.
const (
	collectorStorage  = "storage"
	collectorVolume   = "volume"
	collectorCapacity = "capacity"
)

func containerFS(name, unit, help string) *family.Family {
	return &family.Family{
		Name: name, Type: family.Gauge, Unit: unit, Help: help, Labels: slices.Concat(ContainerLabels, []string{"device"}),
		Compat: family.Container, Collector: collectorStorage,
	}
}

// The file systems that containers write to, as cAdvisor has them.
var (
	ContainerFSUsage = containerFS("container_fs_usage_bytes", "bytes",
		"Space that the container's writable layer and logs take, as last counted.")
	ContainerFSLimit = containerFS("container_fs_limit_bytes", "bytes",
		"Size of the file system that the container's writable layer is on.")
	ContainerFSInodes = containerFS("container_fs_inodes_total", "",
		"Inodes of the file system that the container's writable layer is on.")
	ContainerFSInodesFree = containerFS("container_fs_inodes_free", "",
		"Inodes that are free of the file system that the container's writable layer is on.")
)

// Ephemeral storage of containers and pods.
var (
	ContainerLogs = &family.Family{
		Name: "loadline_container_log_bytes", Type: family.Gauge, Unit: "bytes", Collector: collectorStorage,
		Labels: slices.Concat(PlaceLabels, []string{"id"}),
		Help:   "Space that the container's log files take, those of its former instances included.",
	}
	ContainerEphemeral = &family.Family{
		Name: "loadline_container_ephemeral_storage_bytes", Type: family.Gauge, Unit: "bytes", Collector: collectorStorage,
		Labels: slices.Concat(PlaceLabels, []string{"id"}),
		Help:   "Space on the node's disk that counts against the container's limit of ephemeral storage: its writable layer and its logs.",
	}
	PodEphemeral = &family.Family{
		Name: "loadline_pod_ephemeral_storage_bytes", Type: family.Gauge, Unit: "bytes", Collector: collectorStorage,
		Labels: []string{"namespace", "pod", "workload", "workload_type"},
		Help:   "Space on the node's disk that the pod takes: its running containers' writable layers and logs and its empty directories; missing until all are counted.",
	}
)

// How far counting is.
var (
	StorageDirectories = &family.Family{
		Name: "loadline_storage_directories", Type: family.Gauge, Labels: []string{"state"}, Collector: collectorStorage,
		Help: "Directories of containers and pods whose files are counted, by state: pending (not counted yet), counted, absent, failed (unreadable, or more files than are looked at).",
	}
	StorageFiles = &family.Family{
		Name: "loadline_storage_files_examined_total", Type: family.Counter, Collector: collectorStorage,
		Help: "Files that were looked at to count what directories hold, within --collector.storage.files-per-second.",
	}
)

// VolumeLabels are the labels of a mounted claim, as the kubelet has them.
var VolumeLabels = []string{"namespace", "persistentvolumeclaim"}

func volume(name, unit, help string) *family.Family {
	return &family.Family{
		Name: name, Type: family.Gauge, Unit: unit, Help: help, Labels: VolumeLabels,
		Compat: family.Volume, Collector: collectorVolume,
	}
}

// The file systems of mounted claims, as the kubelet has them.
var (
	VolumeCapacity   = volume("kubelet_volume_stats_capacity_bytes", "bytes", "Size of the claim's file system.")
	VolumeAvailable  = volume("kubelet_volume_stats_available_bytes", "bytes", "Space of the claim's file system that is left for who is not root.")
	VolumeUsed       = volume("kubelet_volume_stats_used_bytes", "bytes", "Space of the claim's file system that is in use.")
	VolumeInodes     = volume("kubelet_volume_stats_inodes", "", "Inodes of the claim's file system; 0 where they have no number.")
	VolumeInodesFree = volume("kubelet_volume_stats_inodes_free", "", "Inodes of the claim's file system that are free.")
	VolumeInodesUsed = volume("kubelet_volume_stats_inodes_used", "", "Inodes of the claim's file system that are in use.")
)

// VolumeAnswers says which claims could not be asked.
var VolumeAnswers = &family.Family{
	Name: "loadline_volume_available", Type: family.Gauge, Collector: collectorVolume,
	Labels: slices.Concat(VolumeLabels, []string{"reason"}),
	Help:   "Whether the file system of a mounted claim answers, and in one word why not: timeout, forbidden, absent, failed.",
}

// PodVolumeLabels are the labels of a pod's own volume, which no claim names.
var PodVolumeLabels = []string{"namespace", "pod", "workload", "workload_type", "volume", "medium"}

func podVolume(name, help string) *family.Family {
	return &family.Family{Name: name, Type: family.Gauge, Unit: "bytes", Help: help, Labels: PodVolumeLabels, Collector: collectorVolume}
}

// Empty directories of pods.
var (
	PodVolumeUsed = podVolume("loadline_pod_volume_used_bytes",
		"Space that a pod's empty directory takes, in memory (medium memory) or on the node's disk (medium disk, as last counted).")
	PodVolumeLimit = podVolume("loadline_pod_volume_limit_bytes",
		"Space that a pod's empty directory may take by its sizeLimit, beyond which the kubelet evicts the pod.")
)

func capacity(name, help string) *family.Family {
	return &family.Family{
		Name: name, Type: family.Gauge, Help: help, Labels: []string{"resource", "unit", "node"}, Collector: collectorCapacity,
	}
}

// What the node has, and what its pods ask for.
var (
	NodeRequested = capacity("loadline_node_resource_requested",
		"What the node's pods that have not ended ask for together (cpu in cores, memory and ephemeral_storage in bytes, pods), counted as the scheduler does: with init containers, sidecars and overhead.")
	NodeLimits = capacity("loadline_node_resource_limits",
		"What the node's pods that have not ended are limited to together, counted likewise; what has no limit adds nothing.")
	NodeAllocatable = capacity("loadline_node_resource_allocatable",
		"What the node has for pods, as its object in the API server says; missing where that may not be read.")
	NodeCapacity = capacity("loadline_node_resource_capacity",
		"What the node has in all, as its object in the API server says; missing where that may not be read.")
)

// storageTable lists the families of file systems of containers and the volumes of pods.
func storageTable() family.Table {
	return family.Table{
		ContainerFSUsage, ContainerFSLimit, ContainerFSInodes, ContainerFSInodesFree,
		ContainerLogs, ContainerEphemeral, PodEphemeral, StorageDirectories, StorageFiles,
		VolumeCapacity, VolumeAvailable, VolumeUsed, VolumeInodes, VolumeInodesFree, VolumeInodesUsed, VolumeAnswers,
		PodVolumeUsed, PodVolumeLimit,
		NodeRequested, NodeLimits, NodeAllocatable, NodeCapacity,
	}
}
