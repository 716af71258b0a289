package metrics

import "github.com/loadline-exporters/loadline/internal/family"

var (
	pod       = of(CollectorPods, PodLabels)
	container = of(CollectorContainers, ContainerLabels)
)

// Pods, or tasks.
var (
	PodInfo = pod("pod_info", "",
		"A pod's node, UID, quality of service and whether it has its node's network; always 1.",
		"node", "uid", "qos", "host_network")
	PodPhase = pod("pod_phase", "",
		"The phase that a pod is in: pending, running, succeeded, failed, unknown (its node does not answer), terminating; always 1.", "phase")
	PodOverdue = pod("pod_overdue_seconds", "seconds",
		"How long a pod has been in a phase that it should leave: pending or unknown, or terminating for longer than its grace.", "phase")
)

// Containers of pods, as the orchestrator knows them.
var (
	ContainerImage = container("container_image_info", "",
		"The image that a container is to run, the digest of what it runs, and which kind of container of a pod it is (app, init, sidecar, ephemeral); always 1.",
		"image", "image_digest", "kind")
	ContainerWaiting = container("container_waiting", "",
		"Why a container does not run, of a closed list; always 1.", "reason")
	ContainerLastReason = container("container_last_termination", "",
		"How the last process of a container ended, of a closed list; always 1.", "reason")
	ContainerLastExitCode = container("container_last_termination_exit_code", "",
		"Exit code of the last process of a container.")
	ContainerLastSignal = container("container_last_termination_signal", "",
		"Signal that ended the last process of a container, told or by its exit code; missing where none did.")
	ContainerLastTime = container("container_last_termination_timestamp_seconds", "seconds",
		"When the last process of a container ended.")
)

func podTable() family.Table { return family.Table{PodInfo, PodPhase, PodOverdue} }

func containerTable() family.Table {
	return family.Table{
		ContainerImage, ContainerWaiting, ContainerLastReason, ContainerLastExitCode, ContainerLastSignal, ContainerLastTime,
	}
}
