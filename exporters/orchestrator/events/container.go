package events

import (
	"fmt"
	"hash/maphash"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// container is what is kept of one container of a pod.
type container struct {
	name string
	runs int64  // that have ended, as the number of restarts says
	last [2]end // those that the status tells of
}

// end is the end of one process.
type end struct {
	id  uint64 // of the container, as the runtime has one for each process; 0 for no end
	how model.Ended
	// killed says that SIGKILL ended it and nothing says why: that it was for memory, a
	// runtime may hear later.
	killed bool
}

func (s *podSink) containersOf(o *corev1.Pod) []container {
	all := [][]corev1.ContainerStatus{o.Status.InitContainerStatuses, o.Status.ContainerStatuses, o.Status.EphemeralContainerStatuses}
	n := 0
	for _, statuses := range all {
		n += len(statuses)
	}
	out := make([]container, 0, n)
	for _, statuses := range all {
		for i := range statuses {
			out = append(out, s.containerOf(&statuses[i], o.Status.Reason))
		}
	}
	return out
}

func (s *podSink) containerOf(status *corev1.ContainerStatus, podReason string) container {
	now, former := status.State.Terminated, status.LastTerminationState.Terminated
	c := container{name: status.Name, runs: max(0, int64(status.RestartCount))}
	if status.State.Running == nil && (now != nil || former != nil) {
		c.runs++ // of the end that the next restart follows
	}
	for i, t := range []*corev1.ContainerStateTerminated{former, now} {
		if t != nil {
			e := end{id: s.identify(t), how: EndedAs(t, podReason)}
			e.killed = e.how == model.EndedError && t.ExitCode == exitedBySIG+sigKILL
			c.last[i] = e
		}
	}
	return c
}

// identify tells an end from others of the container. What the runtime has forgotten
// has no id.
func (s *podSink) identify(t *corev1.ContainerStateTerminated) uint64 {
	id := t.ContainerID
	if id == "" {
		id = fmt.Sprint(t.Reason, t.FinishedAt.Unix())
	}
	return max(1, maphash.String(s.seed, id))
}

const (
	exitedWell  = 0
	exitedBySIG = 128
	sigKILL     = 9
	sigTERM     = 15
)

// EndedAs is how a container ended, by the kubelet's and the runtimes' reasons, and by
// the reason of its pod's status. Runtimes say OOMKilled of a container in which
// anything was ever killed; one that ended well or because it was told to was not ended
// by that.
func EndedAs(t *corev1.ContainerStateTerminated, podReason string) model.Ended {
	switch t.Reason {
	case "OOMKilled":
		switch t.ExitCode {
		case exitedWell:
			return model.EndedCompleted
		case exitedBySIG + sigTERM:
			return byPod(podReason, model.EndedError)
		}
		return model.EndedOOM
	case "Completed":
		return byPod(podReason, model.EndedCompleted)
	case "Error":
		return byPod(podReason, model.EndedError)
	case "ContainerCannotRun", "StartError", "RunContainerError":
		return model.EndedCannotRun
	case "DeadlineExceeded":
		return model.EndedDeadline
	case "Evicted":
		return model.EndedEvicted
	case "ContainerStatusUnknown", "Unknown", "":
		return model.EndedUnknown
	}
	return model.EndedOther
}

// byPod is how a container ended whose pod was ended as a whole.
func byPod(podReason string, otherwise model.Ended) model.Ended {
	switch podReason {
	case "Evicted", "Preempting", "Terminated", "NodeShutdown":
		return model.EndedEvicted
	case "DeadlineExceeded":
		return model.EndedDeadline
	}
	return otherwise
}

// ends tells of the ends that are new. A status tells of the last two; of more, nobody
// saw how.
func ends(was, is []container, tell func(container string, e end, n int)) {
	for i := range is {
		now := &is[i]
		var before container
		if j := slices.IndexFunc(was, func(c container) bool { return c.name == now.name }); j >= 0 {
			before = was[j]
		}
		missed := now.runs - before.runs
		for _, e := range now.last {
			if e.id != 0 && e.id != before.last[0].id && e.id != before.last[1].id {
				tell(now.name, e, 1)
				missed--
			}
		}
		if missed > 0 {
			tell(now.name, end{how: model.EndedUnknown}, int(missed))
		}
	}
}
