package events

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// maxMessage is how much of a message is looked at. The API server takes no more of
// events.k8s.io, and anything of core.
const maxMessage = 4 << 10

// combined begins messages of several events that client-go counts as one.
const combined = "(combined from similar events): "

// happening is what an event is classified by.
type happening struct {
	kind    string // of the object that it is about
	path    string // within the object: spec.containers{app}
	reason  string
	message string
}

func happeningOf(e *corev1.Event) happening {
	m := e.Message
	if len(m) > maxMessage {
		m = m[:maxMessage]
	}
	return happening{e.InvolvedObject.Kind, e.InvolvedObject.FieldPath, e.Reason, strings.TrimPrefix(m, combined)}
}

func (h *happening) begins(prefix string) bool { return strings.HasPrefix(h.message, prefix) }
func (h *happening) has(text string) bool      { return strings.Contains(h.message, text) }

// Classify is the class of an event. Reasons are those of Kubernetes' own components
// and of some that many clusters have.
func Classify(e *corev1.Event) model.Class {
	h := happeningOf(e)
	classes := []func(*happening) model.Class{(*happening).controller, (*happening).volume, (*happening).scaling}
	switch h.kind {
	case "Pod":
		classes = []func(*happening) model.Class{
			(*happening).image, (*happening).container, (*happening).killing, (*happening).pod, (*happening).volume, (*happening).node,
		}
	case "Node":
		classes = []func(*happening) model.Class{(*happening).node}
	}
	for _, class := range classes {
		if c := class(&h); c != "" {
			return c
		}
	}
	return model.Other
}

// typeOf is an event's type. What is stored may be any string.
func typeOf(t string) model.EventType {
	switch t {
	case corev1.EventTypeNormal:
		return model.Normal
	case corev1.EventTypeWarning:
		return model.Warning
	}
	return model.OtherType
}

// image: pkg/kubelet/images/image_manager.go.
func (h *happening) image() model.Class {
	switch h.reason {
	case "Pulling":
		return model.PullStarted
	case "Pulled":
		if h.has("already present on machine") && !h.begins(pulledPrefix) {
			return model.PullPresent
		}
		return model.PullSucceeded
	case "InspectFailed":
		if h.begins("Failed to apply default image tag") {
			return model.PullName
		}
		return model.PullFailed
	case "ErrImageNeverPull":
		return model.PullNever
	case "FailedToRetrieveImagePullSecret":
		return model.PullSecretMissing
	case "BackOff":
		if h.begins("Back-off pulling image ") {
			return model.PullBackOff
		}
	case "Failed":
		if image, failure, ok := quoted(h.message, "Failed to pull image "); ok {
			return PullFailure(image, failure)
		}
	}
	return ""
}

// container: pkg/kubelet/kuberuntime, pkg/kubelet/prober. "Failed" without the path of
// a container is of the pod as a whole, and so is any other back-off.
func (h *happening) container() model.Class {
	switch h.reason {
	case "Created":
		return model.ContainerCreated
	case "Started":
		return model.ContainerStarted
	case "BackOff":
		if h.path != "" || h.begins("Back-off restarting failed container") {
			return model.CrashBackOff
		}
	case "Failed":
		if h.path != "" || h.begins("Error: ") || h.begins("Internal Pre") {
			return h.containerFailed()
		}
		return model.PodSyncFailed
	case "FailedPostStartHook", "FailedPreStopHook":
		return model.HookFailed
	case "FailedCreatePodContainer":
		return model.CreateFailed
	case "Unhealthy":
		return h.unhealthy()
	case "ProbeWarning":
		return model.ProbeWarning
	}
	return ""
}

// containerFailed tells apart what the kubelet has one reason for. That there is no
// image it says beside the failed pull; what it could not start the runtime had made
// before.
func (h *happening) containerFailed() model.Class {
	failure := strings.TrimPrefix(h.message, "Error: ")
	switch failure {
	case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed":
		return model.ImageMissing
	}
	return first(failure, []says{
		{model.StartFailed, []string{
			"failed to create containerd task", "failed to start containerd task", "failed to start container", "OCI runtime create failed",
			"Internal PreStartContainer hook failed", "runc create failed",
		}},
		{model.ConfigFailed, []string{
			`secret "`, `configmap "`, "couldn't find key", "runAsNonRoot", "non-numeric user", "failed to prepare subPath", "failed to create subPath",
			"unable to find target container", "services have not yet been read", "host-port", "cannot find volume",
		}},
	}, model.CreateFailed)
}

func (h *happening) unhealthy() model.Class {
	kind, _, _ := strings.Cut(h.message, " ")
	switch kind {
	case "Liveness":
		return model.UnhealthyLiveness
	case "Readiness":
		return model.UnhealthyReadiness
	case "Startup":
		return model.UnhealthyStartup
	}
	return model.Unhealthy
}

// killing: pkg/kubelet/{kuberuntime,eviction,preemption}, pkg/controller/tainteviction,
// pkg/scheduler/framework/preemption; the autoscalers' and the descheduler's.
func (h *happening) killing() model.Class {
	switch h.reason {
	case "Killing":
		return h.killed()
	case "Preempting", "Preempted":
		return model.KilledByPreemption
	case "Evicted":
		switch {
		case h.begins("The node was low on resource"), h.begins("The node had condition"):
			return model.KilledByNodePressure
		case h.has("exceeds the total limit of containers"), h.has("exceeds the limit"), h.has("exceeded its local ephemeral storage limit"):
			return model.KilledByLimit
		}
		return model.KilledByEviction
	case "TaintManagerEviction", "DeviceTaintManagerEviction", "NodeControllerEviction":
		if h.begins("Cancelling") {
			return model.Other
		}
		return model.KilledByEviction
	case "ScaleDown", "EvictedByVPA", "Descheduled":
		return model.KilledByEviction
	case "DeadlineExceeded":
		return model.KilledByDeadline
	case "FailedKillPod", "ExceededGracePeriod":
		return model.KillFailed
	}
	return ""
}

// killed: "Stopping container app", "Container app failed liveness probe, will be
// restarted", "Container app definition changed, will be restarted".
func (h *happening) killed() model.Class {
	switch {
	case h.begins("Stopping container "):
		return model.ContainerStopped
	case h.begins("Container ") && (h.has(" failed liveness probe") || h.has(" failed startup probe")):
		return model.KilledByProbe
	}
	return model.Killed
}
