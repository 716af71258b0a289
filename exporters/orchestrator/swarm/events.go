package swarm

import (
	"strings"

	"github.com/moby/moby/api/types/swarm"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// event counts what became of a task. Of tasks of the node whose engine is asked the
// engine's own events tell what happened to their containers.
func (s *Source) event(h happened) {
	class, t := classOf(h)
	if s.self != "" && h.task.NodeID == s.self && ofContainer(class) {
		return
	}
	s.Event(h.ref, class, t)
	if h.why == reasonUnhealthy {
		s.Event(h.ref, model.ContainerStopped, model.Normal)
	}
	if ofContainer(class) && h.what != started {
		s.Counts.Add(metrics.Terminations, h.ref, 1, h.ref.Name, string(s.termination(h.task).Reason))
	}
}

// classOf is what became of a task.
func classOf(h happened) (model.Class, model.EventType) {
	switch h.what {
	case homeless:
		return unscheduled(h.task.Status.Err), model.Warning
	case started:
		return model.ContainerStarted, model.Normal
	case completed:
		return model.ContainerCompleted, model.Normal
	case stopped:
		return model.ContainerStopped, model.Normal
	}
	return map[string]model.Class{
		reasonImage: model.PullFailed, reasonRejected: model.PodRejected, reasonStart: model.StartFailed,
		reasonUnhealthy: model.Unhealthy, reasonOOM: model.ContainerOOM, reasonExit: model.ContainerDied,
		reasonOrphaned: model.KilledByEviction, reasonOther: model.Other,
	}[h.why], model.Warning
}

// ofContainer says that an engine tells of a class itself.
func ofContainer(c model.Class) bool {
	switch c {
	case model.ContainerStarted, model.ContainerCompleted, model.ContainerStopped, model.ContainerOOM, model.ContainerDied,
		model.StartFailed, model.Unhealthy:
		return true
	}
	return false
}

// unscheduled is why no node takes a task. The scheduler says first what rules out
// most nodes: "no suitable node (insufficient resources on 2 nodes; …)".
func unscheduled(err string) model.Class {
	_, why, explained := strings.Cut(err, "(")
	if !explained {
		return model.UnscheduledOther
	}
	why, _, _ = strings.Cut(why, ";")
	for _, w := range []struct {
		says  string
		class model.Class
	}{
		{"insufficient resources", model.UnscheduledResource},
		{"scheduling constraints", model.UnscheduledAffinity},
		{"not available for new tasks", model.UnscheduledCordon},
		{"host-mode port", model.UnscheduledPort},
		{"max replicas per node", model.UnscheduledSpread},
		{"unsupported platform", model.UnscheduledPlatform},
		{"volume", model.UnscheduledVolume},
	} {
		if strings.Contains(why, w.says) {
			return w.class
		}
	}
	return model.UnscheduledOther
}

// watchedNode is what is watched of a node.
type watchedNode struct{ ready, takes bool }

// countNodes counts what happened to nodes since the last listing. It belongs to no
// workload.
func (s *Source) countNodes(c *cluster) {
	now := make(map[string]watchedNode, len(c.nodes))
	tell := func(class model.Class, t model.EventType) {
		s.Event(model.Ref{Orchestrator: hierarchy.Swarm}, class, t)
	}
	for id, n := range c.nodes {
		is := watchedNode{n.Status.State == swarm.NodeStateReady, n.Spec.Availability == swarm.NodeAvailabilityActive}
		now[id] = is
		was, known := s.nodes[id]
		switch {
		case s.nodes == nil: // the first listing
		case !known:
			tell(model.NodeJoined, model.Normal)
		case is.ready && !was.ready:
			tell(model.NodeReady, model.Normal)
		case !is.ready && was.ready:
			tell(model.NodeNotReady, model.Warning)
		}
		switch {
		case !known:
		case is.takes && !was.takes:
			tell(model.NodeUncordoned, model.Normal)
		case !is.takes && was.takes:
			tell(model.NodeCordoned, model.Normal)
		}
	}
	for id := range s.nodes {
		if c.nodes[id] == nil {
			tell(model.NodeLeft, model.Normal)
		}
	}
	s.nodes = now
}
