package kubernetes

import (
	"hash/fnv"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/state"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// shopObjects have something of each family.
func shopObjects() []runtime.Object {
	return []runtime.Object{
		aDeployment(), aRevision("web-1", 1, ""), aSet("db", 3), aDaemon("1", 3, 2), aNode("n1"), aNode("n2"),
		aPod("a"), aPod("b"), aPod("bare", func(p *corev1.Pod) { p.OwnerReferences = nil }), aPod("p", ofJobNamed("by-hand")),
		aJob("by-hand", "nightly"), aJob("once", ""), aCronJob("@daily"),
		aService("web", web()), aService("leader", nil), aSlice("web-1", "web", "rnt"), anAutoscaler("web", "Deployment", autoscalerSays("ScalingLimited", "True", "TooManyReplicas")),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "x"}}},
	}
}

func TestShardsTogetherServeWhatOneWould(t *testing.T) {
	whole := newFixture(t, shopObjects()...)
	const total = 3
	var shards []*fixture
	for shard := range uint32(total) {
		f := &fixture{t: t, counts: state.NewCounts(), stale: map[string]bool{}}
		f.Cluster = New(Options{
			OwnerLabels: []string{"team"}, Counts: f.counts,
			Owns: func(namespace string, w hierarchy.Workload) bool {
				h := fnv.New32a()
				h.Write([]byte(namespace + "/" + w.Name + "/" + w.Type))
				return h.Sum32()%total == shard
			},
		})
		f.list(shopObjects()...)
		shards = append(shards, f)
	}
	compared := 0
	for _, of := range metrics.Table() {
		if of == metrics.PodOverdue {
			continue
		}
		want, got := whole.served(of), []string{}
		for _, s := range shards {
			got = append(got, s.served(of)...)
		}
		slices.Sort(want)
		slices.Sort(got)
		compared += len(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the shards serve\n%v\none exporter\n%v", of.Name, got, want)
		}
	}
	if compared < 50 {
		t.Errorf("only %d series were compared", compared)
	}
}
