package page

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Orchestrated is what orchestrators want, run and did.
type Orchestrated struct {
	Workloads []Wanted // what lacks something first
	Services  []Service
	Events    []Event // of the last hour, warnings first
	// MoreWorkloads, MoreServices and MoreEvents are not shown.
	MoreWorkloads, MoreServices, MoreEvents int
}

// Wanted is a workload: how many pods it should have and has ready. Amounts are NaN
// where nobody knows them.
type Wanted struct {
	Orchestrator, Namespace, Name, Kind string

	Desired, Ready float64
	Rollout        string    // its state
	Since          time.Time // when its last rollout began
	Until          time.Time // when that was complete
	Waiting        []string  // why containers of it do not run
	Restarts       float64   // in the last hour
}

// Trouble orders workloads: what needs a look is higher.
func (w *Wanted) Trouble() int {
	switch {
	case w.Rollout == "stalled":
		return 4
	case w.Lacks():
		return 3
	case len(w.Waiting) > 0:
		return 2
	case w.Rollout == "progressing", w.Rollout == "rolling_back":
		return 1
	}
	return 0
}

// Lacks says that fewer pods are ready than are wanted.
func (w *Wanted) Lacks() bool { return w.Ready < w.Desired }

// Service is a name under which pods are reached.
type Service struct {
	Orchestrator, Namespace, Name string
	Ready, NotReady               float64
}

// Event is how often something happened.
type Event struct {
	Orchestrator, Namespace, Workload string
	Class                             string
	Warning                           bool
	Count                             float64
}

// How many rows of each are shown: a cluster has more than anybody reads.
const (
	shownWorkloads = 100
	shownServices  = 50
	shownEvents    = 30
)

// The queries of what orchestrators say. %[4]s is the selector of the machine's own
// orchestrator exporter.
const (
	byWorkload = `orchestrator, namespace, workload, workload_type`

	queryDesired  = `loadline_workload_replicas_desired{%[4]s}`
	queryReady    = `loadline_workload_replicas_ready{%[4]s}`
	queryRollout  = `loadline_workload_rollout_state{%[4]s}`
	queryBegan    = `loadline_workload_rollout_start_timestamp_seconds{%[4]s}`
	queryDone     = `loadline_workload_rollout_end_timestamp_seconds{%[4]s}`
	queryWaiting  = `count by (` + byWorkload + `, reason) (loadline_container_waiting{%[4]s})`
	queryRestarts = `sum by (` + byWorkload + `) (increase(loadline_workload_restarts_total{%[4]s}[1h])) >= 0.5`
	queryServices = `loadline_service_endpoints{%[4]s}`
	queryEvents   = `sum by (` + byWorkload + `, class, type) (increase(loadline_events_total{%[4]s}[1h])) >= 0.5`
)

type workloadKey struct{ orchestrator, namespace, name, kind string }

func keyOf(l labels.Labels) workloadKey {
	return workloadKey{l.Get("orchestrator"), l.Get("namespace"), l.Get("workload"), l.Get("workload_type")}
}

// orchestrated asks for what the orchestrator exporter serves.
func (a *asker) orchestrated(ctx context.Context) *Orchestrated {
	o := &Orchestrated{Workloads: a.wanted(ctx), Services: a.services(ctx), Events: a.events(ctx)}
	o.Workloads, o.MoreWorkloads = first(o.Workloads, shownWorkloads)
	o.Services, o.MoreServices = first(o.Services, shownServices)
	o.Events, o.MoreEvents = first(o.Events, shownEvents)
	return o
}

func first[T any](all []T, n int) (shown []T, more int) {
	n = min(n, len(all))
	return all[:n], len(all) - n
}

func (a *asker) wanted(ctx context.Context) []Wanted {
	all := map[workloadKey]*Wanted{}
	of := func(query string, set func(*Wanted, labels.Labels, float64)) {
		for _, s := range a.vector(ctx, query) {
			k := keyOf(s.Metric)
			w := all[k]
			if w == nil {
				w = &Wanted{
					Orchestrator: k.orchestrator, Namespace: k.namespace, Name: k.name, Kind: k.kind, Desired: math.NaN(), Ready: math.NaN(),
				}
				all[k] = w
			}
			set(w, s.Metric, s.F)
		}
	}
	of(queryDesired, func(w *Wanted, _ labels.Labels, v float64) { w.Desired = v })
	of(queryReady, func(w *Wanted, _ labels.Labels, v float64) { w.Ready = v })
	of(queryRollout, func(w *Wanted, l labels.Labels, _ float64) { w.Rollout = l.Get("state") })
	there := len(all)
	of(queryBegan, func(w *Wanted, _ labels.Labels, v float64) { w.Since = time.UnixMilli(int64(v * 1000)) })
	of(queryDone, func(w *Wanted, _ labels.Labels, v float64) { w.Until = time.UnixMilli(int64(v * 1000)) })
	of(queryWaiting, func(w *Wanted, l labels.Labels, _ float64) { w.Waiting = append(w.Waiting, l.Get("reason")) })
	of(queryRestarts, func(w *Wanted, _ labels.Labels, v float64) { w.Restarts = v })
	out := make([]Wanted, 0, there)
	for _, w := range all {
		// What outlives a workload is no workload.
		if !math.IsNaN(w.Desired) || !math.IsNaN(w.Ready) || w.Rollout != "" {
			slices.Sort(w.Waiting)
			out = append(out, *w)
		}
	}
	slices.SortFunc(out, func(a, b Wanted) int {
		return cmp.Or(cmp.Compare(b.Trouble(), a.Trouble()), strings.Compare(a.Namespace, b.Namespace),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Orchestrator, b.Orchestrator))
	})
	return out
}

func (a *asker) services(ctx context.Context) []Service {
	type key struct{ orchestrator, namespace, name string }
	all := map[key]*Service{}
	for _, s := range a.vector(ctx, queryServices) {
		k := key{s.Metric.Get("orchestrator"), s.Metric.Get("namespace"), s.Metric.Get("service")}
		if all[k] == nil {
			all[k] = &Service{Orchestrator: k.orchestrator, Namespace: k.namespace, Name: k.name}
		}
		switch s.Metric.Get("state") {
		case "ready":
			all[k].Ready = s.F
		case "not_ready":
			all[k].NotReady = s.F
		}
	}
	out := make([]Service, 0, len(all))
	for _, s := range all {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Service) int {
		return cmp.Or(cmp.Compare(b.NotReady, a.NotReady), cmp.Compare(min(a.Ready, 1), min(b.Ready, 1)),
			strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name), strings.Compare(a.Orchestrator, b.Orchestrator))
	})
	return out
}

func (a *asker) events(ctx context.Context) []Event {
	var out []Event
	for _, s := range a.vector(ctx, queryEvents) {
		l := s.Metric
		out = append(out, Event{
			Orchestrator: l.Get("orchestrator"), Namespace: l.Get("namespace"), Workload: l.Get("workload"),
			Class: l.Get("class"), Warning: l.Get("type") == "warning", Count: math.Round(s.F),
		})
	}
	slices.SortFunc(out, func(a, b Event) int {
		if a.Warning != b.Warning {
			if a.Warning {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Class, b.Class), strings.Compare(a.Namespace, b.Namespace),
			strings.Compare(a.Workload, b.Workload), strings.Compare(a.Orchestrator, b.Orchestrator))
	})
	return out
}

// spaced writes a word of a label as people do.
func spaced(word string) string { return strings.ReplaceAll(word, "_", " ") }

// rollout says what a workload's last rollout is at.
func rollout(w Wanted, now time.Time) string {
	at := func(since time.Time) string {
		if since.IsZero() {
			return ""
		}
		if d := now.Sub(since); d < time.Minute {
			return fmt.Sprintf("%d s", max(int(d.Seconds()), 0))
		}
		return duration(now.Sub(since))
	}
	switch w.Rollout {
	case "":
		return absent
	case "complete":
		if ago := at(w.Until); ago != "" {
			return "complete, " + ago + " ago"
		}
		return "complete"
	}
	if ago := at(w.Since); ago != "" {
		return spaced(w.Rollout) + " for " + ago
	}
	return spaced(w.Rollout)
}
