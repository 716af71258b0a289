package events

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// BenchmarkCluster tells of 10,000 pods of 1,000 Deployments, an event each, and
// says what is kept of them.
func BenchmarkCluster(b *testing.B) {
	const deployments, replicas = 1000, 10
	yes := true
	objectsOf := func(i, j int) (*corev1.Pod, *corev1.Event) {
		// Decoded objects share no text.
		own := func(s string) string { return strings.Clone(s) }
		name := fmt.Sprintf("workload-%04d-7d4f9c8b6d-%05d", i, j)
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: fmt.Sprintf("namespace-%02d", i%50), Name: name, UID: types.UID(fmt.Sprintf("%08d-0000-4000-8000-%012d", i, j)), CreationTimestamp: now(),
				Labels:          map[string]string{"pod-template-hash": own("7d4f9c8b6d")},
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: fmt.Sprintf("workload-%04d-7d4f9c8b6d", i), Controller: &yes}},
			},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}, {Name: "proxy"}}},
		}
		for _, c := range []string{"app", "proxy"} {
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{Name: own(c), State: running()})
		}
		e := eventOf(p, name+".17f0000000000000", "Scheduled", "x")
		e.UID = types.UID(fmt.Sprintf("%08d-0000-4000-9000-%012d", i, j))
		return p, e
	}
	for b.Loop() {
		before := heap()
		c := newCluster()
		c.start()
		for i := range deployments {
			for j := range replicas {
				p, e := objectsOf(i, j)
				for _, o := range []metav1.Object{p, e} {
					s := c.sinkOf(o)
					s.Set(keyOf(o), s.Reduce(o.(kruntime.Object)))
				}
			}
		}
		kept := heap() - before
		table := family.Table{metrics.Events, metrics.Terminations, metrics.PodScheduled, metrics.PodStarted, metrics.PodReady}
		w := family.NewWriter(table, nil)
		c.options.Counts.Collect(w)
		b.ReportMetric(float64(kept)/deployments/replicas, "B/pod")
		b.ReportMetric(float64(family.Budget(table, []*family.Writer{w}, 0).Series), "series")
		runtime.KeepAlive(c)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
