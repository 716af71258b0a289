package orchestrator

import (
	"context"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/family"
)

// state serves the model of all orchestrators.
type state struct{ sources []model.Source }

func (s state) workloads(_ context.Context, w *family.Writer) error {
	desired, current, updated := w.Series(metrics.ReplicasDesired), w.Series(metrics.ReplicasCurrent), w.Series(metrics.ReplicasUpdated)
	ready, available, schedulable := w.Series(metrics.ReplicasReady), w.Series(metrics.ReplicasAvailable), w.Series(metrics.ReplicasSchedulable)
	for _, from := range s.sources {
		from.Workloads(func(x *model.Workload) {
			l := family.NewBlock(metrics.WorkloadLabels, []string{x.Orchestrator, x.Namespace, x.Workload.Name, x.Type})
			add := func(to *family.Series, n model.Count) {
				if n.Known {
					to.AddBlock(l, float64(n.N))
				}
			}
			add(desired, x.Replicas.Desired)
			add(current, x.Replicas.Current)
			add(updated, x.Replicas.Updated)
			add(ready, x.Replicas.Ready)
			add(available, x.Replicas.Available)
			add(schedulable, x.Replicas.Schedulable)
		})
	}
	return nil
}
