package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/kube-state-metrics/v2/pkg/customresourcestate"
	"k8s.io/kube-state-metrics/v2/pkg/metric"
	yaml "sigs.k8s.io/yaml/goyaml.v3"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// customCollector is the collector of custom resources.
const customCollector = "kube-customresources"

// customEvery is how often the API server is asked which resources there are.
const customEvery = 30 * time.Second

// Custom serves families of custom resources, which a configuration in
// kube-state-metrics' form describes. Which of them there are, discovery says: it
// needs no right, and a definition that comes later is found.
type Custom struct {
	config    customresourcestate.Metrics
	discovery discovery.DiscoveryInterface
	dynamic   dynamic.Interface
	watcher   *watch.Watcher
	wants     func(*family.Family) bool
	owns      func(string, runtime.Object) bool
	polled    *source.Polled[[]customResource]

	mu      sync.Mutex
	running map[customKey]*customRun
}

// customResource is a resource that is there, with what the configuration says of it.
type customResource struct {
	customKey
	namespaced bool
	config     customresourcestate.Resource
}

// customKey tells apart what is watched; a resource may be configured several times.
type customKey struct {
	entry    int // of the configuration
	resource schema.GroupVersionResource
}

type customRun struct {
	store    *Store
	followed *watch.Followed
	stop     context.CancelFunc
}

// ReadCustomConfig reads a configuration of custom resources, from text or else from a
// file. Without either it returns nil.
func ReadCustomConfig(text, file string) (*customresourcestate.Metrics, error) {
	data := []byte(text)
	if text == "" {
		if file == "" {
			return nil, nil
		}
		var err error
		if data, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("--custom-resource-state-config-file: %w", err)
		}
	}
	var m customresourcestate.Metrics
	if err := yaml.NewDecoder(bytes.NewReader(data)).Decode(&m); err != nil {
		return nil, fmt.Errorf("configuration of custom resources: %w", err)
	}
	for i, r := range m.Spec.Resources {
		for j := range r.Metrics {
			t := &m.Spec.Resources[i].Metrics[j].Each.Type
			*t = metric.Type(strings.ToLower(string(*t)))
		}
		if r.GroupVersionKind.Group == "" || r.GroupVersionKind.Group == "*" {
			return nil, fmt.Errorf("configuration of custom resources: resource %d names no group", i+1)
		}
		if _, err := customresourcestate.NewCustomResourceMetrics(m.Spec.Resources[i]); err != nil {
			return nil, fmt.Errorf("configuration of custom resources: %s: %w", r.GroupVersionKind, err)
		}
	}
	return &m, nil
}

// newCustom serves what config describes.
func newCustom(config customresourcestate.Metrics, a API, wants func(*family.Family) bool, owns func(string, runtime.Object) bool) *Custom {
	c := &Custom{
		config: config, discovery: a.Client.Discovery(), dynamic: a.Dynamic, watcher: a.Watcher, wants: wants, owns: owns,
		running: map[customKey]*customRun{},
	}
	c.polled = source.NewPolled("custom-resources", a.Logger, c.find)
	c.polled.Every = customEvery
	return c
}

// find asks which of the configured resources there are.
func (c *Custom) find(context.Context) ([]customResource, string, error) {
	var out []customResource
	groups, err := c.discovery.ServerGroups()
	if err != nil {
		return nil, "", watch.Because(err)
	}
	for i, r := range c.config.Spec.Resources {
		for _, g := range groups.Groups {
			if g.Name != r.GroupVersionKind.Group {
				continue
			}
			for _, v := range g.Versions {
				if !matches(r.GroupVersionKind.Version, v.Version) {
					continue
				}
				found, err := c.discovery.ServerResourcesForGroupVersion(v.GroupVersion)
				if err != nil {
					return nil, "", watch.Because(err)
				}
				out = append(out, ofKind(found.APIResources, i, r, schema.GroupVersion{Group: g.Name, Version: v.Version})...)
			}
		}
	}
	return out, "", nil
}

func matches(wanted, got string) bool { return wanted == "" || wanted == "*" || wanted == got }

// ofKind are the resources that a configuration's entry is about.
func ofKind(found []metav1.APIResource, entry int, r customresourcestate.Resource, gv schema.GroupVersion) []customResource {
	var out []customResource
	for _, a := range found {
		if !matches(r.GroupVersionKind.Kind, a.Kind) || strings.Contains(a.Name, "/") || !slices.Contains([]string(a.Verbs), "watch") {
			continue
		}
		this := r
		this.GroupVersionKind = customresourcestate.GroupVersionKind(gv.WithKind(a.Kind))
		this.ResourcePlural = a.Name
		out = append(out, customResource{customKey{entry, gv.WithResource(a.Name)}, a.Namespaced, this})
	}
	return out
}

// run finds resources and watches them until the context ends.
func (c *Custom) run(ctx context.Context) {
	changed := make(chan struct{}, 1)
	c.polled.Changed = func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	c.goOn(ctx, &wg)
	wg.Go(func() { c.polled.Run(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		if there, ok := c.polled.Get(); ok {
			c.follow(ctx, &wg, there)
		}
	}
}

// goOn watches again what was watched before, in another shard.
func (c *Custom) goOn(ctx context.Context, wg *sync.WaitGroup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, run := range c.running {
		run.start(ctx, wg)
	}
}

// start watches until the context ends or stop is called.
func (r *customRun) start(ctx context.Context, wg *sync.WaitGroup) {
	ctx, r.stop = context.WithCancel(ctx)
	wg.Go(func() { r.followed.Run(ctx) })
}

// follow watches what is there, and nothing else.
func (c *Custom) follow(ctx context.Context, wg *sync.WaitGroup, there []customResource) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, run := range c.running {
		if !slices.ContainsFunc(there, func(r customResource) bool { return r.customKey == key }) {
			run.stop()
			delete(c.running, key)
		}
	}
	for _, r := range there {
		if c.running[r.customKey] != nil {
			continue
		}
		run, err := c.newRun(r)
		if err != nil {
			c.polled.Logger.Error("a custom resource cannot be served", "resource", r.resource, "err", err)
			continue
		}
		c.running[r.customKey] = run
		run.start(ctx, wg)
	}
}

func (c *Custom) newRun(r customResource) (*customRun, error) {
	factory, err := customresourcestate.NewCustomResourceMetrics(r.config)
	if err != nil {
		return nil, err
	}
	of := resource{name: r.resource.String()}
	for _, g := range factory.MetricFamilyGenerators() {
		if f := newGenerated(g, customCollector); c.wants(f.Family) {
			of.families = append(of.families, f)
		}
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(schema.GroupVersionKind(r.config.GroupVersionKind))
	store := newStore(of, c.owns)
	followed := c.watcher.Follow(watch.Resource{
		Name: r.resource.Resource, Object: object, Namespaced: r.namespaced,
		In: func(ns string) watch.ListWatcher { return untyped{c.dynamic.Resource(r.resource).Namespace(ns)} },
	}, store)
	return &customRun{store: store, followed: followed}, nil
}

// untyped makes a ListWatcher of a dynamic client.
type untyped struct{ dynamic.ResourceInterface }

// List lists.
func (u untyped) List(ctx context.Context, o watch.ListOptions) (runtime.Object, error) {
	return u.ResourceInterface.List(ctx, o)
}

// collector serves what is there.
func (c *Custom) collector() serve.Collector {
	return serve.Collector{Name: customCollector, Foreign: true, Collect: func(_ context.Context, w *family.Writer) error {
		c.mu.Lock()
		var views []view
		for _, run := range c.running {
			if run.followed.Fresh() {
				views = append(views, run.store.view())
			}
		}
		c.mu.Unlock()
		return writeForeign(w, views)
	}}
}

// writeForeign writes families that no table lists. Several resources may have one of
// the same name.
func writeForeign(w *family.Writer, views []view) error {
	type joined struct {
		*family.Family
		series int
		lines  []family.Lines
	}
	var order []*joined
	byName := map[string]*joined{}
	for _, v := range views {
		if v.objects == 0 {
			continue
		}
		for i, f := range v.families {
			j := byName[f.Name]
			if j == nil {
				j = &joined{Family: f.Family}
				byName[f.Name] = j
				order = append(order, j)
			}
			j.series += v.series[i]
			j.lines = append(j.lines, v.lines(i))
		}
	}
	var errs []error
	for _, j := range order {
		s, err := w.Foreign(j.Family)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.Render(j.series, func(b []byte, full func([]byte) ([]byte, error)) ([]byte, error) {
			var err error
			for _, lines := range j.lines {
				if b, err = lines(b, full); err != nil {
					return b, err
				}
			}
			return b, nil
		})
	}
	return errors.Join(errs...)
}
