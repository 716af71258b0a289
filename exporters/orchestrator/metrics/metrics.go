// Package metrics is the one table of the families that the orchestrator exporter
// emits of its own. Those under kube-state-metrics' names come from its generators.
package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// Table lists every family of the exporter, in the order of exposition.
func Table() family.Table {
	return slices.Concat(workloadTable())
}

// WorkloadLabels name a workload, whoever orchestrates it.
var WorkloadLabels = []string{"orchestrator", "namespace", "workload", "workload_type"}

// The numbers of a workload's pods.
var (
	ReplicasDesired     = replicas("desired", "that it should have")
	ReplicasCurrent     = replicas("current", "that it has")
	ReplicasUpdated     = replicas("updated", "of its latest revision")
	ReplicasReady       = replicas("ready", "that say they are ready")
	ReplicasAvailable   = replicas("available", "that have been ready for as long as it asks")
	ReplicasSchedulable = replicas("schedulable", "that could run with the nodes there are")
)

func replicas(which, what string) *family.Family {
	return &family.Family{
		Name: "loadline_workload_replicas_" + which, Type: family.Gauge, Collector: "workload-state",
		Labels: WorkloadLabels,
		Help:   "Pods or tasks of a workload " + what + ".",
	}
}

func workloadTable() family.Table {
	return family.Table{
		ReplicasDesired, ReplicasCurrent, ReplicasUpdated, ReplicasReady, ReplicasAvailable, ReplicasSchedulable,
	}
}
