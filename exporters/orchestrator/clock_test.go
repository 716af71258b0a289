package orchestrator_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/events"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/kubernetes"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	orchestrators "github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/state"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// twoClocks is a cluster whose clock is not the exporter's: a clock of either that
// jumps looks the same to the other.
type twoClocks struct {
	t          *testing.T
	ahead      time.Duration // the cluster's
	sinks      map[string][]watch.Sink
	collectors []serve.Collector
	recorder   *events.Recorder
	version    int
	last       map[string]float64 // of counters, at the last scrape
}

func newTwoClocks(t *testing.T) *twoClocks {
	counts, totals := state.NewCounts(), state.NewTotals()
	cluster := kubernetes.New(kubernetes.Options{Counts: counts})
	w := &twoClocks{
		t: t, sinks: map[string][]watch.Sink{}, last: map[string]float64{},
		recorder:   events.New(events.Options{Counts: counts, Totals: totals, Workloads: cluster}),
		collectors: state.Collectors([]orchestrators.Source{cluster}, counts, totals),
	}
	for _, sinks := range []map[string]watch.Sink{cluster.Sinks(), w.recorder.Sinks()} {
		for resource, s := range sinks {
			w.sinks[resource] = append(w.sinks[resource], s)
			s.Replace(map[watch.Key]any{})
		}
	}
	return w
}

// now is the cluster's time.
func (w *twoClocks) now() metav1.Time { return metav1.NewTime(time.Now().Add(w.ahead)) }

func (w *twoClocks) object(name string, changes ...func(*metav1.ObjectMeta)) metav1.ObjectMeta {
	o := metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("uid-" + name), CreationTimestamp: w.now(), Generation: 1}
	for _, change := range changes {
		change(&o)
	}
	return o
}

func (w *twoClocks) key(o runtime.Object) watch.Key {
	w.t.Helper()
	m, err := meta.Accessor(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.version++
	m.SetResourceVersion(fmt.Sprint(w.version))
	return watch.Key{Namespace: m.GetNamespace(), Name: m.GetName()}
}

func (w *twoClocks) set(resource string, o runtime.Object) {
	k := w.key(o)
	for _, s := range w.sinks[resource] {
		s.Set(k, s.Reduce(o))
	}
}

func (w *twoClocks) remove(resource string, o runtime.Object) {
	k := w.key(o)
	for _, s := range w.sinks[resource] {
		s.Delete(k, s.Reduce(o))
	}
}

// scrape is what is served, by series. It fails the test if a counter is less than
// before, or a time that something took less than nothing.
func (w *twoClocks) scrape() map[string]float64 {
	w.t.Helper()
	writer := family.NewWriter(metrics.Table(), nil)
	for _, c := range w.collectors {
		if err := c.Collect(context.Background(), writer); err != nil {
			w.t.Error(err)
		}
	}
	var text bytes.Buffer
	if err := family.Budget(metrics.Table(), []*family.Writer{writer}, 0).Encode(&text, family.Text); err != nil {
		w.t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(&text)
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]float64{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			w.take(out, name, m)
		}
	}
	return out
}

func (w *twoClocks) take(out map[string]float64, name string, m *dto.Metric) {
	w.t.Helper()
	var labels []string
	for _, l := range m.GetLabel() {
		labels = append(labels, l.GetName()+"="+l.GetValue())
	}
	counter := func(suffix string, v float64) {
		series := name + suffix + "{" + strings.Join(labels, ",") + "}"
		if v < w.last[series] {
			w.t.Errorf("%s went from %v to %v", series, w.last[series], v)
		}
		w.last[series], out[series] = v, v
	}
	switch {
	case m.Counter != nil:
		counter("", m.Counter.GetValue())
	case m.Histogram != nil:
		counter("_sum", m.Histogram.GetSampleSum())
		counter("_count", float64(m.Histogram.GetSampleCount()))
		for _, b := range m.Histogram.GetBucket() {
			counter(fmt.Sprint("_bucket_", b.GetUpperBound()), float64(b.GetCumulativeCount()))
		}
	default:
		v := m.GetGauge().GetValue()
		if v < 0 {
			w.t.Errorf("%s%v is %v", name, labels, v)
		}
		out[name+"{"+strings.Join(labels, ",")+"}"] = v
	}
}

// pass lets time pass, and what is waited for be settled.
func (w *twoClocks) pass(d time.Duration) map[string]float64 {
	w.t.Helper()
	time.Sleep(d)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	w.recorder.Run(ctx)
	cancel()
	return w.scrape()
}

// rollsOut has a Deployment, whose word says when it was done, and a DaemonSet, of which
// nobody does, bring up a revision.
func (w *twoClocks) rollsOut(revision int) {
	w.t.Helper()
	number, done := fmt.Sprint(revision), int32(1)
	numbered := func(o *metav1.ObjectMeta) {
		o.Annotations = map[string]string{"deployment.kubernetes.io/revision": number, appsv1.DeprecatedTemplateGeneration: number}
	}
	of := func(kind, name string) func(*metav1.ObjectMeta) {
		return func(o *metav1.ObjectMeta) {
			o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, UID: types.UID("uid-" + name), Controller: &[]bool{true}[0]}}
		}
	}
	w.set("replicasets", &appsv1.ReplicaSet{ObjectMeta: w.object("web-"+number, numbered, of("Deployment", "web"))})
	w.set("controllerrevisions", &appsv1.ControllerRevision{ObjectMeta: w.object("agent-"+number, of("DaemonSet", "agent")), Revision: int64(revision)})
	for _, available := range []int32{0, 1} {
		d := &appsv1.Deployment{ObjectMeta: w.object("web", numbered), Spec: appsv1.DeploymentSpec{Replicas: &done, ProgressDeadlineSeconds: &[]int32{600}[0]}}
		d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: available, ReadyReplicas: available}
		reason := "ReplicaSetUpdated"
		if available > 0 {
			reason = "NewReplicaSetAvailable"
		}
		d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: reason, LastUpdateTime: w.now()}}
		w.set("deployments", d)
		a := &appsv1.DaemonSet{ObjectMeta: w.object("agent", numbered)}
		a.Status = appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 1, CurrentNumberScheduled: 1, UpdatedNumberScheduled: 1, NumberReady: available, NumberAvailable: available}
		w.set("daemonsets", a)
		w.pass(5 * time.Second)
	}
}

// lives is a pod of the Deployment from its creation until it is ready, and what is
// told of it.
func (w *twoClocks) lives(name string) *corev1.Pod {
	w.t.Helper()
	p := &corev1.Pod{
		ObjectMeta: w.object(name, func(o *metav1.ObjectMeta) {
			o.Labels = map[string]string{"pod-template-hash": "1"}
			o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-1", Controller: &[]bool{true}[0]}}
		}),
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}, Status: corev1.PodStatus{Phase: corev1.PodPending},
	}
	w.set("pods", p)
	w.pass(10 * time.Second)
	p = p.DeepCopy()
	p.Spec.NodeName, p.Status.Phase = "n1", corev1.PodRunning
	p.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: w.now()}, {Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: w.now()},
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", RestartCount: 1, ContainerID: "containerd://2-" + name, Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: w.now()}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ContainerID: "containerd://1-" + name, Reason: "OOMKilled", ExitCode: 137, StartedAt: w.now(), FinishedAt: w.now(),
		}},
	}}
	w.set("pods", p)
	w.set("events", &corev1.Event{
		ObjectMeta: w.object("pulled-" + name), Reason: "Pulled", Type: "Normal", Count: 1, FirstTimestamp: w.now(), LastTimestamp: w.now(),
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: name, UID: p.UID, FieldPath: "spec.containers{app}"},
		Message:        `Successfully pulled image "web:1" in 1.5s (1.5s including waiting). Image size: 1000 bytes.`,
	})
	return p
}

// leaves has a pod be deleted, with a grace of none, and stay.
func (w *twoClocks) leaves(p *corev1.Pod) {
	p = p.DeepCopy()
	now := w.now()
	p.DeletionTimestamp = &now
	w.set("pods", p)
}

// startsByTheClock has a CronJob run at each tenth minute of the cluster's clock.
func (w *twoClocks) startsByTheClock() {
	last := metav1.NewTime(w.now().Truncate(10 * time.Minute))
	w.set("cronjobs", &batchv1.CronJob{ObjectMeta: w.object("tidy"), Spec: batchv1.CronJobSpec{Schedule: "*/10 * * * *"}, Status: batchv1.CronJobStatus{LastScheduleTime: &last}})
}

const (
	missed   = "loadline_cronjob_missed_schedules{orchestrator=kubernetes,namespace=shop,workload=tidy,workload_type=cronjob}"
	overdue  = "loadline_pod_overdue_seconds{orchestrator=kubernetes,namespace=shop,pod=%s,workload=web,workload_type=deployment,phase=terminating}"
	rollout  = "loadline_workload_rollout_%s_timestamp_seconds{orchestrator=kubernetes,namespace=shop,workload=agent,workload_type=daemonset}"
	ofWeb    = "orchestrator=kubernetes,namespace=shop,workload=web,workload_type=deployment"
	restarts = "loadline_workload_restarts_total{" + ofWeb + ",container=app}"
	rollouts = "loadline_workload_rollouts_total{" + ofWeb + ",result=completed}"
)

func TestClocksMayJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTwoClocks(t)
		w.set("nodes", &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}})
		// Forwards and backwards, and right again.
		for i, ahead := range []time.Duration{0, time.Hour, -time.Hour, 0} {
			w.ahead = ahead
			w.rollsOut(i + 1)
			w.startsByTheClock()
			name := fmt.Sprint("web-", i)
			p := w.lives(name)
			w.pass(time.Second)
			w.set("pods", &corev1.Pod{ObjectMeta: w.object("waits-" + name), Status: corev1.PodStatus{Phase: corev1.PodPending}})
			w.leaves(p)
			now := w.pass(10 * time.Second)

			// What a clock says is believed, but that something has not begun yet.
			got, is := now[fmt.Sprintf(overdue, name)]
			if want := max(0, 12*time.Second-ahead).Seconds(); is != (want > 0) || got < want-1 || got > want+1 {
				t.Errorf("with the cluster %v ahead a pod is terminating for %v s (%v), want %v", ahead, got, is, want)
			}
			if began, ended := now[fmt.Sprintf(rollout, "start")], now[fmt.Sprintf(rollout, "end")]; began == 0 || ended < began {
				t.Errorf("with the cluster %v ahead a rollout went on from %v to %v", ahead, began, ended)
			}
			if got, want := now[missed], max(0, -ahead).Minutes()/10; got < want-1 || got > want {
				t.Errorf("with the cluster %v ahead %v runs are missed, want %v", ahead, got, want)
			}
			for series, want := range map[string]float64{restarts: float64(i + 1), rollouts: float64(i + 1)} {
				if now[series] != want {
					t.Errorf("with the cluster %v ahead %s is %v, want %v", ahead, series, now[series], want)
				}
			}
			w.remove("pods", p)
		}
		sums := w.scrape()
		for _, name := range []string{"loadline_workload_pod_ready_duration_seconds", "loadline_events_lag_seconds"} {
			if !slices.ContainsFunc(keysOf(sums), func(k string) bool { return strings.HasPrefix(k, name+"_count") && sums[k] >= 4 }) {
				t.Errorf("%s has not observed what happened", name)
			}
		}
	})
}

func TestCountersGoAnHourAfterTheLastPodWhateverItsClockSays(t *testing.T) {
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w := newTwoClocks(t)
			p := w.lives("web-0")
			w.ahead = ahead // while it lives
			w.leaves(p)
			w.pass(time.Minute)
			w.remove("pods", p)
			if got := w.pass(59 * time.Minute)[restarts]; got != 1 {
				t.Errorf("with the cluster %v ahead restarts are %v before an hour has passed, want 1", ahead, got)
			}
			if _, is := w.pass(2 * time.Minute)[restarts]; is {
				t.Errorf("with the cluster %v ahead restarts are counted after an hour", ahead)
			}
		})
	}
}

func keysOf(m map[string]float64) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}
