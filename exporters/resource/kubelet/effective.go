package kubelet

import (
	"github.com/loadline-exporters/loadline/exporters/resource/container"
)

// effective are a pod's requests and limits as the scheduler counts them.
//
// Init containers run one after the other, before the others: a pod needs the
// larger of what its containers need together and what any of them needs alone,
// each with the sidecars that were started before it. What is set for the pod as a
// whole stands in for the sum, except for storage, which is not set for pods.
// Overhead is what the pod's sandbox needs; a resource without a limit gets none
// by it.
func (p *pod) effective(containers []container.PodContainer) (requests, limits container.Resources) {
	requests = together(containers, func(c container.PodContainer) container.Resources { return c.Requests })
	limits = together(containers, func(c container.PodContainer) container.Resources { return c.Limits })
	override(requests, p.Spec.Resources.Requests.byName())
	override(limits, p.Spec.Resources.Limits.byName())
	for name, v := range p.Spec.Overhead.byName() {
		requests[name] += v
		if limits[name] > 0 {
			limits[name] += v
		}
	}
	return requests, limits
}

// together are the amounts that containers need together. They are in the order in
// which they are started.
func together(containers []container.PodContainer, of func(container.PodContainer) container.Resources) container.Resources {
	sum, sidecars, starting := container.Resources{}, container.Resources{}, container.Resources{}
	for _, c := range containers {
		switch amounts := of(c); c.Kind {
		case container.Sidecar:
			add(sum, amounts)
			add(sidecars, amounts)
			most(starting, sidecars)
		case container.Init:
			with := container.Resources{}
			add(with, amounts)
			add(with, sidecars)
			most(starting, with)
		case container.App:
			add(sum, amounts)
		default: // ephemeral containers take of what the pod has
		}
	}
	most(sum, starting)
	return sum
}

func add(to, amounts container.Resources) {
	for name, v := range amounts {
		to[name] += v
	}
}

// most raises to's amounts to those that are larger.
func most(to, amounts container.Resources) {
	for name, v := range amounts {
		if had, ok := to[name]; !ok || v > had {
			to[name] = v
		}
	}
}

func override(to, amounts container.Resources) {
	for _, name := range []string{container.CPU, container.Memory} {
		if v, ok := amounts[name]; ok {
			to[name] = v
		}
	}
}
