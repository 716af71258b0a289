package kubernetes

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/state"
	"github.com/loadline-exporters/loadline/internal/family"
)

// largeCluster has 10,000 pods of 1,000 Deployments with a service each. The objects
// are made one by one and given up, as they stream in.
func largeCluster() *Cluster {
	c := New(Options{})
	sinks := c.Sinks()
	pods, services := map[key]any{}, map[key]any{}
	for d := range 1000 {
		namespace, name := fmt.Sprint("team-", d%20), fmt.Sprintf("service-%04d", d)
		labels := map[string]string{"app": name, "pod-template-hash": "5d4f8c7b9"}
		svc := aService(name, map[string]string{"app": name})
		services[named(namespace, name)] = sinks[resourceServices].Reduce(svc)
		for i := range 10 {
			p := aPod(fmt.Sprintf("%s-5d4f8c7b9-%05d", name, i), func(p *corev1.Pod) {
				p.Namespace, p.UID = namespace, types.UID(fmt.Sprintf("8d0d9c1e-3f43-4d0e-9f3c-%012d", d*10+i))
				p.Labels, p.OwnerReferences = labels, controlledBy("apps/v1", "ReplicaSet", name+"-5d4f8c7b9")
				p.Spec.NodeName = fmt.Sprint("node-", i)
				p.Spec.Containers[0].Image = "registry.example/team/" + name + ":1.2.3"
			})
			pods[named(namespace, p.Name)] = sinks[resourcePods].Reduce(p)
		}
	}
	sinks[resourceServices].Replace(services)
	sinks[resourcePods].Replace(pods)
	return c
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkWhatAPodTakes tells the live heap that each of ten thousand pods adds.
func BenchmarkWhatAPodTakes(b *testing.B) {
	for b.Loop() {
		before := heap()
		c := largeCluster()
		b.ReportMetric(float64(heap()-before)/10_000, "heap-bytes/pod")
		runtime.KeepAlive(c)
	}
}

// BenchmarkScrape collects what is known of ten thousand pods.
func BenchmarkScrape(b *testing.B) {
	collectors := state.Collectors([]model.Source{largeCluster()}, state.NewCounts(), state.NewTotals())
	table := metrics.Table()
	var sizes family.Sizes
	b.ReportAllocs()
	for b.Loop() {
		w := family.NewWriter(table, sizes)
		for _, c := range collectors {
			if err := c.Collect(context.Background(), w); err != nil {
				b.Fatal(err)
			}
		}
		sizes = w.Sizes()
	}
}
