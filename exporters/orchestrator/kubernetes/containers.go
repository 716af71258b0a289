package kubernetes

import (
	"strings"
	"unique"

	corev1 "k8s.io/api/core/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/events"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// containersOf are a pod's containers: those of its specification, with what its
// status says. gate is why none can run yet, if the pod is held up as a whole.
func containersOf(o *corev1.Pod, gate model.Waiting) []container {
	out := make([]container, 0, len(o.Spec.InitContainers)+len(o.Spec.Containers)+len(o.Spec.EphemeralContainers))
	for i := range o.Spec.InitContainers {
		s := &o.Spec.InitContainers[i]
		kind := model.Init
		if s.RestartPolicy != nil && *s.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			kind = model.Sidecar
		}
		out = append(out, containerOf(s.Name, kind, s.Image, o.Status.InitContainerStatuses, gate, o.Status.Reason))
	}
	for i := range o.Spec.Containers {
		s := &o.Spec.Containers[i]
		out = append(out, containerOf(s.Name, model.App, s.Image, o.Status.ContainerStatuses, gate, o.Status.Reason))
	}
	for i := range o.Spec.EphemeralContainers {
		s := &o.Spec.EphemeralContainers[i]
		out = append(out, containerOf(s.Name, model.Ephemeral, s.Image, o.Status.EphemeralContainerStatuses, gate, o.Status.Reason))
	}
	return out
}

func containerOf(name, kind, image string, statuses []corev1.ContainerStatus, gate model.Waiting, podReason string) container {
	spec := containerSpec{name: name, kind: kind, image: image}
	out := container{waiting: gate}
	for i := range statuses {
		s := &statuses[i]
		if s.Name != name {
			continue
		}
		// An id alone is that of the image's configuration, which names no manifest.
		_, spec.digest, _ = strings.Cut(s.ImageID, "@")
		out.restarts = max(0, s.RestartCount)
		if s.State.Waiting != nil {
			out.waiting = waitingOf(s.State.Waiting.Reason)
		}
		last := s.State.Terminated
		if last == nil {
			last = s.LastTerminationState.Terminated
		}
		if last != nil {
			out.terminated(last, podReason)
		}
		break
	}
	out.is = unique.Make(spec)
	return out
}

// firstSignal is what runtimes add to the number of a signal for an exit code.
const firstSignal = 128

func (c *container) terminated(t *corev1.ContainerStateTerminated, podReason string) {
	c.ended, c.exitCode, c.endedAt, c.signal = events.EndedAs(t, podReason), t.ExitCode, unix(t.FinishedAt), t.Signal
	if c.signal == 0 && t.ExitCode > firstSignal && t.ExitCode <= firstSignal+64 {
		c.signal = t.ExitCode - firstSignal
	}
}

// say puts a container into the model's form.
func (c *container) say() model.Container {
	is := c.is.Value()
	out := model.Container{
		Name: is.name, Kind: is.kind, Image: is.image, Digest: is.digest, Restarts: model.Of(c.restarts), Waiting: c.waiting,
	}
	if c.ended != "" {
		out.Last = model.Termination{Reason: c.ended, ExitCode: model.Of(c.exitCode), At: at(c.endedAt)}
		if c.signal != 0 {
			out.Last.Signal = model.Of(c.signal)
		}
	}
	return out
}

// waitingOf are the kubelet's reasons (pkg/kubelet/container, pkg/kubelet/images).
func waitingOf(reason string) model.Waiting {
	switch reason {
	case "ContainerCreating", "":
		return model.WaitingCreating
	case "PodInitializing":
		return model.WaitingInitializing
	case "CrashLoopBackOff":
		return model.WaitingCrashLoop
	case "ErrImagePull":
		return model.WaitingPull
	case "ImagePullBackOff":
		return model.WaitingPullBackOff
	case "InvalidImageName":
		return model.WaitingImageName
	case "ErrImageNeverPull":
		return model.WaitingImageAbsent
	case "ImageInspectError", "SignatureValidationFailed":
		return model.WaitingImageInvalid
	case "RegistryUnavailable":
		return model.WaitingRegistry
	case "CreateContainerConfigError":
		return model.WaitingConfig
	case "CreateContainerError":
		return model.WaitingCreate
	case "RunContainerError", "StartError":
		return model.WaitingStart
	case "PreCreateHookError", "PreStartHookError", "PostStartHookError":
		return model.WaitingHook
	}
	return model.WaitingOther
}
