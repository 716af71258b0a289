package kube

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	basemetrics "k8s.io/component-base/metrics"
	"k8s.io/kube-state-metrics/v2/pkg/builder"
	generator "k8s.io/kube-state-metrics/v2/pkg/metric_generator"
	"k8s.io/kube-state-metrics/v2/pkg/options"

	"github.com/loadline-exporters/loadline/internal/family"
)

// resource is what is served of one resource.
type resource struct {
	name     string
	families []generated
}

// generated is a family with what makes its samples of an object.
type generated struct {
	*family.Family
	generator generator.FamilyGenerator
}

// nonDefaultResources are those that kube-state-metrics has besides its defaults.
var nonDefaultResources = []string{
	"clusterrolebindings", "clusterroles", "endpoints", "ingressclasses", "rolebindings", "roles", "serviceaccounts",
}

// secrets is a default of kube-state-metrics' and not of ours: the right to list
// Secrets is the right to read them.
const secrets = "secrets"

// DefaultResources are those that are watched without --resources, in order.
func DefaultResources() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(options.DefaultResources)), func(r string) bool { return r == secrets })
}

// allResources are those that kube-state-metrics knows, in order.
func allResources() []string {
	all := append(slices.Collect(maps.Keys(options.DefaultResources)), nonDefaultResources...)
	slices.Sort(all)
	return all
}

// Table lists all families that there can be of Kubernetes' own resources. Which
// labels they have is not listed: it depends on the objects.
func Table() (family.Table, error) {
	resources, err := resources(allResources(), nil, nil)
	if err != nil {
		return nil, err
	}
	var out family.Table
	for _, r := range resources {
		for _, f := range r.families {
			out = append(out, f.Family)
		}
	}
	return out, nil
}

// resources asks kube-state-metrics for the families of resources; labels and
// annotations say which of these each serves as labels, by resource or for "*". An
// unknown resource is an error.
func resources(names []string, labels, annotations map[string][]string) ([]resource, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if err := known(names, labels, annotations); err != nil {
		return nil, err
	}
	b := builder.NewBuilder()
	if err := b.WithEnabledResources(names); err != nil {
		return nil, err
	}
	if err := b.WithAllowLabels(labels); err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	if err := b.WithAllowAnnotations(annotations); err != nil {
		return nil, fmt.Errorf("annotations: %w", err)
	}
	b.WithNamespaces(options.DefaultNamespaces)
	b.WithFamilyGeneratorFilter(everything{})
	var out []resource
	// The builder asks for stores resource by resource, in the order of their names, and
	// does not say whose they are.
	b.WithGenerateStoresFunc(func(fs []generator.FamilyGenerator, _ any,
		_ func(kubernetes.Interface, string, string) cache.ListerWatcher, _ bool, _ int64,
	) []cache.Store {
		out = append(out, newResource(names[len(out)], fs))
		return nil
	})
	b.BuildStores()
	return out, nil
}

func known(names []string, lists ...map[string][]string) error {
	all := allResources()
	for _, l := range lists {
		names = slices.AppendSeq(slices.Clone(names), maps.Keys(l))
	}
	for _, n := range names {
		if n != "*" && !slices.Contains(all, n) {
			return fmt.Errorf("there is no resource %q: use any of %v", n, all)
		}
	}
	return nil
}

// everything is a filter that lets all pass: what is wanted is chosen by name later.
type everything struct{}

// Test lets a family pass.
func (everything) Test(generator.FamilyGenerator) bool { return true }

func newResource(name string, fs []generator.FamilyGenerator) resource {
	r := resource{name: name}
	for _, g := range fs {
		r.families = append(r.families, newGenerated(g, collectorOf(name)))
	}
	return r
}

func newGenerated(g generator.FamilyGenerator, collector string) generated {
	help := g.Help
	if g.StabilityLevel == basemetrics.STABLE {
		help = "[STABLE] " + help // as kube-state-metrics writes it
	}
	return generated{
		Family: &family.Family{
			Name: g.Name, Type: family.Type(g.Type), Help: help, Compat: family.Kube, Collector: collector,
		},
		generator: g,
	}
}

// collectorOf is the name of a resource's collector.
func collectorOf(resource string) string { return "kube-" + resource }
