package life

import (
	"context"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// Collect adds the accounts. One that is new is served at 0 once, so that Prometheus
// sees it rise from there, whatever it has counted already.
func (b *Book) Collect(_ context.Context, w *family.Writer) error {
	b.Settle()
	b.emit(w)
	return nil
}

func (b *Book) emit(w *family.Writer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cpu, starts, kills := w.Series(metrics.WorkloadCPU), w.Series(metrics.WorkloadStarts), w.Series(metrics.WorkloadOOMKills)
	names, whom := scopeNames(), victimNames()
	for _, e := range b.sorted() {
		sum := e.sum
		if !e.shown {
			sum, e.shown = tally{}, true
		}
		l := e.labels()
		cpu.AddBlock(l, sum.cpu)
		starts.AddBlock(l, sum.starts)
		for s := range sum.kills {
			for v, n := range sum.kills[s] {
				kills.AddBlock(l, n, names[s], whom[v])
			}
		}
	}
}

func (e *entry) labels() family.Block {
	return family.NewBlock(metrics.WorkloadCPU.Labels, []string{e.namespace, e.workload, e.workloadType, e.container})
}
