package swarm

import (
	"slices"
	"strings"

	"github.com/moby/moby/api/types/swarm"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

func (c *cluster) nodeList() []model.Node {
	var out []model.Node
	for _, n := range c.nodes {
		out = append(out, n.model())
	}
	slices.SortFunc(out, func(a, b model.Node) int { return strings.Compare(a.Node, b.Node) })
	return out
}

func (n *node) model() model.Node {
	has := n.Description.Resources
	capacity := []model.Amount{
		{Resource: model.Resources()[0], Value: float64(has.NanoCPUs) / 1e9},
		{Resource: model.Resources()[1], Value: float64(has.MemoryBytes)},
	}
	m := model.Node{
		Orchestrator: hierarchy.Swarm, Node: n.name, Role: model.Worker, Version: n.Description.Engine.EngineVersion,
		Ready: flag(n.Status.State == swarm.NodeStateReady), Schedulable: flag(n.Spec.Availability == swarm.NodeAvailabilityActive),
		Availability: availability(n.Spec.Availability),
		// Swarm keeps nothing of a node for itself.
		Capacity: capacity, Allocatable: capacity,
	}
	if n.Spec.Role == swarm.NodeRoleManager {
		m.Role = model.Manager
	}
	if is := n.ManagerStatus; is != nil {
		m.Reachable, m.Leader = flag(is.Reachability == swarm.ReachabilityReachable), flag(is.Leader)
	}
	return m
}

func availability(a swarm.NodeAvailability) model.Availability {
	switch a {
	case swarm.NodeAvailabilityActive:
		return model.Active
	case swarm.NodeAvailabilityPause:
		return model.Paused
	case swarm.NodeAvailabilityDrain:
		return model.Drained
	}
	return ""
}

func flag(b bool) model.Count {
	if b {
		return model.Of(1)
	}
	return model.Of(0)
}
