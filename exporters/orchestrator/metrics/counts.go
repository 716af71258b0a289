package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

func count(name, help string, labels ...string) *family.Family {
	return &family.Family{
		Name: "loadline_workload_" + name, Type: family.Counter, Help: help,
		Labels: slices.Concat(WorkloadLabels, labels), Collector: CollectorCounts,
	}
}

// What is counted by workload from the exporter's start, begins at 0 when a workload
// is first seen and outlives its last pod by an hour.
var (
	Rollouts = count("rollouts_total",
		"Rollouts of a workload that came to a result: completed, failed (past its deadline; it may be completed later, and counts again), rolled_back (completed, to a revision that was there before).",
		"result")
	Restarts = count("restarts_total", "Times that a container of a workload was started again.", "container")
	// PodFailures count a pod's name too: a task's slot, which stays.
	PodFailures = count("pod_failures_total",
		"Tasks that failed, or could not run, by slot and reason: no_suitable_node, no_such_image, rejected, start_failed, unhealthy, oom_killed, non_zero_exit, orphaned, other (Swarm).",
		"pod", "reason")
	JobRuns = count("job_runs_total", "Runs of a workload that ended: complete, failed.", "result")
)

// Results of rollouts.
const (
	Completed  = "completed"
	Failed     = "failed"
	RolledBack = "rolled_back"
)

func countTable() family.Table { return family.Table{Rollouts, Restarts, PodFailures, JobRuns} }
