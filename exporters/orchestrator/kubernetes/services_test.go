package kubernetes

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
)

func aService(name string, selector map[string]string, changes ...func(*corev1.Service)) *corev1.Service {
	s := &corev1.Service{ObjectMeta: object(name)}
	s.Spec.Selector, s.Spec.Type = selector, corev1.ServiceTypeClusterIP
	return with(s, changes...)
}

func web() map[string]string { return map[string]string{"app": "web"} }

// states are addresses by state: "r" ready, "n" not ready, "t" terminating, "?" not said.
func aSlice(name, service, states string, changes ...func(*discoveryv1.EndpointSlice)) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: object(name), AddressType: discoveryv1.AddressTypeIPv4}
	s.Labels = map[string]string{discoveryv1.LabelServiceName: service, discoveryv1.LabelManagedBy: chosenBySelector}
	for i, state := range states {
		e := discoveryv1.Endpoint{TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: fmt.Sprint("pod-", i)}}
		switch state {
		case 'r':
			e.Conditions.Ready = ptr(true)
		case 'n':
			e.Conditions.Ready = ptr(false)
		case 't':
			e.Conditions.Ready, e.Conditions.Terminating = ptr(true), ptr(true)
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	return with(s, changes...)
}

func TestAServiceHasThePodsThatItSelects(t *testing.T) {
	f := newFixture(t, aService("web", web()), aService("all", map[string]string{"app": "web", "pod-template-hash": "5d4"}),
		aPod("a"), aPod("b", func(p *corev1.Pod) { p.Status.Phase = corev1.PodPending; p.Spec.NodeName = "" }),
		aPod("c", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }),
		aPod("d", func(p *corev1.Pod) { p.Labels = map[string]string{"app": "other"} }),
		aPod("e", func(p *corev1.Pod) { p.Labels = nil }),
		aPod("f", func(p *corev1.Pod) { p.Namespace = "another" }),
	)
	f.expect(metrics.ServicePod, "shop all a = 1", "shop all b = 1", "shop web a = 1", "shop web b = 1")
}

func TestAServiceFollowsItsSelectorAndItsPods(t *testing.T) {
	f := newFixture(t, aService("web", web()), aPod("a"))
	f.set(aPod("b"))
	f.expect(metrics.ServicePod, "shop web a = 1", "shop web b = 1")
	f.set(aService("web", map[string]string{"app": "db"}))
	f.expect(metrics.ServicePod)
	f.set(aPod("a", func(p *corev1.Pod) { p.Labels = map[string]string{"app": "db"} }))
	f.expect(metrics.ServicePod, "shop web a = 1")
	f.set(aService("late", map[string]string{"app": "web"}))
	f.expect(metrics.ServicePod, "shop late b = 1", "shop web a = 1")
	f.remove(aPod("a"), aService("late", nil))
	f.expect(metrics.ServicePod)
	f.remove(aPod("b"))
	if len(f.selections) != 0 {
		t.Errorf("selections are left: %v", f.selections)
	}
}

func TestAServiceWithoutASelectorHasThePodsThatArePutBehindIt(t *testing.T) {
	byHand := func(s *discoveryv1.EndpointSlice) { s.Labels[discoveryv1.LabelManagedBy] = "leader-election" }
	f := newFixture(t, aService("leader", nil), aService("web", web()), aPod("a"),
		aSlice("leader-1", "leader", "rn", byHand), aSlice("leader-2", "leader", "r", byHand),
		aSlice("web-1", "web", "r", byHand), // of a service that has a selector: the selector counts
		aService("away", nil, func(s *corev1.Service) {
			s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, "example.com"
		}),
		aService("odd", web(), func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }),
	)
	f.expect(metrics.ServicePod, "shop leader pod-0 = 1", "shop leader pod-1 = 1", "shop web a = 1")
}

func TestEndpointsAreCountedByState(t *testing.T) {
	f := newFixture(t, aService("web", web()), aService("none", web()), aSlice("web-1", "web", "rrnt"), aSlice("web-2", "web", "?"),
		aSlice("web-6", "web", "rrrnt", func(s *discoveryv1.EndpointSlice) { s.AddressType = discoveryv1.AddressTypeIPv6 }),
		aSlice("of-nothing", "gone", "r"), aSlice("nameless", "", "r"))
	f.expect(metrics.ServiceEndpoints,
		"shop none ready = 0", "shop none not_ready = 0", "shop none terminating = 0",
		"shop web ready = 3", "shop web not_ready = 1", "shop web terminating = 1")
	f.stale[resourceSlices] = true
	f.expect(metrics.ServiceEndpoints)
}
