package metrics

import "github.com/loadline-exporters/loadline/internal/family"

var workload = of(CollectorWorkloads, WorkloadLabels)

// The numbers of a workload's pods.
var (
	ReplicasDesired     = replicas("desired", "that it should have")
	ReplicasCurrent     = replicas("current", "that it has")
	ReplicasUpdated     = replicas("updated", "of its latest revision")
	ReplicasReady       = replicas("ready", "that say they are ready")
	ReplicasAvailable   = replicas("available", "that have been ready for as long as it asks")
	ReplicasSchedulable = replicas("schedulable", "that could run with the nodes there are: of what runs once a node, the nodes that it fits; of others, those desired without those that no node takes")
)

func replicas(which, what string) *family.Family {
	return workload("workload_replicas_"+which, "", "Pods or tasks of a workload "+what+".")
}

// How the rollout of a workload goes.
var (
	WorkloadPaused = workload("workload_paused", "",
		"Whether rollouts of a workload, or what it starts by the clock, are held back by hand.")
	WorkloadGenerationLag = workload("workload_generation_lag", "",
		"Changes of a workload's specification that its controller has not looked at yet.")
	RolloutState = workload("workload_rollout_state", "",
		"What the rollout of a workload is at (complete, progressing, stalled, rolling_back); always 1. A rollout is the replacing of pods by those of another revision; scaling is none.",
		"state")
	RolloutStart = workload("workload_rollout_start_timestamp_seconds", "seconds",
		"When the last rollout of a workload began; missing where that is not known.")
	RolloutEnd = workload("workload_rollout_end_timestamp_seconds", "seconds",
		"When the last rollout of a workload was complete; missing while one goes on.")
)

// Whose things are, for the routing of alerts.
var (
	WorkloadOwner = workload("workload_owner", "",
		"Who owns a workload (--owner-labels, --owner-annotations), else its namespace; always 1.", "owner")
	NamespaceOwner = of(CollectorWorkloads, []string{"orchestrator", "namespace"})("namespace_owner", "",
		"Who owns a namespace (--owner-labels, --owner-annotations); always 1.", "owner")
)

func workloadTable() family.Table {
	return family.Table{
		ReplicasDesired, ReplicasCurrent, ReplicasUpdated, ReplicasReady, ReplicasAvailable, ReplicasSchedulable,
		WorkloadPaused, WorkloadGenerationLag, RolloutState, RolloutStart, RolloutEnd, WorkloadOwner, NamespaceOwner,
	}
}
