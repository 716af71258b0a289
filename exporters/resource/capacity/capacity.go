// Package capacity sets what the node's pods ask for beside what the node has.
//
// The first is the kubelet's word, summed over its pods. The second stands in the
// node's object in the API server alone: the kubelet reserves a part for itself and
// the system and says so nowhere else that a node agent may ask.
package capacity

import (
	"context"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// Pods is a number of pods, as a resource.
const Pods = "pods"

// units are those of the resources, in the order of exposition, as
// kube-state-metrics names them.
var units = []struct{ resource, unit string }{
	{container.CPU, "core"}, {container.Memory, "byte"}, {container.EphemeralStorage, "byte"}, {Pods, "integer"},
}

// Node is what a node has.
type Node struct {
	Name                  string
	Capacity, Allocatable container.Resources
}

// Collector emits the families. What is not known has no series.
type Collector struct {
	Pods func() ([]container.Pod, bool)
	Node func() (Node, bool)
	Name string // the node's, where the kubelet does not say it
}

// Collect adds the series.
func (c *Collector) Collect(_ context.Context, w *family.Writer) error {
	if pods, ok := c.Pods(); ok {
		requests, limits := sum(pods)
		name := NameOf(pods, c.Name)
		add(w.Series(metrics.NodeRequested), requests, name)
		add(w.Series(metrics.NodeLimits), limits, name)
	}
	if n, ok := c.Node(); ok {
		add(w.Series(metrics.NodeAllocatable), n.Allocatable, n.Name)
		add(w.Series(metrics.NodeCapacity), n.Capacity, n.Name)
	}
	return nil
}

func add(s *family.Series, amounts container.Resources, node string) {
	for _, u := range units {
		if v, ok := amounts[u.resource]; ok {
			s.Add(v, u.resource, u.unit, node)
		}
	}
}

// sum adds up what the pods that have not ended ask for. Nothing asked for is an
// amount too: 0.
func sum(pods []container.Pod) (requests, limits container.Resources) {
	requests = container.Resources{container.CPU: 0, container.Memory: 0, container.EphemeralStorage: 0, Pods: 0}
	limits = container.Resources{container.CPU: 0, container.Memory: 0, container.EphemeralStorage: 0}
	for i := range pods {
		if pods[i].Ended {
			continue
		}
		requests[Pods]++
		for name, v := range pods[i].Requests {
			requests[name] += v
		}
		for name, v := range pods[i].Limits {
			limits[name] += v
		}
	}
	return requests, limits
}

// NameOf is the name of the node that pods are on, otherwise where they do not say.
func NameOf(pods []container.Pod, otherwise string) string {
	for i := range pods {
		if pods[i].Node != "" {
			return pods[i].Node
		}
	}
	return otherwise
}
