package kubernetes

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/randfill"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// emptyObjects are one of everything, of which nothing is set.
func emptyObjects() []runtime.Object {
	return []runtime.Object{
		&corev1.Pod{}, &corev1.Service{}, &discoveryv1.EndpointSlice{}, &appsv1.Deployment{}, &appsv1.StatefulSet{}, &appsv1.DaemonSet{},
		&appsv1.ReplicaSet{}, &corev1.ReplicationController{}, &appsv1.ControllerRevision{}, &autoscalingv2.HorizontalPodAutoscaler{},
		&batchv1.Job{}, &batchv1.CronJob{}, &corev1.Node{}, &corev1.Namespace{},
	}
}

// serveAll tells of objects, serves everything, and tells that they are gone.
func serveAll(t *testing.T, objects []runtime.Object) {
	f := newFixture(t)
	f.set(objects...)
	f.set(objects...)
	state := slices.DeleteFunc(metrics.Table(), func(of *family.Family) bool { return of.Collector == metrics.CollectorCounts })
	f.text(state)
	f.remove(objects...)
	if left := f.text(state); left != "" {
		t.Errorf("what is gone is served:\n%s", left)
	}
	if n := len(f.accounts) + len(f.guessed) + len(f.selections) + len(f.revised); n != 0 {
		t.Errorf("%d things are left", n)
	}
}

func TestObjectsOfWhichNothingIsSetAreTaken(t *testing.T) { serveAll(t, emptyObjects()) }

func TestAnObjectOfAnotherKindIsNotTaken(t *testing.T) {
	for resource, sink := range newFixture(t).Sinks() {
		if kept := sink.Reduce(&corev1.ConfigMap{}); kept != nil {
			t.Errorf("%s keeps %v of a ConfigMap", resource, kept)
		}
	}
}

func FuzzNoObjectMakesItPanic(f *testing.F) {
	for i := range emptyObjects() {
		f.Add(uint8(i), []byte("filled as these bytes say, with nil and odd fields"))
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		objects := emptyObjects()
		o := objects[int(kind)%len(objects)]
		randfill.NewFromGoFuzz(data).NilChance(0.3).NumElements(0, 3).MaxDepth(20).
			Funcs(func(*runtime.RawExtension, randfill.Continue) {}). // an interface, which nothing looks at
			Fill(o)
		for _, o := range objects {
			if m, err := meta.Accessor(o); err == nil {
				m.SetNamespace("shop") // as every sink has it, and the same for all
				m.SetName("web")
			}
		}
		serveAll(t, objects)
	})
}
