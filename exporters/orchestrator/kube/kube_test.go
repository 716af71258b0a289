package kube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"

	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/source"
)

var allOfIt = family.Filter{Compat: []family.Compat{family.Kube}}

// newState is what is served of some objects, as options and a filter say.
func newState(t *testing.T, o Options, wanted family.Filter, objects ...runtime.Object) (*State, *watch.Watcher, error) {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	client := fake.NewClientset(objects...)
	w := watch.New(client, watch.Options{Logger: logger})
	if o.TotalShards == 0 {
		o.TotalShards = 1
	}
	s, err := New(o, wanted, API{Client: client, Watcher: w, Logger: logger})
	return s, w, err
}

func sourceNames(w *watch.Watcher) []string {
	var out []string
	for _, s := range w.Sources() {
		out = append(out, s.Status().Name)
	}
	return out
}

func TestOnlyWhatIsServedIsWatched(t *testing.T) {
	for name, test := range map[string]struct {
		options Options
		filter  family.Filter
		want    []string
	}{
		"by default":           {Options{}, allOfIt, DefaultResources()},
		"what is asked for":    {Options{Resources: []string{"secrets", "pods"}}, allOfIt, []string{"pods", "secrets"}},
		"without the group":    {Options{}, family.Filter{}, nil},
		"of families":          {Options{}, family.Filter{Compat: allOfIt.Compat, Allow: []string{"kube_node_info", "kube_job_.*"}}, []string{"jobs", "nodes"}},
		"custom ones alone":    {Options{CustomOnly: true}, allOfIt, nil},
		"an opt-in family":     {Options{OptIn: []string{"_nodesel"}}, family.Filter{Compat: allOfIt.Compat, Allow: []string{"kube_pod_nodeselectors"}}, []string{"pods"}},
		"one that is not made": {Options{}, family.Filter{Compat: allOfIt.Compat, Allow: []string{"kube_pod_nodeselectors"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, w, err := newState(t, test.options, test.filter)
			if err != nil {
				t.Fatal(err)
			}
			if got := sourceNames(w); !slices.Equal(got, test.want) {
				t.Errorf("watched are %v, want %v", got, test.want)
			}
			if n := len(s.Collectors()); n != len(test.want) {
				t.Errorf("%d collectors, want %d", n, len(test.want))
			}
		})
	}
}

func TestSecretsAreNoDefault(t *testing.T) {
	if d := DefaultResources(); slices.Contains(d, secrets) || len(d) < 30 {
		t.Errorf("the defaults are %v", d)
	}
}

func TestTheTableIsWhole(t *testing.T) {
	table, err := Table()
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Check(); err != nil {
		t.Error(err)
	}
	if len(table) < 300 {
		t.Errorf("%d families", len(table))
	}
}

func TestOptionsThatNameWhatIsNotThereAreErrors(t *testing.T) {
	for want, o := range map[string]Options{
		`"poods"`:     {Resources: []string{"poods"}},
		`"noodes"`:    {Labels: map[string][]string{"noodes": {"*"}}},
		`"roods"`:     {Annotations: map[string][]string{"roods": {"*"}}},
		"shard 3 of ": {Shard: 3, TotalShards: 3},
		"opt-in":      {OptIn: []string{"("}},
		"/nowhere":    {CustomConfigFile: "/nowhere"},
		"custom":      {CustomConfig: "{"},
		"no group":    {CustomConfig: "spec: {resources: [{groupVersionKind: {kind: X}}]}"},
		"each other":  {Pod: "x"},
	} {
		if _, _, err := newState(t, o, allOfIt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v", want, err)
		}
	}
	if _, _, err := newState(t, Options{}, family.Filter{Deny: []string{"("}}); err == nil {
		t.Error("a bad filter is taken")
	}
}

// collect is what all collectors serve.
func collect(t *testing.T, s *State) string {
	t.Helper()
	w := family.NewWriter(s.Families(), nil)
	for _, c := range s.Collectors() {
		if err := c.Collect(t.Context(), w); err != nil {
			t.Error(err)
		}
	}
	var out strings.Builder
	if err := family.Budget(s.Families(), []*family.Writer{w}, 0).Encode(&out, family.Text); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWhatIsWatchedIsServed(t *testing.T) {
	s, w, err := newState(t, Options{Labels: map[string][]string{"pods": {"app"}}}, allOfIt, testPod(1), testDeployment(1))
	if err != nil {
		t.Fatal(err)
	}
	if text := collect(t, s); text != "" {
		t.Errorf("before anything was listed %q is served", text)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	wait.For(t, 10*time.Second, "all lists", func() error {
		for _, s := range w.Sources() {
			if !s.Status().Available() {
				return errors.New(s.Status().Name)
			}
		}
		return nil
	})
	text := collect(t, s)
	for _, want := range []string{`kube_pod_labels{namespace="team-00",pod="web-0000-7d4b9c6f5-00001"`, `,label_app="web"} 1`, `kube_deployment_spec_replicas{namespace="shop",deployment="web-0001"} 10`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not served", want)
		}
	}
}

func TestAShardOwnsWholeWorkloadsAndAllShardsEverything(t *testing.T) {
	const total = 3
	var shards []*Shard
	for i := range total {
		shards = append(shards, NewShard(i, total))
	}
	ownerOf := func(resource string, o runtime.Object) int {
		t.Helper()
		owner := -1
		for i, s := range shards {
			if s.OwnsObject(resource, o) {
				if owner >= 0 {
					t.Errorf("%s are of two shards", resource)
				}
				owner = i
			}
		}
		if owner < 0 {
			t.Errorf("%s are of no shard", resource)
		}
		return owner
	}
	used := map[int]int{}
	for i := range 60 {
		pod := testPod(i)
		set := pod.OwnerReferences[0].Name
		name := strings.TrimSuffix(set, "-7d4b9c6f5")
		meta := func(name string, owners ...metav1.OwnerReference) metav1.ObjectMeta {
			return metav1.ObjectMeta{Namespace: pod.Namespace, Name: name, OwnerReferences: owners}
		}
		want := ownerOf("pods", pod)
		used[want]++
		for resource, o := range map[string]runtime.Object{
			"deployments": &appsv1.Deployment{ObjectMeta: meta(name)},
			"replicasets": &appsv1.ReplicaSet{ObjectMeta: meta(set, metav1.OwnerReference{Kind: "Deployment", Name: name, Controller: ptr.To(true)})},
			"horizontalpodautoscalers": &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: meta("any"), Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
				ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: name},
			}},
		} {
			if got := ownerOf(resource, o); got != want {
				t.Errorf("%s of the workload are of shard %d, its pods of %d", resource, got, want)
			}
		}
	}
	for _, name := range allResources() {
		for i := range 20 {
			o := newObject(name)
			setName(t, o, int64(i))
			ownerOf(name, o)
		}
	}
	if len(used) != total {
		t.Errorf("shards have %v of the pods", used)
	}
	if NewShard(1, 1).OwnsObject("pods", testPod(1)) || !NewShard(0, 1).OwnsObject("pods", testPod(1)) {
		t.Error("of one shard the first has not everything")
	}
}

func TestAStatefulSetSaysTheShard(t *testing.T) {
	const namespace = "monitoring"
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "exporter"}, Spec: appsv1.StatefulSetSpec{Replicas: ptr.To[int32](2)}}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "exporter-1", OwnerReferences: []metav1.OwnerReference{
		{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "exporter", Controller: ptr.To(true)},
	}}}
	client := fake.NewClientset(pod)
	synctest.Test(t, func(t *testing.T) {
		a := NewAutoshard(client, namespace, "exporter-1", slog.New(slog.DiscardHandler))
		shard := NewShard(-1, 1)
		var runs []string
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			a.Run(ctx, shard, func(ctx context.Context) {
				now := *shard.now.Load()
				runs = append(runs, fmt.Sprintf("%d/%d", now.shard, now.total))
				<-ctx.Done()
			})
			close(done)
		}()
		expect := func(want string, reason source.Reason) {
			t.Helper()
			time.Sleep(15 * time.Second)
			synctest.Wait()
			if got := fmt.Sprint(runs); got != want {
				t.Errorf("runs are %s, want %s", got, want)
			}
			if got := a.polled.Status(); got.Reason != reason {
				t.Errorf("the source is %q (%s), want %q", got.Reason, got.Detail, reason)
			}
		}
		expect("[]", source.Absent)
		sets := client.AppsV1().StatefulSets(namespace)
		if _, err := sets.Create(ctx, set.DeepCopy(), metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		expect("[1/2]", source.OK)
		expect("[1/2]", source.OK)
		more := set.DeepCopy()
		more.Spec.Replicas = ptr.To[int32](3)
		if _, err := sets.Update(ctx, more, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		expect("[1/2 1/3]", source.OK)
		if err := sets.Delete(ctx, "exporter", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		expect("[1/2 1/3]", source.Absent)
		cancel()
		<-done
		synctest.Wait()
	})
}

func TestTheOrdinalIsThePodsNumber(t *testing.T) {
	set := func(change func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
		s := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "x-1"}}
		change(s)
		return s
	}
	for name, test := range map[string]struct {
		set  *appsv1.StatefulSet
		pod  string
		want ordinal
		ok   bool
	}{
		"by default":          {set(func(*appsv1.StatefulSet) {}), "x-1-0", ordinal{0, 1}, true},
		"of several":          {set(func(s *appsv1.StatefulSet) { s.Spec.Replicas = ptr.To[int32](9) }), "x-1-7", ordinal{7, 9}, true},
		"counted from three":  {set(func(s *appsv1.StatefulSet) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 3} }), "x-1-3", ordinal{0, 1}, true},
		"another one's":       {set(func(*appsv1.StatefulSet) {}), "y-0", ordinal{}, false},
		"without a number":    {set(func(*appsv1.StatefulSet) {}), "x-1-", ordinal{}, false},
		"with words after it": {set(func(*appsv1.StatefulSet) {}), "x-1-0-b", ordinal{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ordinalOf(test.set, test.pod); got != test.want || (err == nil) != test.ok {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
