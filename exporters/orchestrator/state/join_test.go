package state

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/promqltest"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// TestServicesAreJoinedWithTheirPodsOnce joins as rules and dashboards do, beside two
// replicas of the exporter, a pod of two services, and one of none.
func TestServicesAreJoinedWithTheirPodsOnce(t *testing.T) {
	text := exposition(t, &said{services: []model.Service{
		{Orchestrator: "kubernetes", Namespace: "shop", Name: "web", Pods: []string{"a", "b"}},
		{Orchestrator: "kubernetes", Namespace: "shop", Name: "canary", Pods: []string{"b"}},
		{Orchestrator: "kubernetes", Namespace: "other", Name: "web", Pods: []string{"a"}},
	}})
	load := "load 1m\n"
	for line := range strings.Lines(text) {
		if series, ok := strings.CutPrefix(line, metrics.ServicePod.Name+"{"); ok {
			series = series[:strings.LastIndexByte(series, '}')]
			for _, instance := range []string{"1", "2"} {
				load += fmt.Sprintf("  %s{%s,cluster=\"c\",instance=%q} 1\n", metrics.ServicePod.Name, series, instance)
			}
		}
	}
	for pod, v := range map[string]int{`namespace="shop",pod="a"`: 1, `namespace="shop",pod="b"`: 10, `namespace="shop",pod="lone"`: 100, `namespace="other",pod="a"`: 1000} {
		load += fmt.Sprintf("  memory{cluster=\"c\",%s,container=\"x\"} %d\n  memory{cluster=\"c\",%s,container=\"y\"} %d\n", pod, v, pod, v)
	}
	promqltest.RunTest(t, load+`
eval instant at 0m sum by (cluster, namespace, service) (max by (cluster, namespace, service, pod) (loadline_service_pod) * on (cluster, namespace, pod) group_left () sum by (cluster, namespace, pod) (memory))
  {cluster="c", namespace="shop", service="web"} 22
  {cluster="c", namespace="shop", service="canary"} 20
  {cluster="c", namespace="other", service="web"} 2000
`, promqltest.NewTestEngine(t, false, 0, 1000))
}
