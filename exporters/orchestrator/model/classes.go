package model

// Class says what happened, in one word of a closed list, whatever the orchestrator
// calls it.
type Class string

// Classes of what happens to images. A pull that fails is one event; that a container
// waits for the image is told beside it, and again and again.
const (
	PullStarted        Class = "pull_started"
	PullSucceeded      Class = "pull_succeeded"
	PullPresent        Class = "pull_present"               // the image was there already
	PullAuthentication Class = "pull_failed_authentication" // also where a registry says neither that nor that it has no such repository
	PullNotFound       Class = "pull_failed_not_found"
	PullRateLimited    Class = "pull_failed_rate_limited"
	PullTimeout        Class = "pull_failed_timeout"
	PullPlatform       Class = "pull_failed_platform" // there is none for the node's processor or system
	PullUnreachable    Class = "pull_failed_unreachable"
	PullCertificate    Class = "pull_failed_certificate"
	PullSignature      Class = "pull_failed_signature"
	PullDiskFull       Class = "pull_failed_disk_full"
	PullName           Class = "pull_failed_name"  // it is no image's name
	PullNever          Class = "pull_failed_never" // it is not there, and not to be pulled
	PullFailed         Class = "pull_failed_other"
	PullBackOff        Class = "pull_back_off"
	ImageMissing       Class = "container_without_image" // a container could not be made for want of it
)

// Classes of what happens to containers.
const (
	ContainerCreated   Class = "container_created"
	ContainerStarted   Class = "container_started"
	ContainerStopped   Class = "container_stopped" // it was told to end, as pods are that go
	ContainerDied      Class = "container_died"    // it ended by itself, with an error
	ContainerCompleted Class = "container_completed"
	ContainerOOM       Class = "container_oom_killed"
	ConfigFailed       Class = "config_failed" // what it refers to is missing or may not be used
	CreateFailed       Class = "create_failed"
	StartFailed        Class = "start_failed"
	HookFailed         Class = "hook_failed"
	CrashBackOff       Class = "crash_back_off"
	UnhealthyLiveness  Class = "unhealthy_liveness"
	UnhealthyReadiness Class = "unhealthy_readiness"
	UnhealthyStartup   Class = "unhealthy_startup"
	Unhealthy          Class = "unhealthy_other"
	ProbeWarning       Class = "probe_warning"
)

// Classes of what is killed, and why.
const (
	KilledByProbe        Class = "killed_by_probe"
	KilledByPreemption   Class = "killed_by_preemption"
	KilledByEviction     Class = "killed_by_eviction"      // of a node that goes or is tainted
	KilledByNodePressure Class = "killed_by_node_pressure" // the node was short of something
	KilledByLimit        Class = "killed_by_storage_limit" // it stored more than it may
	KilledByDeadline     Class = "killed_by_deadline"
	Killed               Class = "killed_other"
	KillFailed           Class = "kill_failed" // or it took longer than its grace
)

// Classes of what happens to pods and tasks as a whole.
const (
	PodCreated         Class = "pod_created"
	PodDeleted         Class = "pod_deleted"
	PodQuota           Class = "pod_create_failed_quota"
	PodForbidden       Class = "pod_create_failed_forbidden"
	PodCreateFailed    Class = "pod_create_failed_other"
	PodRejected        Class = "pod_rejected" // by its node
	SandboxFailed      Class = "sandbox_failed"
	SandboxChanged     Class = "sandbox_changed"
	NetworkFailed      Class = "network_failed"
	PodSyncFailed      Class = "pod_sync_failed"
	PullSecretMissing  Class = "pull_secret_missing"
	ResizeDone         Class = "resize_completed"
	ResizeFailed       Class = "resize_failed" // or it has to wait
	DevicesUnavailable Class = "devices_unavailable"
)

// Classes of scheduling. Of several causes it is the one that rules out most nodes.
const (
	Scheduled             Class = "scheduled"
	UnscheduledCPU        Class = "scheduling_failed_cpu"
	UnscheduledMemory     Class = "scheduling_failed_memory"
	UnscheduledResource   Class = "scheduling_failed_resource" // any other
	UnscheduledTaint      Class = "scheduling_failed_taint"
	UnscheduledCordon     Class = "scheduling_failed_cordoned"
	UnscheduledAffinity   Class = "scheduling_failed_affinity" // of nodes or pods, selectors included
	UnscheduledSpread     Class = "scheduling_failed_spread"
	UnscheduledPort       Class = "scheduling_failed_port"
	UnscheduledVolume     Class = "scheduling_failed_volume"
	UnscheduledDevice     Class = "scheduling_failed_device"
	UnscheduledPlatform   Class = "scheduling_failed_platform"
	UnscheduledNoNode     Class = "scheduling_failed_no_node" // there is none at all
	UnscheduledGate       Class = "scheduling_gated"
	UnscheduledOther      Class = "scheduling_failed_other"
	SchedulingInterrupted Class = "scheduling_interrupted" // the pod went meanwhile
)

// Classes of volumes.
const (
	VolumeAttached        Class = "volume_attached"
	VolumeProvisioned     Class = "volume_provisioned"
	VolumeAttachFailed    Class = "volume_attach_failed"
	VolumeInUse           Class = "volume_in_use" // on another node
	VolumeMountFailed     Class = "volume_mount_failed"
	VolumeSourceMissing   Class = "volume_source_missing" // a Secret, a ConfigMap, a claim
	VolumeProvisionFailed Class = "volume_provision_failed"
	VolumeResizeFailed    Class = "volume_resize_failed"
	VolumeUnhealthy       Class = "volume_unhealthy"
)

// Classes of nodes.
const (
	NodeOOM         Class = "node_oom"
	NodeReady       Class = "node_ready"
	NodeNotReady    Class = "node_not_ready"
	NodePressure    Class = "node_pressure"
	NodeRebooted    Class = "node_rebooted"
	NodeShutdown    Class = "node_shutdown"
	NodeCordoned    Class = "node_cordoned"
	NodeUncordoned  Class = "node_uncordoned"
	NodeJoined      Class = "node_joined"
	NodeLeft        Class = "node_left"
	NodeDiskFull    Class = "node_disk_full" // nothing could be removed to make room
	NodeKernel      Class = "node_kernel"    // what a node problem detector finds
	NodeAgentStart  Class = "node_agent_started"
	NodeSetupFailed Class = "node_setup_failed"
)

// Classes of what controllers do.
const (
	Scaled             Class = "scaled"
	ScaleFailed        Class = "scale_failed" // an autoscaler's
	RolloutStarted     Class = "rollout_started"
	RolloutDone        Class = "rollout_completed"
	RolloutFailed      Class = "rollout_failed"
	RolledBack         Class = "rolled_back"
	JobStarted         Class = "job_started"
	JobCompleted       Class = "job_completed"
	JobGaveUp          Class = "job_failed"
	JobMissed          Class = "job_missed" // it was not started in time
	JobSkipped         Class = "job_skipped"
	LoadBalancerFailed Class = "load_balancer_failed"
	LeaderElected      Class = "leader_elected"
	Other              Class = "other" // none of these
)

// Classes are all classes.
func Classes() []Class {
	return []Class{
		PullStarted, PullSucceeded, PullPresent, PullAuthentication, PullNotFound, PullRateLimited, PullTimeout, PullPlatform,
		PullUnreachable, PullCertificate, PullSignature, PullDiskFull, PullName, PullNever, PullFailed, PullBackOff, ImageMissing,
		ContainerCreated, ContainerStarted, ContainerStopped, ContainerDied, ContainerCompleted, ContainerOOM,
		ConfigFailed, CreateFailed, StartFailed, HookFailed, CrashBackOff,
		UnhealthyLiveness, UnhealthyReadiness, UnhealthyStartup, Unhealthy, ProbeWarning,
		KilledByProbe, KilledByPreemption, KilledByEviction, KilledByNodePressure, KilledByLimit, KilledByDeadline, Killed, KillFailed,
		PodCreated, PodDeleted, PodQuota, PodForbidden, PodCreateFailed, PodRejected, SandboxFailed, SandboxChanged,
		NetworkFailed, PodSyncFailed, PullSecretMissing, ResizeDone, ResizeFailed, DevicesUnavailable,
		Scheduled, UnscheduledCPU, UnscheduledMemory, UnscheduledResource, UnscheduledTaint, UnscheduledCordon, UnscheduledAffinity,
		UnscheduledSpread, UnscheduledPort, UnscheduledVolume, UnscheduledDevice, UnscheduledPlatform, UnscheduledNoNode,
		UnscheduledGate, UnscheduledOther, SchedulingInterrupted,
		VolumeAttached, VolumeProvisioned, VolumeAttachFailed, VolumeInUse, VolumeMountFailed, VolumeSourceMissing,
		VolumeProvisionFailed, VolumeResizeFailed, VolumeUnhealthy,
		NodeOOM, NodeReady, NodeNotReady, NodePressure, NodeRebooted, NodeShutdown, NodeCordoned, NodeUncordoned, NodeJoined, NodeLeft,
		NodeDiskFull, NodeKernel, NodeAgentStart, NodeSetupFailed,
		Scaled, ScaleFailed, RolloutStarted, RolloutDone, RolloutFailed, RolledBack, JobStarted, JobCompleted, JobGaveUp, JobMissed, JobSkipped,
		LoadBalancerFailed, LeaderElected, Other,
	}
}

// EventType says whether something ought not to have happened.
type EventType string

// The types of events.
const (
	Normal    EventType = "normal"
	Warning   EventType = "warning"
	OtherType EventType = "other"
)

// Kind is a class of events and their type.
type Kind struct {
	Class Class
	Type  EventType
}

// Alerted are the events that somebody is called for: each workload's counters of them
// begin at 0 with it, so that the first has an increase for whoever scrapes.
func Alerted() []Kind {
	return []Kind{
		{PullAuthentication, Warning}, {PullNotFound, Warning}, {PullRateLimited, Warning}, {PullTimeout, Warning}, {PullUnreachable, Warning}, {PullFailed, Warning},
		{CrashBackOff, Warning}, {KilledByProbe, Normal}, {KilledByPreemption, Normal}, {KilledByEviction, Normal}, {KilledByNodePressure, Warning},
	}
}
