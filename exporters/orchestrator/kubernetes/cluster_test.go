package kubernetes

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/state"
	"github.com/loadline-exporters/loadline/internal/family"
)

// fixture is a cluster that is told of objects by a test.
type fixture struct {
	*Cluster
	t      *testing.T
	counts *model.Counts
	stale  map[string]bool
}

// newFixture is a cluster in which objects are there already.
func newFixture(t *testing.T, there ...runtime.Object) *fixture {
	f := &fixture{t: t, counts: state.NewCounts(), stale: map[string]bool{}}
	f.Cluster = New(Options{
		OwnerLabels: []string{"team"}, OwnerAnnotations: []string{"example.com/owner"},
		Fresh: func(resource string) bool { return !f.stale[resource] }, Counts: f.counts,
	})
	f.list(there...)
	return f
}

// resourceOf is the resource that an object is of.
func resourceOf(o runtime.Object) string {
	return map[reflect.Type]string{
		reflect.TypeFor[*corev1.Pod](): resourcePods, reflect.TypeFor[*corev1.Service](): resourceServices,
		reflect.TypeFor[*discoveryv1.EndpointSlice](): resourceSlices, reflect.TypeFor[*appsv1.Deployment](): resourceDeployments,
		reflect.TypeFor[*appsv1.StatefulSet](): resourceSets, reflect.TypeFor[*appsv1.DaemonSet](): resourceDaemons,
		reflect.TypeFor[*appsv1.ReplicaSet](): resourceReplicaSets, reflect.TypeFor[*corev1.ReplicationController](): resourceControllers,
		reflect.TypeFor[*appsv1.ControllerRevision]():             resourceRevisions,
		reflect.TypeFor[*autoscalingv2.HorizontalPodAutoscaler](): resourceAutoscalers,
		reflect.TypeFor[*batchv1.Job]():                           resourceJobs, reflect.TypeFor[*batchv1.CronJob](): resourceCronJobs,
		reflect.TypeFor[*corev1.Node](): resourceNodes, reflect.TypeFor[*corev1.Namespace](): resourceNamespaces,
	}[reflect.TypeOf(o)]
}

func keyOf(o runtime.Object) key {
	m, err := meta.Accessor(o)
	if err != nil {
		panic(err)
	}
	return named(m.GetNamespace(), m.GetName())
}

// list tells of all objects of all resources at once.
func (f *fixture) list(there ...runtime.Object) {
	for resource, sink := range f.Sinks() {
		all := map[key]any{}
		for _, o := range there {
			if kept := sink.Reduce(o); resourceOf(o) == resource && kept != nil {
				all[keyOf(o)] = kept
			}
		}
		sink.Replace(all)
	}
}

// set tells of objects that were added or have changed.
func (f *fixture) set(objects ...runtime.Object) {
	for _, o := range objects {
		sink := f.Sinks()[resourceOf(o)]
		if kept := sink.Reduce(o); kept != nil {
			sink.Set(keyOf(o), kept)
		}
	}
}

// remove tells of objects that have gone.
func (f *fixture) remove(objects ...runtime.Object) {
	for _, o := range objects {
		sink := f.Sinks()[resourceOf(o)]
		sink.Delete(keyOf(o), sink.Reduce(o))
	}
}

// text is what is served of families.
func (f *fixture) text(table family.Table) string {
	f.t.Helper()
	w := family.NewWriter(table, nil)
	for _, c := range state.Collectors([]model.Source{f.Cluster}, f.counts, state.NewTotals()) {
		if err := c.Collect(context.Background(), w); err != nil {
			f.t.Fatal(err)
		}
	}
	var text bytes.Buffer
	if err := family.Budget(table, []*family.Writer{w}, 0).Encode(&text, family.Text); err != nil {
		f.t.Fatal(err)
	}
	return text.String()
}

// served are the series of a family: the values of its labels but the orchestrator,
// and its own.
func (f *fixture) served(of *family.Family) []string {
	f.t.Helper()
	out := []string{}
	for line := range strings.Lines(f.text(family.Table{of})) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		labels, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), of.Name+`{orchestrator="kubernetes",`), "} ")
		labels = "," + labels
		for _, l := range of.Labels {
			labels = strings.ReplaceAll(labels, ","+l+`="`, ` "`)
		}
		out = append(out, strings.TrimPrefix(strings.ReplaceAll(labels, `"`, ""), " ")+" = "+value)
	}
	return out
}

func (f *fixture) expect(of *family.Family, want ...string) {
	f.t.Helper()
	got := f.served(of)
	if !slices.Equal(got, slices.Concat([]string{}, want)) {
		f.t.Errorf("%s: got\n  %s\nwant\n  %s", of.Name, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// counted is what a counter has once it was served at 0.
func (f *fixture) counted(of *family.Family, want ...string) {
	f.t.Helper()
	f.served(of)
	f.expect(of, want...)
}

// named objects have a UID that tells them from others of their name.
func object(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: metav1.Now(), Generation: 1}
}

func with[T any](o T, changes ...func(T)) T {
	for _, change := range changes {
		change(o)
	}
	return o
}

func ptr[T any](v T) *T { return &v }

func controlledBy(version, kind, name string) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: name, UID: types.UID("uid-" + name), Controller: ptr(true)}}
}

// ago is a time before now, in whole seconds as the API has them.
func ago(d time.Duration) metav1.Time {
	return metav1.NewTime(time.Now().Add(-d).Truncate(time.Second))
}

func stamp(t metav1.Time) string { return fmt.Sprint(t.Unix()) }
