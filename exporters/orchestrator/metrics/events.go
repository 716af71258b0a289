package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// seconds are the bounds of what pods wait for.
var seconds = []float64{1, 2, 5, 10, 30, 60, 120, 300, 900}

// waited makes histograms by workload.
func waited(name, until string) *family.Family {
	f := count(name, "Time from a pod's creation until "+until+", of pods that came so far since the exporter started; in whole seconds, as the API tells times.")
	f.Type, f.Unit, f.Buckets = family.Histogram, "seconds", seconds
	return f
}

// What happens to workloads, as counters that begin as those of countTable do. Events
// of what belongs to no workload, such as nodes, have an empty one.
var (
	Events = &family.Family{
		Name: "loadline_events_total", Type: family.Counter, Collector: CollectorCounts,
		Help:   "Events that the orchestrator reported since the exporter started, by class (a closed list, the same for every orchestrator) and type (normal, warning, other).",
		Labels: slices.Concat(WorkloadLabels, []string{"class", "type"}),
	}
	Terminations = count("terminations_total",
		"Processes of a workload's containers that ended, by reason: completed, error, oom_killed, cannot_run, deadline_exceeded, evicted, unknown (nobody saw how), other.",
		"container", "reason")
	PodScheduled = waited("pod_scheduling_duration_seconds", "it was given a node")
	PodStarted   = waited("pod_start_duration_seconds", "all of its containers had been started")
	PodReady     = waited("pod_ready_duration_seconds", "it was ready for the first time")
)

// total makes families by orchestrator.
func total(name, unit, help string, buckets []float64, labels ...string) *family.Family {
	f := &family.Family{
		Name: "loadline_" + name, Type: family.Histogram, Unit: unit, Collector: CollectorEvents, Buckets: buckets, Help: help,
		Labels: slices.Concat(OrchestratorLabels, labels),
	}
	if buckets == nil {
		f.Type = family.Counter
	}
	return f
}

const mib = 1 << 20

// What pulls take, and what is known of counting events itself.
var (
	PullDuration = total("image_pull_duration_seconds", "seconds",
		"Duration of an image's pull, without waiting for others, by the registry that its name says. The first 50 registries have series of their own.",
		[]float64{0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600}, "registry")
	PullBytes = total("image_pull_size_bytes", "bytes",
		"Size of an image that was pulled, as the runtime says it, by the registry that its name says.",
		[]float64{mib, 10 * mib, 50 * mib, 100 * mib, 250 * mib, 500 * mib, 1024 * mib, 2048 * mib, 5120 * mib}, "registry")
	EventLag = total("events_lag_seconds", "seconds",
		"Time from an event's last occurrence, as the one who reported it says, until it was counted. Kubernetes tells of repeated events late: once in half an hour at the latest.",
		[]float64{1, 2, 5, 15, 60, 300, 1800})
	EventsDropped = total("events_dropped_total", "",
		"Events that were not counted, by reason: series (their workload has too many).",
		nil, "reason")
)

// DroppedSeries is why an event is not counted whose workload has too many series.
const DroppedSeries = "series"

func eventTable() family.Table {
	return family.Table{
		Events, Terminations, PodScheduled, PodStarted, PodReady,
		PullDuration, PullBytes, EventLag, EventsDropped,
	}
}
