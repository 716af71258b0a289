//go:build e2e

package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
)

// above is the level above one, and the labels that it has not.
var above = map[string]struct{ level, without string }{
	"container": {"pod", "container"},
	"pod":       {"workload", "pod, node"},
	"workload":  {"namespace", "workload, workload_type"},
	"namespace": {"cluster", "namespace"},
}

// added and greatest are the ends of names of what adds up, and of what is the greatest.
// Shares do neither, nor does what rules alone read.
var (
	added    = regexp.MustCompile(`:(sum|rate5m|increase5m|count)$`)
	greatest = regexp.MustCompile(`:(max|max_rate5m)$`)
	share    = regexp.MustCompile(`_ratio:rate5m$`)
)

// sums checks that what is recorded at a level is what its parts are together.
func (s server) sums(t *testing.T) {
	t.Helper()
	var names []string
	for _, r := range s.rules(t) {
		names = append(names, r.Name)
	}
	checked := 0
	for _, name := range names {
		level, signal, _ := strings.Cut(name, ":")
		up, ok := above[level]
		whole := up.level + ":" + signal
		if !ok || !slices.Contains(names, whole) || share.MatchString(signal) {
			continue
		}
		function := ""
		switch {
		case added.MatchString(name):
			function = "sum"
		case greatest.MatchString(name):
			function = "max"
		default:
			continue
		}
		parts := fmt.Sprintf("%s without (%s) (%s)", function, up.without, name)
		s.none(t, whole+" to be its parts'", fmt.Sprintf("abs(%[1]s - %[2]s) > 1e-9 + 1e-6 * abs(%[2]s) or (%[1]s unless %[2]s) or (%[2]s unless %[1]s)", parts, whole))
		checked++
	}
	if checked < 60 {
		t.Errorf("%d levels have parts (cluster %q)", checked, s.cluster)
	}
}

const mebibyte = 1 << 20

// truths compares what is recorded with what was asked of Kubernetes and what the kubelet
// says.
func (s server) truths(t *testing.T) {
	t.Helper()
	// Memory, by the kubelet: of each pod, and of services by the pods that they select.
	kubelet := `container_memory_working_set_bytes{job="kubelet/metrics/resource",namespace="shop",container!=""}`
	slack := 2 * cgroup.Stock()
	s.none(t, "the kubelet's memory of pods", fmt.Sprintf(`abs(pod:memory_working_set_bytes:sum{namespace="shop"} - on (namespace, pod) sum by (namespace, pod) (%s)) > %f`, kubelet, slack))
	s.between(t, `count(pod:memory_working_set_bytes:sum{namespace="shop"})`, 6, 6)
	s.none(t, "the kubelet's memory of containers", fmt.Sprintf(
		`container:memory_working_set_bytes:sum{namespace="shop"} unless on (namespace, pod, container) %[1]s or (%[1]s unless on (namespace, pod, container) container:memory_working_set_bytes:sum)`, kubelet))
	for _, service := range []string{"web", "stable"} {
		s.none(t, "the memory of service "+service, fmt.Sprintf(
			`abs(sum(service:memory_working_set_bytes:sum{service=%q}) - sum(%s)) > %f`, service, strings.Replace(kubelet, "{", `{pod=~"web-.+",`, 1), 2*slack))
	}
	s.between(t, `count(service:memory_working_set_bytes:sum{namespace="shop"})`, 3, 3)
	s.between(t, `sum(workload:memory_working_set_bytes:sum{workload="store"})`, 24*mebibyte, 48*mebibyte)

	// What was asked for: a container that ran before asks for nothing any more.
	s.between(t, `sum(workload:memory_requests_bytes:sum{namespace="shop",workload="web"})`, 32*mebibyte, 32*mebibyte)
	s.between(t, `sum(namespace:memory_requests_bytes:sum{namespace="shop"})`, 96*mebibyte, 96*mebibyte)
	s.between(t, `sum(workload:memory_limits_bytes:sum{namespace="shop",workload="web"})`, 128*mebibyte, 128*mebibyte)
	s.between(t, `max(workload:memory_limit_usage_ratio:max{workload="store"})`, 0.375, 0.75)
	s.between(t, `sum(namespace:replicas_desired:sum{namespace="shop"})`, 6, 6)
	s.between(t, `sum(namespace:replicas_ready:sum{namespace="shop"})`, 6, 6)
	s.between(t, `sum(service:endpoints_ready:sum{namespace="shop",service="web"})`, 2, 2)
	s.between(t, `sum(service:replicas_wanted:sum{namespace="shop",service="stable"})`, 2, 2)
	s.between(t, `sum(namespace:pods:count{namespace="shop",phase="running"})`, 6, 6)
	s.between(t, `sum(namespace:pods:count{namespace="shop",phase="succeeded"})`, 1, 1)
	s.between(t, `count(node:orchestrator_ready:sum == 1)`, 1, 1)

	// Work: a container that is held to a tenth of a processor, and waits for it.
	s.between(t, `sum(workload:cpu_usage_cores:rate5m{workload="busy"})`, 0.08, 0.12)
	s.between(t, `max(workload:cpu_limit_usage_ratio:max{workload="busy"})`, 0.8, 1.2)
	s.between(t, `max(workload:cpu_pressure_ratio:max_rate5m{workload="busy"})`, 0.5, 1.1)
	// Probes come by the network of a pod.
	s.between(t, `count(pod:network_receive_bytes:rate5m{namespace="shop",workload="web"} > 0)`, 2, 2)
}
