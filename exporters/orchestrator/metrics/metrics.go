// Package metrics is the one table of the families that the orchestrator exporter
// emits of its own. Those under kube-state-metrics' names come from its generators.
//
// A family is the same for every orchestrator. Labels that say what state something
// is in have one series, of the state that it is in.
package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// Table lists every family of the exporter, in the order of exposition.
func Table() family.Table {
	return slices.Concat(
		workloadTable(), serviceTable(), podTable(), containerTable(),
		autoscalerTable(), jobTable(), nodeTable(), countTable(), eventTable(), watchTable(),
	)
}

// The labels that begin families, whoever orchestrates what they are of.
var (
	OrchestratorLabels = []string{"orchestrator"}
	WorkloadLabels     = []string{"orchestrator", "namespace", "workload", "workload_type"}
	ServiceLabels      = []string{"orchestrator", "namespace", "service"}
	PodLabels          = []string{"orchestrator", "namespace", "pod", "workload", "workload_type"}
	ContainerLabels    = []string{"orchestrator", "namespace", "pod", "container", "workload", "workload_type"}
	AutoscalerLabels   = []string{"orchestrator", "namespace", "autoscaler", "workload", "workload_type"}
	JobLabels          = []string{"orchestrator", "namespace", "job_name", "workload", "workload_type"}
	NodeLabels         = []string{"orchestrator", "node"}
)

// Collectors, by what they tell of.
const (
	CollectorWorkloads   = "workload-state"
	CollectorServices    = "service-state"
	CollectorPods        = "pod-state"
	CollectorContainers  = "container-state"
	CollectorAutoscalers = "autoscaler-state"
	CollectorJobs        = "job-state"
	CollectorNodes       = "node-state"
	CollectorCounts      = "workload-counts"
	CollectorEvents      = "events"
	CollectorWatch       = "watch"
)

// of makes gauges of a collector that begin with the same labels.
func of(collector string, labels []string) func(name, unit, help string, more ...string) *family.Family {
	return func(name, unit, help string, more ...string) *family.Family {
		return &family.Family{
			Name: "loadline_" + name, Type: family.Gauge, Unit: unit, Help: help,
			Labels: slices.Concat(labels, more), Collector: collector,
		}
	}
}
