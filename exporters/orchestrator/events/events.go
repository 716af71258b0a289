// Package events counts what happens in Kubernetes: events by class, how containers
// end, how long pods take to run.
//
// The API server stores an event's repetitions as one object whose count grows, and
// forgets it an hour later. What is counted is by how much counts grow while this
// exporter watches: what it finds at its start is where it begins, so that a restart
// counts nothing twice, and a list after a gap counts what happened in the gap, once.
// What was deleted in a gap is not known of.
package events

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Workloads finds the workloads of objects that are no pods.
type Workloads interface {
	// WorkloadOf is what a ReplicaSet, a Job or a HorizontalPodAutoscaler belongs to. ok
	// is false while nothing is known of the object.
	WorkloadOf(kind, namespace, name string) (w hierarchy.Workload, ok bool)
}

// Options say where counts go.
type Options struct {
	Counts    *model.Counts
	Totals    *model.Totals
	Workloads Workloads
	// Owns says whether what happens to a workload is for this exporter to count. Where
	// there are several, they do not count the same. What belongs to no workload has an
	// empty one.
	Owns func(namespace string, w hierarchy.Workload) bool
}

// Recorder counts what sinks are told.
type Recorder struct {
	options Options
	pods    *podSink
	events  *eventSink

	mu         sync.Mutex // guards what both sinks know, and what follows
	waiting    []waiting
	between    departed[object, hierarchy.Workload]
	registries map[string]bool
}

// New returns a recorder that knows of nothing yet.
func New(o Options) *Recorder {
	if o.Owns == nil {
		o.Owns = func(string, hierarchy.Workload) bool { return true }
	}
	r := &Recorder{
		options: o, registries: map[string]bool{},
		between: departed[object, hierarchy.Workload]{keep: keepDeleted, most: mostDeleted},
	}
	r.pods = newPodSink(r)
	r.events = newEventSink(r)
	o.Totals.Hold(hierarchy.Kubernetes)
	o.Totals.Add(metrics.EventsDropped, hierarchy.Kubernetes, 0, metrics.DroppedSeries)
	return r
}

// Sinks are what is to be told of objects, by resource.
func (r *Recorder) Sinks() map[string]watch.Sink {
	return map[string]watch.Sink{"pods": r.pods, "events": r.events}
}

// waiting is an event of something that is not known yet: pods and events are told
// separately, so an event may come first.
type waiting struct {
	event *event
	n     int64
	since time.Time
}

const (
	waitFor    = 30 * time.Second // until an event counts under no workload
	mostWait   = 10_000
	settleEach = time.Second
)

// Run settles what waits, until the context ends.
func (r *Recorder) Run(ctx context.Context) {
	tick := time.NewTicker(settleEach)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			r.settle(now)
		}
	}
}

// settle counts what waits, as far as it is known by now or has waited for long enough.
func (r *Recorder) settle(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pods.settle(now)
	still := r.waiting[:0]
	for _, w := range r.waiting {
		ref, ok := r.refOf(w.event)
		if !ok && now.Sub(w.since) < waitFor {
			still = append(still, w)
			continue
		}
		r.count(w.event, ref, w.n)
	}
	clear(r.waiting[len(still):])
	r.waiting = still
}

// happened takes n occurrences of an event.
func (r *Recorder) happened(e *event, n int64) {
	ref, ok := r.refOf(e)
	if !ok && len(r.waiting) < mostWait {
		r.waiting = append(r.waiting, waiting{e, n, time.Now()})
		return
	}
	r.count(e, ref, n)
}

func (r *Recorder) count(e *event, ref model.Ref, n int64) {
	if !r.options.Owns(ref.Namespace, ref.Workload) {
		return
	}
	r.options.Totals.Observe(metrics.EventLag, hierarchy.Kubernetes, max(0, time.Since(e.last).Seconds()))
	if e.pull.Image != "" {
		r.pulled(e.pull)
	}
	if !r.options.Counts.Add(metrics.Events, ref, float64(n), string(e.class), string(e.kindOf)) {
		r.options.Totals.Add(metrics.EventsDropped, hierarchy.Kubernetes, float64(n), metrics.DroppedSeries)
	}
}

// refOf is the workload of what an event is about; none where it has none. While it
// is not known, ok is false and it is the best that can be said.
func (r *Recorder) refOf(e *event) (ref model.Ref, ok bool) {
	ref = model.Ref{Orchestrator: hierarchy.Kubernetes, Namespace: e.about.Namespace}
	switch e.about.kind {
	case "Pod":
		if p, known := r.pods.ref(e.about); known {
			return p, true
		}
		return ref, false
	case "ReplicaSet", "Job", "HorizontalPodAutoscaler":
		if ref.Workload, ok = r.workloadOf(e.about); !ok {
			ref.Workload = itself(e.about)
		}
		return ref, ok
	}
	ref.Workload = itself(e.about)
	return ref, true
}

// workloadOf is the workload of what is between it and its pods, and may be gone.
func (r *Recorder) workloadOf(o object) (w hierarchy.Workload, ok bool) {
	if r.options.Workloads == nil {
		return w, false
	}
	o.uid = ""
	if w, ok = r.options.Workloads.WorkloadOf(o.kind, o.Namespace, o.Name); ok {
		r.between.add(o, w, time.Now())
		return w, true
	}
	return r.between.get(o)
}

// itself is the workload that an object is; none if it is no workload.
func itself(o object) hierarchy.Workload {
	switch kind := strings.ToLower(o.kind); kind {
	case hierarchy.Deployment, hierarchy.StatefulSet, hierarchy.DaemonSet, hierarchy.CronJob, hierarchy.Job, hierarchy.ReplicaSet,
		hierarchy.ReplicationController, hierarchy.Rollout, hierarchy.DeploymentConfig:
		return hierarchy.Workload{Name: o.Name, Type: kind}
	}
	return hierarchy.Workload{}
}

// maxRegistries bounds those that have series of their own.
const (
	maxRegistries   = 50
	otherRegistries = "other"
)

func (r *Recorder) pulled(p Pull) {
	registry := Registry(p.Image)
	if !r.registries[registry] {
		if len(r.registries) < maxRegistries && len(registry) <= maxName {
			registry = strings.Clone(registry) // not the whole message
			r.registries[registry] = true
		} else {
			registry = otherRegistries
		}
	}
	r.options.Totals.Observe(metrics.PullDuration, hierarchy.Kubernetes, p.Duration.Seconds(), registry)
	if p.Bytes > 0 {
		r.options.Totals.Observe(metrics.PullBytes, hierarchy.Kubernetes, p.Bytes, registry)
	}
}
