// Package orchestrator is the orchestrator exporter: what services, workloads and pods
// should be and are, on Kubernetes, Swarm and plain Docker in one hierarchy, and
// everything that happens to them as counters.
//
// Start reading at metrics/ and model/. Below this package, each orchestrator has a
// package that fills the model.
package orchestrator

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/kube"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/state"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// Name is the exporter's name: its job, and its part of paths.
const Name = "orchestrator"

// DefaultBudget is the default of --series-budget.
const DefaultBudget = "2000000"

// Options say which orchestrators there are.
type Options struct {
	cluster clusterOptions
	engine  engineOptions
	kube    kube.Options
}

// At says where orchestrators are, in place of the flags --kubeconfig and --docker-host.
func (o *Options) At(kubeconfig, dockerHost string) {
	o.cluster.kubeconfig, o.engine.host = kubeconfig, dockerHost
}

// AddFlags adds the exporter's flags.
func (o *Options) AddFlags(g serve.FlagGroup) {
	o.cluster.addFlags(g)
	o.engine.addFlags(g)
	o.kube.AddFlags(g)
}

// Command is the exporter as a program.
func Command() serve.Command {
	return serve.Command{
		Name: "orchestrator-exporter", Address: ":9852", DefaultBudget: DefaultBudget,
		Help: "Serves what Kubernetes, Swarm and Docker run, want and do to Prometheus.",
		Flags: func(g serve.FlagGroup) serve.Factory {
			var o Options
			o.AddFlags(g)
			return o.New
		},
	}
}

// parts are what the exporter is put together of.
type parts struct {
	counts     *model.Counts
	totals     *model.Totals
	models     []model.Source
	kube       family.Table // kube-state-metrics', where there is a cluster
	collectors []serve.Collector
	sources    []*source.Source
	runs       []func(context.Context)
	close      []func() error
}

// New makes the exporter. It asks nobody: who does not answer is found out by Run.
func (o *Options) New(logger *slog.Logger, wanted family.Filter) (serve.Exporter, error) {
	p := parts{counts: state.NewCounts(), totals: state.NewTotals()}
	if err := p.withCluster(o, wanted, logger); err != nil {
		return serve.Exporter{}, err
	}
	if err := p.withEngine(o, logger); err != nil {
		return serve.Exporter{}, err
	}
	p.collectors = append(p.collectors, state.Collectors(p.models, p.counts, p.totals)...)
	return serve.Exporter{
		Name:       Name,
		Summary:    "State of services, workloads and pods, and their events, of every orchestrator.",
		Families:   slices.Concat(metrics.Table(), p.kube),
		Collectors: p.collectors,
		Sources:    p.sources,
		Run:        p.run,
	}, nil
}

func (p *parts) run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, run := range p.runs {
		wg.Go(func() { run(ctx) })
	}
	<-ctx.Done()
	wg.Wait()
	var errs []error
	for _, c := range p.close {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
