// Package state serves what orchestrators say, in the one form that the model gives
// it. What is not known has no series.
package state

import (
	"context"
	"time"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/counts"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// NewCounts returns empty counters by workload.
func NewCounts() *model.Counts {
	c := counts.NewBook(metrics.WorkloadLabels, model.Ref.Labels)
	for _, k := range model.Alerted() {
		c.Start(metrics.Events, string(k.Class), string(k.Type))
	}
	return c
}

// NewTotals returns empty counters by orchestrator.
func NewTotals() *model.Totals {
	return counts.NewBook(metrics.OrchestratorLabels, func(orchestrator string) []string { return []string{orchestrator} })
}

// Collectors are those of all families of the sources' state, and of what is counted.
func Collectors(sources []model.Source, counted *model.Counts, totals *model.Totals) []serve.Collector {
	s := state{sources}
	return []serve.Collector{
		{Name: metrics.CollectorWorkloads, Collect: s.workloads},
		{Name: metrics.CollectorServices, Collect: s.services},
		{Name: metrics.CollectorPods, Collect: s.pods},
		{Name: metrics.CollectorContainers, Collect: s.containers},
		{Name: metrics.CollectorAutoscalers, Collect: s.autoscalers},
		{Name: metrics.CollectorJobs, Collect: s.jobs},
		{Name: metrics.CollectorNodes, Collect: s.nodes},
		{Name: metrics.CollectorCounts, Collect: func(_ context.Context, w *family.Writer) error {
			counted.Collect(w)
			return nil
		}},
		{Name: metrics.CollectorEvents, Collect: func(_ context.Context, w *family.Writer) error {
			totals.Collect(w)
			return nil
		}},
	}
}

type state struct{ sources []model.Source }

// row is a family of one series a thing, and its value if there is one.
type row[T any] struct {
	family *family.Family
	value  func(x T) (v float64, ok bool)
}

// rows adds the series of things that have several families with the same labels.
type rows[T any] struct {
	rows   []row[T]
	series []*family.Series
}

func newRows[T any](w *family.Writer, of []row[T]) *rows[T] {
	r := &rows[T]{of, make([]*family.Series, len(of))}
	for i := range of {
		r.series[i] = w.Series(of[i].family)
	}
	return r
}

func (r *rows[T]) add(b family.Block, x T) {
	for i, s := range r.series {
		if v, ok := r.rows[i].value(x); ok {
			s.AddBlock(b, v)
		}
	}
}

func amount(c model.Count) (float64, bool) { return float64(c.N), c.Known }

func seconds(t time.Time) (float64, bool) {
	return float64(t.UnixMilli()) / 1000, !t.IsZero()
}

// word adds the series of something's state, if it is in any.
func word[T ~string](s *family.Series, b family.Block, said T) {
	if said != "" {
		s.AddBlock(b, 1, string(said))
	}
}

func ofWorkload(r *model.Ref) family.Block {
	return family.NewBlock(metrics.WorkloadLabels, []string{r.Orchestrator, r.Namespace, r.Name, r.Type})
}

func (s state) workloads(_ context.Context, w *family.Writer) error {
	numbers := newRows(w, workloadRows())
	states, owners, namespaces := w.Series(metrics.RolloutState), w.Series(metrics.WorkloadOwner), w.Series(metrics.NamespaceOwner)
	for _, from := range s.sources {
		from.Workloads(func(x *model.Workload) {
			b := ofWorkload(&x.Ref)
			numbers.add(b, x)
			word(states, b, x.Rollout.State)
			word(owners, b, x.Owner)
		})
		from.NamespaceOwners(func(x *model.NamespaceOwner) {
			if x.Owner != "" {
				namespaces.Add(1, x.Orchestrator, x.Namespace, x.Owner)
			}
		})
	}
	return nil
}

func workloadRows() []row[*model.Workload] {
	return []row[*model.Workload]{
		{metrics.ReplicasDesired, func(x *model.Workload) (float64, bool) { return amount(x.Replicas.Desired) }},
		{metrics.ReplicasCurrent, func(x *model.Workload) (float64, bool) { return amount(x.Replicas.Current) }},
		{metrics.ReplicasUpdated, func(x *model.Workload) (float64, bool) { return amount(x.Replicas.Updated) }},
		{metrics.ReplicasReady, func(x *model.Workload) (float64, bool) { return amount(x.Replicas.Ready) }},
		{metrics.ReplicasAvailable, func(x *model.Workload) (float64, bool) { return amount(x.Replicas.Available) }},
		{metrics.ReplicasSchedulable, func(x *model.Workload) (float64, bool) { return amount(x.Replicas.Schedulable) }},
		{metrics.WorkloadPaused, func(x *model.Workload) (float64, bool) { return amount(x.Paused) }},
		{metrics.WorkloadGenerationLag, func(x *model.Workload) (float64, bool) { return amount(x.GenerationLag) }},
		{metrics.RolloutStart, func(x *model.Workload) (float64, bool) { return seconds(x.Rollout.Started) }},
		{metrics.RolloutEnd, func(x *model.Workload) (float64, bool) { return seconds(x.Rollout.Ended) }},
	}
}

func (s state) services(_ context.Context, w *family.Writer) error {
	pods, endpoints := w.Series(metrics.ServicePod), w.Series(metrics.ServiceEndpoints)
	for _, from := range s.sources {
		from.Services(func(x *model.Service) {
			b := family.NewBlock(metrics.ServiceLabels, []string{x.Orchestrator, x.Namespace, x.Name})
			for _, pod := range x.Pods {
				pods.AddBlock(b, 1, pod)
			}
			states(endpoints, b, []numbered{
				{"ready", x.Endpoints.Ready}, {"not_ready", x.Endpoints.NotReady}, {"terminating", x.Endpoints.Terminating},
			})
		})
	}
	return nil
}

// numbered is how many are in a state.
type numbered struct {
	state string
	n     model.Count
}

func states(s *family.Series, b family.Block, all []numbered) {
	for _, x := range all {
		if x.n.Known {
			s.AddBlock(b, float64(x.n.N), x.state)
		}
	}
}

func (s state) autoscalers(_ context.Context, w *family.Writer) error {
	numbers := newRows(w, []row[*model.Autoscaler]{
		{metrics.AutoscalerMin, func(x *model.Autoscaler) (float64, bool) { return amount(x.Min) }},
		{metrics.AutoscalerMax, func(x *model.Autoscaler) (float64, bool) { return amount(x.Max) }},
		{metrics.AutoscalerCurrent, func(x *model.Autoscaler) (float64, bool) { return amount(x.Current) }},
		{metrics.AutoscalerDesired, func(x *model.Autoscaler) (float64, bool) { return amount(x.Desired) }},
	})
	limited := w.Series(metrics.AutoscalerLimited)
	for _, from := range s.sources {
		from.Autoscalers(func(x *model.Autoscaler) {
			b := family.NewBlock(metrics.AutoscalerLabels, []string{x.Orchestrator, x.Namespace, x.Name, x.Target.Name, x.Target.Type})
			numbers.add(b, x)
			word(limited, b, x.Limited)
		})
	}
	return nil
}
