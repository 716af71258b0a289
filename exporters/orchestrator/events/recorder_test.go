package events

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/state"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// owners are the workloads that a test says there are, by kind/namespace/name.
type owners map[string]hierarchy.Workload

func (o owners) WorkloadOf(kind, namespace, name string) (hierarchy.Workload, bool) {
	w, ok := o[kind+"/"+namespace+"/"+name]
	return w, ok
}

// cluster is a recorder that tests tell of objects.
type cluster struct {
	*Recorder
	version int
	owners  owners
}

func newCluster() *cluster {
	o := owners{}
	return &cluster{New(Options{Counts: state.NewCounts(), Totals: state.NewTotals(), Workloads: o}), 100, o}
}

func keyOf(o metav1.Object) watch.Key {
	return watch.Key{Namespace: o.GetNamespace(), Name: o.GetName()}
}

// stored gives an object the next resource version, as the API server does.
func (c *cluster) stored(o metav1.Object) metav1.Object {
	c.version++
	o.SetResourceVersion(fmt.Sprint(c.version))
	return o
}

func (c *cluster) sinkOf(o metav1.Object) watch.Sink {
	if _, ok := o.(*corev1.Pod); ok {
		return c.pods
	}
	return c.events
}

// set stores an object and tells of it.
func (c *cluster) set(objects ...metav1.Object) {
	for _, o := range objects {
		c.stored(o)
		s := c.sinkOf(o)
		s.Set(keyOf(o), s.Reduce(o.(runtime.Object)))
	}
}

func (c *cluster) remove(objects ...metav1.Object) {
	for _, o := range objects {
		s := c.sinkOf(o)
		s.Delete(keyOf(o), s.Reduce(o.(runtime.Object)))
	}
}

// list tells of objects as a list, with the resource versions that they have.
func (c *cluster) list(s watch.Sink, objects ...metav1.Object) {
	all := map[watch.Key]any{}
	for _, o := range objects {
		if o.GetResourceVersion() == "" {
			c.stored(o)
		}
		all[keyOf(o)] = s.Reduce(o.(runtime.Object))
	}
	s.Replace(all)
}

// start lists what there is at first.
func (c *cluster) start(objects ...metav1.Object) {
	var pods, events []metav1.Object
	for _, o := range objects {
		if c.sinkOf(o) == watch.Sink(c.pods) {
			pods = append(pods, o)
		} else {
			events = append(events, o)
		}
	}
	c.list(c.pods, pods...)
	c.list(c.events, events...)
}

var (
	sample = regexp.MustCompile(`(?m)^loadline_(\w+?)(?:\{(.*)\})? (\S+)$`)
	label  = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// served are the series of families that are not 0, without the orchestrator's label
// and the buckets, sorted: "events_total shop/web/deployment/scheduled/normal 1".
func (c *cluster) served(t *testing.T, families ...*family.Family) []string {
	t.Helper()
	table := family.Table(families)
	var text bytes.Buffer
	for range 2 { // what is new is served at 0 once
		w := family.NewWriter(table, nil)
		c.options.Counts.Collect(w)
		c.options.Totals.Collect(w)
		text.Reset()
		if err := family.Budget(table, []*family.Writer{w}, 0).Encode(&text, family.Text); err != nil {
			t.Fatal(err)
		}
	}
	out := []string{}
	for _, m := range sample.FindAllStringSubmatch(text.String(), -1) {
		if m[3] == "0" || strings.HasSuffix(m[1], "_bucket") {
			continue
		}
		var labels []string
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "orchestrator" {
				labels = append(labels, l[2])
			}
		}
		out = append(out, strings.TrimPrefix(m[1], "workload_")+" "+strings.Join(labels, "/")+" "+m[3])
	}
	slices.Sort(out)
	return out
}

func (c *cluster) expect(t *testing.T, families []*family.Family, want ...string) {
	t.Helper()
	if got := c.served(t, families...); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (c *cluster) expectEvents(t *testing.T, want ...string) {
	t.Helper()
	for i := range want {
		want[i] = "events_total " + want[i]
	}
	c.expect(t, []*family.Family{metrics.Events}, want...)
}

func (c *cluster) expectEnds(t *testing.T, want ...string) {
	t.Helper()
	for i := range want {
		want[i] = "terminations_total " + want[i]
	}
	c.expect(t, []*family.Family{metrics.Terminations}, want...)
}

func now() metav1.Time { return metav1.NewTime(time.Now()) }

// webPod is a pod of Deployment shop/web.
func webPod(name string) *corev1.Pod {
	yes := true
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: now(), Labels: map[string]string{"pod-template-hash": "abc"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-abc", Controller: &yes}},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}},
	}
}

// event is an event of a pod, recorded as client-go does, once.
func eventOf(p *corev1.Pod, name, reason, message string) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: p.Namespace, Name: name, UID: types.UID("uid-of-event-" + name), CreationTimestamp: now()},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID, FieldPath: "spec.containers{app}"},
		Reason:         reason, Message: message, Type: "Normal", Count: 1, FirstTimestamp: now(), LastTimestamp: now(),
	}
}

// again has an event occur more often.
func again(e *corev1.Event, count int32) *corev1.Event {
	e = e.DeepCopy()
	e.Count, e.LastTimestamp = count, now()
	return e
}
