package metrics

import "github.com/loadline-exporters/loadline/internal/family"

var node = of(CollectorNodes, NodeLabels)

// Nodes, as the orchestrator sees them.
var (
	NodeInfo = node("orchestrator_node_info", "",
		"A node's role (control_plane, manager, worker) and the version of what runs the containers there; always 1.", "role", "version")
	NodeReady        = node("orchestrator_node_ready", "", "Whether a node says that it is ready, and is heard of.")
	NodeSchedulable  = node("orchestrator_node_schedulable", "", "Whether a node takes new pods or tasks: it was not cordoned, drained or paused.")
	NodeAvailability = node("orchestrator_node_availability", "",
		"What an operator wants of a node: active, paused (takes nothing new), drained (gives up what it has too); always 1.", "availability")
	NodeManagerReachable = node("orchestrator_node_manager_reachable", "", "Whether the managers reach a node that is one of them.")
	NodeManagerLeader    = node("orchestrator_node_manager_leader", "", "Whether a node that is a manager leads the others.")
	NodeCondition        = node("orchestrator_node_condition", "", "Whether a node suffers from a condition.", "condition")
	NodeCapacity         = node("orchestrator_node_capacity", "", "How much of a resource a node has.", "resource", "unit")
	NodeAllocatable      = node("orchestrator_node_allocatable", "", "How much of a resource a node has for pods or tasks.", "resource", "unit")
)

func nodeTable() family.Table {
	return family.Table{NodeInfo, NodeReady, NodeSchedulable, NodeAvailability, NodeManagerReachable, NodeManagerLeader, NodeCondition, NodeCapacity, NodeAllocatable}
}
