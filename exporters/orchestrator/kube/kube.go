// Package kube serves the families of kube-state-metrics to the letter: they are made
// by its own generators, of objects that are watched once for the whole exporter.
//
// What is different is what is kept. An object's series are text that is made once a
// change, without what they have in common (record), and a scrape walks over these
// texts once. A list takes the former one's place at once. What no flag asks for is
// not made, and Secrets are not read unless they are asked for by name.
package kube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/kube-state-metrics/v2/pkg/options"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// Options are kube-state-metrics' own, under its names.
type Options struct {
	Resources   []string            // in the plural; empty for DefaultResources
	Labels      map[string][]string // by resource or "*", the labels that are served as labels
	Annotations map[string][]string // the same of annotations
	OptIn       []string            // regular expressions of families that are off by themselves, found anywhere in a name
	Shard       int                 // from 0
	TotalShards int

	Pod, PodNamespace string // this exporter's own, whose StatefulSet says the shard

	CustomConfig, CustomConfigFile string // of custom resources, in kube-state-metrics' form: text, or a file
	CustomOnly                     bool   // serve these alone
}

// AddFlags adds the flags.
func (o *Options) AddFlags(g serve.FlagGroup) {
	g.Flag("resources", "Comma-separated resources that have kube_* families; "+
		"secrets have to be asked for, because the right to list them is the right to read them.").
		Default(strings.Join(DefaultResources(), ",")).SetValue((*list)(&o.Resources))
	g.Flag("metric-labels-allowlist", "Labels of objects to serve as labels, such as pods=[app.kubernetes.io/name,team],nodes=[*]; none by default.").
		SetValue((*options.LabelsAllowList)(&o.Labels))
	g.Flag("metric-annotations-allowlist", "Annotations of objects to serve as labels, written as --metric-labels-allowlist; none by default.").
		SetValue((*options.LabelsAllowList)(&o.Annotations))
	g.Flag("metric-opt-in-list", "Comma-separated regular expressions of kube_* families that are not served by default; they may match anywhere in a name.").
		SetValue((*list)(&o.OptIn))
	g.Flag("shard", "Which part of the cluster to serve, counted from 0.").Default("0").IntVar(&o.Shard)
	g.Flag("total-shards", "How many exporters share the cluster.").Default("1").IntVar(&o.TotalShards)
	g.Flag("pod", "The exporter's own pod, of a StatefulSet, whose replicas share the cluster; instead of --shard and --total-shards.").
		StringVar(&o.Pod)
	g.Flag("pod-namespace", "The namespace of --pod.").StringVar(&o.PodNamespace)
	g.Flag("custom-resource-state-config", "Families of custom resources, in kube-state-metrics' form.").StringVar(&o.CustomConfig)
	g.Flag("custom-resource-state-config-file", "File with the same.").StringVar(&o.CustomConfigFile)
	g.Flag("custom-resource-state-only", "Serve no kube_* families but those of custom resources.").BoolVar(&o.CustomOnly)
}

// list is a comma-separated flag.
type list []string

// String joins the parts.
func (l *list) String() string { return strings.Join(*l, ",") }

// Set splits a flag.
func (l *list) Set(value string) error {
	*l = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
	return nil
}

// API is how an API server is asked.
type API struct {
	Client  kubernetes.Interface
	Dynamic dynamic.Interface
	Watcher *watch.Watcher // watches everything, once it is run
	Logger  *slog.Logger
}

// State is what is served of a cluster.
type State struct {
	Shard *Shard

	api       API
	table     family.Table
	stores    []*Store
	custom    *Custom    // nil without a configuration
	autoshard *Autoshard // nil if flags say the shard
}

// New makes stores for what is wanted, as sinks of the watcher. Options that name what
// is not there are errors.
func New(o Options, wanted family.Filter, a API) (*State, error) {
	wants, err := wanted.Compile()
	if err != nil {
		return nil, err
	}
	if o.TotalShards == 0 {
		o.TotalShards = 1 // flags were not asked
	}
	if o.TotalShards < 1 || o.Shard < 0 || o.Shard >= o.TotalShards {
		return nil, fmt.Errorf("there is no shard %d of %d: they are counted from 0", o.Shard, o.TotalShards)
	}
	s := &State{Shard: NewShard(o.Shard, o.TotalShards), api: a}
	switch {
	case o.Pod != "" && o.PodNamespace != "":
		s.autoshard = NewAutoshard(a.Client, o.PodNamespace, o.Pod, a.Logger)
		s.Shard = NewShard(-1, 1) // nothing, before it is known
	case o.Pod != "" || o.PodNamespace != "":
		return nil, errors.New("--pod and --pod-namespace want each other")
	}
	if err := s.addStores(o, wants); err != nil {
		return nil, err
	}
	config, err := ReadCustomConfig(o.CustomConfig, o.CustomConfigFile)
	if err != nil {
		return nil, err
	}
	if config != nil {
		s.custom = newCustom(*config, a, wants, s.Shard.OwnsObject)
	}
	return s, nil
}

// addStores adds a store for each resource of which anything is wanted.
func (s *State) addStores(o Options, wants func(*family.Family) bool) error {
	optedIn, err := optIn(o.OptIn)
	if err != nil {
		return fmt.Errorf("--metric-opt-in-list: %w", err)
	}
	chosen := o.Resources
	if len(chosen) == 0 {
		chosen = DefaultResources()
	}
	if err := known(chosen); err != nil {
		return fmt.Errorf("--resources: %w", err)
	}
	all, err := resources(allResources(), o.Labels, o.Annotations)
	if err != nil {
		return err
	}
	for _, r := range all {
		for _, f := range r.families {
			s.table = append(s.table, f.Family)
		}
		r.families = slices.DeleteFunc(r.families, func(f generated) bool {
			return !wants(f.Family) || f.generator.OptIn && !optedIn(f.Name)
		})
		if o.CustomOnly || !slices.Contains(chosen, r.name) || len(r.families) == 0 {
			continue
		}
		store := newStore(r, s.Shard.OwnsObject)
		s.stores = append(s.stores, store)
		if err := s.api.Watcher.Add(r.name, store); err != nil {
			return err
		}
	}
	return nil
}

// optIn says whether any expression is found in a family's name. They are Go's, as
// kube-state-metrics has them here.
func optIn(exprs []string) (func(name string) bool, error) {
	var all []*regexp.Regexp
	for _, e := range exprs {
		expr, err := regexp.Compile(e)
		if err != nil {
			return nil, err
		}
		all = append(all, expr)
	}
	return func(name string) bool {
		return slices.ContainsFunc(all, func(e *regexp.Regexp) bool { return e.MatchString(name) })
	}, nil
}

// Families are all families that there can be of Kubernetes' own resources.
func (s *State) Families() family.Table { return s.table }

// Collectors serve them, one a resource.
func (s *State) Collectors() []serve.Collector {
	out := make([]serve.Collector, 0, len(s.stores)+1)
	for _, store := range s.stores {
		out = append(out, serve.Collector{Name: collectorOf(store.resource), Collect: func(_ context.Context, w *family.Writer) error {
			if s.api.Watcher.Fresh(store.resource) {
				store.view().write(w)
			}
			return nil
		}})
	}
	if s.custom != nil {
		out = append(out, s.custom.collector())
	}
	return out
}

// Sources are those besides the watcher's.
func (s *State) Sources() []*source.Source {
	var out []*source.Source
	if s.autoshard != nil {
		out = append(out, s.autoshard.polled.Source)
	}
	if s.custom != nil {
		out = append(out, s.custom.polled.Source)
	}
	return out
}

// Run runs the watcher until the context ends, anew when the shard changes.
func (s *State) Run(ctx context.Context) {
	run := func(ctx context.Context) {
		var wg sync.WaitGroup
		wg.Go(func() { s.api.Watcher.Run(ctx) })
		if s.custom != nil {
			wg.Go(func() { s.custom.run(ctx) })
		}
		wg.Wait()
	}
	if s.autoshard == nil {
		run(ctx)
		return
	}
	s.autoshard.Run(ctx, s.Shard, run)
}
