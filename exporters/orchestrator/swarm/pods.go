package swarm

import (
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// pod is what a slot has now. A slot whose task was shut down, and has no other, is
// gone: its service was scaled down, or its node drained.
func (s *Source) pod(c *cluster, sv *svc, sl *slot) (model.Pod, bool) {
	t := sl.task()
	p := model.Pod{
		Ref: refOf(sl.place), Pod: sl.place.Pod, UID: t.ID, Node: c.nodeName(t.NodeID), Phase: c.phase(t),
		HostNetwork: model.Of(0),
	}
	switch p.Phase {
	case "":
		return p, false
	case model.Pending:
		p.Overdue = t.CreatedAt
	case model.Unknown:
		p.Overdue = t.Status.Timestamp
		if n := c.nodes[t.NodeID]; n != nil {
			p.Overdue = n.UpdatedAt
		}
	case model.Terminating:
		p.Overdue = t.UpdatedAt.Add(grace(t))
	}
	if slices.ContainsFunc(t.Spec.Networks, func(n swarm.NetworkAttachmentConfig) bool { return n.Target == "host" }) {
		p.HostNetwork = model.Of(1)
	}
	p.Containers = []model.Container{s.container(sv, sl, t)}
	return p, true
}

// phase is a task's; empty for one that was told to end and has.
func (c *cluster) phase(t *swarm.Task) model.Phase {
	switch t.Status.State {
	case swarm.TaskStateComplete:
		return model.Succeeded
	case swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateOrphaned:
		return model.Failed
	case swarm.TaskStateShutdown, swarm.TaskStateRemove:
		return ""
	}
	switch {
	case c.lost(t.NodeID):
		return model.Unknown
	case !wanted(t):
		return model.Terminating
	case runs(t):
		return model.Running
	}
	return model.Pending
}

// container is a task's.
func (s *Source) container(sv *svc, sl *slot, t *swarm.Task) model.Container {
	c := model.Container{Name: sl.place.Container, Kind: model.App, Restarts: s.tasks.restarts(sv, sl), Waiting: waiting(sl, t)}
	if spec := t.Spec.ContainerSpec; spec != nil {
		c.Image, c.Digest, _ = strings.Cut(spec.Image, "@")
	}
	if last := sl.last(); last != nil {
		c.Last = s.termination(last)
	}
	return c
}

// waiting is why a task does not run that is to.
func waiting(sl *slot, t *swarm.Task) model.Waiting {
	if !wanted(t) {
		// Swarm tries it again, or has given it up.
		switch reasonOf(t) {
		case reasonImage:
			return model.WaitingPullBackOff
		case reasonRejected:
			return model.WaitingCreate
		}
		return ""
	}
	switch t.Status.State {
	case swarm.TaskStateRunning:
		return ""
	case swarm.TaskStateNew, swarm.TaskStateAllocated, swarm.TaskStatePending:
		if noSuitableNode(t) {
			return model.WaitingNode
		}
		return model.WaitingCreating
	}
	// Between two tries of a slot its next task is ready.
	if last := sl.last(); last != nil && t.DesiredState == swarm.TaskStateReady {
		switch reasonOf(last) {
		case "":
		case reasonImage:
			return model.WaitingPullBackOff
		default:
			return model.WaitingCrashLoop
		}
	}
	return model.WaitingCreating
}

// termination is how a task ended.
func (s *Source) termination(t *swarm.Task) model.Termination {
	end := model.Termination{At: t.Status.Timestamp, Reason: model.EndedError}
	id := ""
	if ran := t.Status.ContainerStatus; ran != nil && ran.ContainerID != "" {
		id = ran.ContainerID
		end.ExitCode = model.Of(ran.ExitCode)
		if signal := ran.ExitCode - 128; signal > 0 && signal <= lastSignal {
			end.Signal = model.Of(signal)
		}
	}
	switch t.Status.State {
	case swarm.TaskStateComplete, swarm.TaskStateShutdown:
		end.Reason = model.EndedCompleted
	case swarm.TaskStateRejected:
		end.Reason = model.EndedCannotRun
	}
	switch {
	case id != "" && t.Status.State == swarm.TaskStateFailed && s.OOMKilled(id):
		end.Reason = model.EndedOOM
	case reasonOf(t) == reasonStart:
		end.Reason = model.EndedCannotRun
	}
	return end
}

// lastSignal is the highest number of a signal.
const lastSignal = 64

// grace is how long a task is given to end.
func grace(t *swarm.Task) time.Duration {
	const usual = 10 * time.Second
	if spec := t.Spec.ContainerSpec; spec != nil && spec.StopGracePeriod != nil {
		return *spec.StopGracePeriod
	}
	return usual
}
