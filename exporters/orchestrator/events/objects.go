package events

import (
	"strings"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// pod: pkg/kubelet (its admission among it), pkg/scheduler.
func (h *happening) pod() model.Class {
	switch h.reason {
	case "Scheduled":
		return model.Scheduled
	case "FailedScheduling":
		return Obstacle(h.message)
	case "FailedCreatePodSandBox", "FailedPodSandBoxStatus":
		return model.SandboxFailed
	case "SandboxChanged":
		return model.SandboxChanged
	case "NetworkNotReady":
		return model.NetworkFailed
	case "FailedSync", "FailedValidation":
		return model.PodSyncFailed
	case "ResizeCompleted":
		return model.ResizeDone
	case "ResizeDeferred", "ResizeInfeasible", "ResizeError":
		return model.ResizeFailed
	case "FailedPrepareDynamicResources", "FailedResourceClaimCreation":
		return model.DevicesUnavailable
	case "UnexpectedAdmissionError", "NodeAffinity", "NodePorts", "NodeName", "NodeShutdown", "AppArmor", "SysctlForbidden", "PodOSNotSupported",
		"PodOSSelectorNodeLabelDoesNotMatch", "InvalidNodeInfo", "TopologyAffinityError", "PodLevelResourcesNotSupported", "PodFeatureUnsupported",
		"FailedNodeDeclaredFeaturesCheck":
		return model.PodRejected
	}
	if strings.HasPrefix(h.reason, "OutOf") {
		return model.PodRejected
	}
	return ""
}

// volume: pkg/kubelet/events, pkg/controller/volume/events, the CSI sidecars'.
func (h *happening) volume() model.Class {
	switch h.reason {
	case "SuccessfulAttachVolume":
		return model.VolumeAttached
	case "ProvisioningSucceeded":
		return model.VolumeProvisioned
	case "FailedAttachVolume", "FailedDetachVolume":
		if h.has("Multi-Attach error") {
			return model.VolumeInUse
		}
		return model.VolumeAttachFailed
	case "FailedMount", "FailedMapVolume", "FailedMountOnFilesystemMismatch":
		if (h.has(`secret "`) || h.has(`configmap "`) || h.has(`persistentvolumeclaim "`)) && h.has(`" not found`) || h.has("references non-existent") {
			return model.VolumeSourceMissing
		}
		return model.VolumeMountFailed
	case "ProvisioningFailed", "FailedBinding", "VolumeMismatch", "ProvisioningCleanupFailed":
		return model.VolumeProvisionFailed
	case "VolumeResizeFailed", "FileSystemResizeFailed":
		return model.VolumeResizeFailed
	case "VolumeConditionAbnormal":
		return model.VolumeUnhealthy
	}
	return ""
}

// node: pkg/kubelet, pkg/controller/nodelifecycle, the node problem detector's.
func (h *happening) node() model.Class {
	switch h.reason {
	case "SystemOOM", "OOMKilling":
		return model.NodeOOM
	case "NodeReady":
		return model.NodeReady
	case "NodeNotReady":
		return model.NodeNotReady
	case "NodeHasDiskPressure", "NodeHasInsufficientMemory", "NodeHasInsufficientPID", "EvictionThresholdMet":
		return model.NodePressure
	case "Rebooted":
		return model.NodeRebooted
	case "Shutdown":
		return model.NodeShutdown
	case "NodeNotSchedulable":
		return model.NodeCordoned
	case "NodeSchedulable":
		return model.NodeUncordoned
	case "RegisteredNode":
		return model.NodeJoined
	case "RemovingNode":
		return model.NodeLeft
	case "ImageGCFailed", "FreeDiskSpaceFailed":
		return model.NodeDiskFull
	case "KernelOops", "TaskHung", "KernelDeadlock", "Ext4Error", "Ext4Warning", "IOError", "MemoryReadError", "FilesystemIsReadOnly",
		"ReadonlyFilesystem", "UnregisterNetDevice", "ConntrackFull", "DockerHung", "CorruptDockerOverlay2":
		return model.NodeKernel
	case "Starting":
		return model.NodeAgentStart
	case "KubeletSetupFailed", "FailedNodeAllocatableEnforcement":
		return model.NodeSetupFailed
	}
	return ""
}

// controller: pkg/controller, Argo Rollouts', cloud providers'.
func (h *happening) controller() model.Class {
	switch h.reason {
	case "SuccessfulCreate":
		return h.created()
	case "SuccessfulDelete":
		if h.kind != "CronJob" {
			return model.PodDeleted
		}
	case "FailedCreate", "FailedDaemonPod":
		return first(h.message, []says{{model.PodQuota, []string{"exceeded quota"}}, {model.PodForbidden, []string{"forbidden"}}}, model.PodCreateFailed)
	case "Completed":
		if h.kind == "Job" {
			return model.JobCompleted
		}
	case "BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy", "MaxFailedIndexesExceeded", "FailedIndexes":
		return model.JobGaveUp
	case "MissSchedule", "TooManyMissedTimes":
		return model.JobMissed
	case "JobAlreadyActive":
		return model.JobSkipped
	case "ReplicaSetCreateError", "RolloutAborted", "DeploymentRollbackRevisionNotFound":
		return model.RolloutFailed
	case "RolloutUpdated":
		return model.RolloutStarted
	case "RolloutCompleted":
		return model.RolloutDone
	case "DeploymentRollback":
		return model.RolledBack
	case "SyncLoadBalancerFailed", "UpdateLoadBalancerFailed", "CreatingLoadBalancerFailed", "DeletingLoadBalancerFailed":
		return model.LoadBalancerFailed
	case "LeaderElection":
		if h.has("became leader") {
			return model.LeaderElected
		}
	}
	return ""
}

// created: a StatefulSet makes claims too, and a CronJob Jobs.
func (h *happening) created() model.Class {
	switch {
	case h.kind == "CronJob":
		return model.JobStarted
	case h.begins("create Claim "), h.begins("Create Claim "):
		return model.Other
	}
	return model.PodCreated
}

// scaling: pkg/controller/{deployment,podautoscaler}.
func (h *happening) scaling() model.Class {
	switch h.reason {
	case "ScalingReplicaSet", "SuccessfulRescale":
		return model.Scaled
	}
	if h.kind == "HorizontalPodAutoscaler" && (strings.HasPrefix(h.reason, "Failed") || strings.HasPrefix(h.reason, "Invalid") ||
		h.reason == "SelectorRequired" || h.reason == "AmbiguousSelector") {
		return model.ScaleFailed
	}
	return ""
}
