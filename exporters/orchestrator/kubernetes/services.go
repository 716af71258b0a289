package kubernetes

import (
	"slices"
	"strings"
	"unique"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// service is what is kept of a Service, and room for what is put together.
type service struct {
	selector labelPairs // nil for none, which selects no pod
	external bool       // a name elsewhere: nothing here is behind it

	pods      []string
	endpoints [3]endpoints // by the family of addresses
}

func reduceService(obj runtime.Object) *service {
	o, ok := obj.(*corev1.Service)
	if !ok {
		return nil
	}
	s := &service{external: o.Spec.Type == corev1.ServiceTypeExternalName}
	if len(o.Spec.Selector) > 0 && !s.external {
		s.selector = pairsOf(o.Spec.Selector)
	}
	return s
}

// labels are the labels of an object in one string, the same for all that have the
// same: pods of a workload do. It is sorted pairs of "key=value" that end in NUL, which
// no label has.
type labels = unique.Handle[string]

// labelPairs are sorted pairs "key=value".
type labelPairs []string

func pairsOf(m map[string]string) labelPairs {
	out := make(labelPairs, 0, len(m))
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

func labelsOf(m map[string]string) labels { return unique.Make(strings.Join(pairsOf(m), "\x00")) }

// selects says whether sorted pairs have all of the selector's.
func (selector labelPairs) selects(pairs labelPairs) bool {
	for _, want := range selector {
		if _, ok := slices.BinarySearch(pairs, want); !ok {
			return false
		}
	}
	return len(selector) > 0
}

// selection is which services select the pods that have the same labels.
type selection struct {
	namespace string
	labels    labels
	pairs     labelPairs
	pods      int
	by        []string // names of services, sorted
}

// selectPod finds what selects a pod, by what it found for others of the same labels.
func (c *Cluster) selectPod(p *pod) {
	namespace := p.place.Value().Namespace
	all := c.selections[namespace]
	if all == nil {
		all = map[labels]*selection{}
		c.selections[namespace] = all
	}
	s := all[p.labels]
	if s == nil {
		s = &selection{namespace: namespace, labels: p.labels, pairs: strings.Split(p.labels.Value(), "\x00")}
		for k, svc := range c.services.kept {
			if k.Namespace == namespace && svc.selector.selects(s.pairs) {
				s.by = append(s.by, k.Name)
			}
		}
		slices.Sort(s.by)
		all[p.labels] = s
	}
	s.pods++
	p.selected = s
}

func (c *Cluster) deselectPod(p *pod) {
	s := p.selected
	if s == nil {
		return
	}
	if s.pods--; s.pods > 0 {
		return
	}
	delete(c.selections[s.namespace], s.labels)
	if len(c.selections[s.namespace]) == 0 {
		delete(c.selections, s.namespace)
	}
}

// serviceChanged says to all selections in its namespace whether it selects them.
func (c *Cluster) serviceChanged(k key, was, is *service) {
	if was != nil && is != nil && slices.Equal(was.selector, is.selector) {
		return
	}
	for _, s := range c.selections[k.Namespace] {
		i, there := slices.BinarySearch(s.by, k.Name)
		selects := is != nil && is.selector.selects(s.pairs)
		switch {
		case selects && !there:
			s.by = slices.Insert(s.by, i, k.Name)
		case !selects && there:
			s.by = slices.Delete(s.by, i, i+1)
		}
	}
}

// slice is what is kept of an EndpointSlice.
type slice struct {
	service text
	family  int // 0 IPv4, 1 IPv6, 2 names
	endpoints
	pods []string // that addresses belong to, if others than Kubernetes chose them
}

// endpoints are numbers of addresses by state.
type endpoints struct{ ready, notReady, terminating int32 }

func (e *endpoints) add(o endpoints) {
	e.ready += o.ready
	e.notReady += o.notReady
	e.terminating += o.terminating
}

func (e *endpoints) sum() int32 { return e.ready + e.notReady + e.terminating }

// chosenBySelector is who makes the slices of services with a selector.
const chosenBySelector = "endpointslice-controller.k8s.io"

func reduceSlice(obj runtime.Object) *slice {
	o, ok := obj.(*discoveryv1.EndpointSlice)
	if !ok || o.Labels[discoveryv1.LabelServiceName] == "" {
		return nil
	}
	s := &slice{service: unique.Make(o.Labels[discoveryv1.LabelServiceName])}
	switch o.AddressType {
	case discoveryv1.AddressTypeIPv6:
		s.family = 1
	case discoveryv1.AddressTypeFQDN:
		s.family = 2
	}
	for i := range o.Endpoints {
		e := &o.Endpoints[i]
		// What is not said of readiness is to be taken for ready.
		switch {
		case e.Conditions.Terminating != nil && *e.Conditions.Terminating:
			s.terminating++
		case e.Conditions.Ready == nil || *e.Conditions.Ready:
			s.ready++
		default:
			s.notReady++
		}
		if t := e.TargetRef; t != nil && t.Kind == "Pod" && o.Labels[discoveryv1.LabelManagedBy] != chosenBySelector {
			s.pods = append(s.pods, t.Name)
		}
	}
	return s
}

// Services are the services. The pods of one are those that its selector selects,
// which include those that have no address yet; where it has no selector, those whose
// addresses somebody has put behind it. Each exporter tells of its own pods, and one of
// the addresses.
func (c *Cluster) Services(yield func(*model.Service)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.services.sorted()
	for _, e := range all {
		e.kept.pods, e.kept.endpoints = e.kept.pods[:0], [3]endpoints{}
	}
	for _, e := range c.pods.sorted() {
		if p := e.kept; p.phase != model.Succeeded && p.phase != model.Failed && c.serves(p) {
			for _, name := range p.selected.by {
				c.services.kept[named(e.Namespace, name)].addPod(e.Name)
			}
		}
	}
	for _, e := range c.slices.sorted() {
		svc := c.services.kept[named(e.Namespace, e.kept.service.Value())]
		if svc == nil || svc.external {
			continue
		}
		svc.endpoints[e.kept.family].add(e.kept.endpoints)
		if svc.selector == nil && c.ownsOther(hierarchy.Service, e.Namespace, e.kept.service.Value()) {
			for _, name := range e.kept.pods {
				svc.addPod(name)
			}
		}
	}
	known := c.fresh(resourceSlices)
	for _, e := range all {
		out := model.Service{Orchestrator: hierarchy.Kubernetes, Namespace: e.Namespace, Name: e.Name, Pods: e.kept.sortedPods()}
		if known && !e.kept.external && c.ownsOther(hierarchy.Service, e.Namespace, e.Name) {
			out.Endpoints = e.kept.said()
		}
		yield(&out)
	}
}

func (s *service) addPod(name string) {
	if s != nil {
		s.pods = append(s.pods, name)
	}
}

// sortedPods are the pods, each once.
func (s *service) sortedPods() []string {
	if s.selector == nil {
		slices.Sort(s.pods)
		s.pods = slices.Compact(s.pods)
	}
	return s.pods
}

// said are the endpoints of one family of addresses, so that what has two counts once:
// of the family that has most.
func (s *service) said() model.Endpoints {
	most := &s.endpoints[0]
	for i := range s.endpoints {
		if s.endpoints[i].sum() > most.sum() {
			most = &s.endpoints[i]
		}
	}
	return model.Endpoints{Ready: model.Of(most.ready), NotReady: model.Of(most.notReady), Terminating: model.Of(most.terminating)}
}
