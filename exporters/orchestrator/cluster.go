package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/fields"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/events"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/kube"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/kubernetes"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// clusterOptions say which API server is watched, and what of it.
type clusterOptions struct {
	kubeconfig             string
	namespaces, denylisted string
	node                   string // whose pods alone are watched
	unscheduled            bool   // pods alone that have no node

	ownerLabels, ownerAnnotations string
}

func (o *clusterOptions) addFlags(g serve.FlagGroup) {
	g.Flag("kubeconfig", "Kubeconfig of the API server to watch; without it the one of the cluster that this runs in, if any.").
		StringVar(&o.kubeconfig)
	g.Flag("namespaces", "Comma-separated namespaces to watch, each by requests of its own, so that rights to these alone are enough; empty for all.").
		StringVar(&o.namespaces)
	g.Flag("namespaces-denylist", "Comma-separated namespaces to leave out.").StringVar(&o.denylisted)
	g.Flag("node", "Serve kube_pod_* of this node's pods and nothing else of the cluster; for a DaemonSet, with --resources=pods, "+
		"beside one exporter that serves the rest.").StringVar(&o.node)
	g.Flag("track-unscheduled-pods", "Serve kube_pod_* of the pods that have no node, beside those with --node; with --resources=pods. It wins over --node.").
		BoolVar(&o.unscheduled)
	g.Flag("owner-labels", "Comma-separated labels of namespaces and workloads that say who owns them; the first that is there counts.").
		Default("team,owner").StringVar(&o.ownerLabels)
	g.Flag("owner-annotations", "The same for annotations, where no label says so.").StringVar(&o.ownerAnnotations)
}

// cluster is an API server that is watched: who wants to know of a resource adds a
// sink to the watcher.
type cluster struct {
	*watch.Clients
	watcher *watch.Watcher
}

// connect returns nil where there is no cluster, which the source says. A kubeconfig
// that can't be used is an error.
func (o *clusterOptions) connect(logger *slog.Logger) (*cluster, *source.Source, error) {
	config, err := watch.Config(o.kubeconfig)
	if err != nil && o.kubeconfig != "" {
		return nil, nil, fmt.Errorf("kubeconfig %s: %w", o.kubeconfig, err)
	}
	if err != nil {
		absent := source.New("kubernetes")
		absent.Report(source.Because(source.Absent, errors.New("no kubeconfig was given, and this does not run in a cluster")), "")
		return nil, absent, nil
	}
	clients, err := watch.NewClients(config)
	if err != nil {
		return nil, nil, fmt.Errorf("kubeconfig %s: %w", o.kubeconfig, err)
	}
	namespaces, selector := o.chosen()
	return &cluster{Clients: clients, watcher: watch.New(clients.Typed, watch.Options{
		Namespaces: namespaces, FieldSelector: selector, Logger: logger,
	})}, nil, nil
}

// chosen are the namespaces to watch, and what chooses among what is in them.
func (o *clusterOptions) chosen() (namespaces []string, selector string) {
	var terms []fields.Selector
	for _, ns := range split(o.denylisted) {
		terms = append(terms, fields.OneTermNotEqualSelector("metadata.namespace", ns))
	}
	switch {
	case o.unscheduled:
		terms = append(terms, fields.OneTermEqualSelector(nodeName, ""))
	case o.node != "":
		terms = append(terms, fields.OneTermEqualSelector(nodeName, o.node))
	}
	return split(o.namespaces), fields.AndSelectors(terms...).String()
}

// nodeName is the field by which the API server chooses pods, and nothing but pods.
const nodeName = "spec.nodeName"

// byNode says whether pods are chosen by their node. Then there is nothing else that
// could be said of workloads.
func (o *clusterOptions) byNode() bool { return o.unscheduled || o.node != "" }

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// withEvents counts what happens in a cluster whose workloads the model knows.
func (p *parts) withEvents(c *cluster, m *kubernetes.Cluster, s *kube.Shard) error {
	recorder := events.New(events.Options{Counts: p.counts, Totals: p.totals, Workloads: m, Owns: s.Owns})
	p.runs = append(p.runs, recorder.Run)
	return c.add(recorder.Sinks())
}

// add has sinks told of their resources.
func (c *cluster) add(sinks map[string]watch.Sink) error {
	for _, resource := range slices.Sorted(maps.Keys(sinks)) {
		if err := c.watcher.Add(resource, sinks[resource]); err != nil {
			return err
		}
	}
	return nil
}

// collect says how the API server's resources are watched.
func (c *cluster) collect(_ context.Context, w *family.Writer) error {
	for _, n := range c.watcher.Counts() {
		w.Series(metrics.WatchLists).Add(float64(n.Lists), n.Resource)
		w.Series(metrics.WatchEvents).Add(float64(n.Events), n.Resource)
		w.Series(metrics.WatchSkipped).Add(float64(n.Skipped), n.Resource)
	}
	return nil
}

// withCluster adds what is known of an API server, if there is one.
func (p *parts) withCluster(o *Options, wanted family.Filter, logger *slog.Logger) error {
	c, absent, err := o.cluster.connect(logger)
	switch {
	case err != nil:
		return err
	case c == nil:
		p.sources = append(p.sources, absent)
		return nil
	}
	own, err := metrics.Table().Select(wanted)
	if err != nil {
		return err
	}
	if o.cluster.byNode() {
		if !slices.Equal(o.kube.Resources, []string{"pods"}) {
			return errors.New("--node and --track-unscheduled-pods choose among pods, and nothing else has a node to be chosen by: give --resources=pods, too")
		}
		own = nil
	}
	state, err := kube.New(o.kube, wanted, kube.API{Client: c.Typed, Dynamic: c.Untyped, Watcher: c.watcher, Logger: logger})
	if err != nil {
		return err
	}
	if len(own) > 0 { // else nothing is watched that kube-state-metrics' families don't need
		m, err := p.withModel(&o.cluster, c, state.Shard)
		if err != nil {
			return err
		}
		if err := p.withEvents(c, m, state.Shard); err != nil {
			return err
		}
	}
	p.kube = state.Families()
	p.collectors = append(p.collectors, state.Collectors()...)
	p.collectors = append(p.collectors, serve.Collector{Name: metrics.CollectorWatch, Collect: c.collect})
	p.sources = append(p.sources, c.watcher.Sources()...)
	p.sources = append(p.sources, state.Sources()...)
	p.runs = append(p.runs, func(ctx context.Context) {
		state.Run(ctx)
		c.Close()
	})
	return nil
}

// withModel fills the model from the cluster's objects.
func (p *parts) withModel(o *clusterOptions, c *cluster, s *kube.Shard) (*kubernetes.Cluster, error) {
	m := kubernetes.New(kubernetes.Options{
		OwnerLabels: split(o.ownerLabels), OwnerAnnotations: split(o.ownerAnnotations),
		Fresh: c.watcher.Fresh, Counts: p.counts, Owns: s.Owns,
	})
	p.models = append(p.models, m)
	return m, c.add(m.Sinks())
}
