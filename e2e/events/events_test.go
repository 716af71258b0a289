//go:build e2e

package events

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/loadline-exporters/loadline/e2e/cluster"
)

// shop is a namespace of an API server in which a test makes pods and events.
type shop struct {
	t      *testing.T
	client kubernetes.Interface
	name   string
}

func newShop(t *testing.T, client kubernetes.Interface, name string) *shop {
	t.Helper()
	_, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &shop{t, client, name}
}

// pod makes a pod of Deployment web. Nothing runs it.
func (s *shop) pod(name string) *corev1.Pod {
	s.t.Helper()
	yes := true
	p, err := s.client.CoreV1().Pods(s.name).Create(s.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: map[string]string{"pod-template-hash": "abc"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web-abc", UID: "1", Controller: &yes}},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "nginx"}}},
	}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

func (s *shop) remove(p *corev1.Pod) {
	s.t.Helper()
	now := int64(0)
	if err := s.client.CoreV1().Pods(s.name).Delete(s.t.Context(), p.Name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		s.t.Fatal(err)
	}
}

// event records that something has happened n times to a pod, as client-go does.
func (s *shop) event(p *corev1.Pod, name, reason, message string, n int32) *corev1.Event {
	s.t.Helper()
	now := metav1.Now()
	e, err := s.client.CoreV1().Events(s.name).Create(s.t.Context(), &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: name},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: s.name, Name: p.Name, UID: p.UID, FieldPath: "spec.containers{app}"},
		Reason:         reason, Message: message, Type: corev1.EventTypeWarning, Count: n, FirstTimestamp: now, LastTimestamp: now,
	}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// again records that it has happened n times by now.
func (s *shop) again(e *corev1.Event, n int32) *corev1.Event {
	s.t.Helper()
	e = e.DeepCopy()
	e.Count, e.LastTimestamp = n, metav1.Now()
	e, err := s.client.CoreV1().Events(s.name).Update(s.t.Context(), e, metav1.UpdateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// series records by the newer API that something has happened n times to a pod.
func (s *shop) series(p *corev1.Pod, name, reason, note string, counts ...int32) {
	s.t.Helper()
	api := s.client.EventsV1().Events(s.name)
	e, err := api.Create(s.t.Context(), &eventsv1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: name}, EventTime: metav1.NowMicro(), ReportingController: "test", ReportingInstance: "test-1", Action: "Test",
		Regarding: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: s.name, Name: p.Name, UID: p.UID},
		Reason:    reason, Note: note, Type: corev1.EventTypeWarning,
	}, metav1.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, n := range counts {
		e.Series = &eventsv1.EventSeries{Count: n, LastObservedTime: metav1.NowMicro()}
		if e, err = api.Update(s.t.Context(), e, metav1.UpdateOptions{}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *shop) forget(e *corev1.Event) {
	s.t.Helper()
	if err := s.client.CoreV1().Events(s.name).Delete(s.t.Context(), e.Name, metav1.DeleteOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// ended has a pod's container end, and start again.
func (s *shop) ended(p *corev1.Pod, id, reason string, code int32) *corev1.Pod {
	s.t.Helper()
	now := metav1.Now()
	p = p.DeepCopy()
	last := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code, ContainerID: "containerd://" + id, StartedAt: now, FinishedAt: now}}
	restarts := int32(1)
	if len(p.Status.ContainerStatuses) > 0 {
		restarts += p.Status.ContainerStatuses[0].RestartCount
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "app", Image: "nginx", RestartCount: restarts, LastTerminationState: last, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
	}}
	p, err := s.client.CoreV1().Pods(s.name).UpdateStatus(s.t.Context(), p, metav1.UpdateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

const (
	backOff   = "Back-off restarting failed container app in pod web-1_shop(uid)"
	unhealthy = "Readiness probe failed: HTTP probe failed with statuscode: 503"
)

func TestEventsOfEveryShapeAreCountedExactly(t *testing.T) {
	c := cluster.StartControlPlane(t)
	s := newShop(t, c.Client, "shop")
	old := s.pod("web-0")
	before := s.event(old, "before", "BackOff", backOff, 7)

	e := startExporter(t, c.Kubeconfig)
	p := startPrometheus(t, e)
	want := map[string]float64{}
	look := func(what string) {
		t.Helper()
		wants(t, what, func() (map[string]float64, error) {
			return grown(p, `loadline_events_total{namespace="shop"}`, "workload", "class", "type")
		}, want)
	}
	look("nothing of what was before")

	s.again(before, 9)
	want["web crash_back_off warning"] = 2
	look("an event that was there to go on")

	one := s.pod("web-1")
	x := s.event(one, "x", "Unhealthy", unhealthy, 1)
	for n := int32(2); n <= 20; n++ {
		x = s.again(x, n)
	}
	s.series(one, "y", "FailedScheduling", "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient memory.", 2, 5)
	want["web unhealthy_readiness warning"], want["web scheduling_failed_memory warning"] = 20, 5
	look("repetitions and series")

	s.forget(x) // client-go makes it anew, and goes on counting
	x.ResourceVersion, x.UID = "", ""
	s.event(one, "x", "Unhealthy", unhealthy, 21)
	want["web unhealthy_readiness warning"]++
	look("an event that was made anew")

	s.remove(one)
	again := s.pod("web-1")
	s.event(one, "late", "Killing", "Stopping container app", 1)
	s.event(again, "soon", "Killing", "Container app failed liveness probe, will be restarted", 1)
	want["web container_stopped warning"], want["web killed_by_probe warning"] = 1, 1
	look("events of a pod that is gone and of the next of its name")
}

func TestAGapInTheWatchIsCountedOnce(t *testing.T) {
	c := cluster.StartControlPlane(t)
	s := newShop(t, c.Client, "shop")
	pod := s.pod("web-0")
	known := s.event(pod, "known", "BackOff", backOff, 3)
	way := startGate(t, strings.TrimPrefix(c.Config.Host, "https://"))
	config := rest.CopyConfig(c.Config)
	config.Host = "https://" + way.address
	e := startExporter(t, c.WriteKubeconfig("gated", config))
	counts := func() (map[string]float64, error) { return e.events("shop") }
	known = s.again(known, 4)
	want := map[string]float64{"web crash_back_off warning": 1}
	wants(t, "an event", counts, want)

	// Away and back: the watch goes on, or begins anew.
	c.APIServer.Stop()
	c.APIServer.Start()
	known = s.again(known, 6)
	want["web crash_back_off warning"] = 3
	wants(t, "an event after the API server's restart", counts, want)

	// Things happen that the exporter is kept from, and the history is forgotten.
	way.close()
	known = s.again(known, 7)
	fresh := s.event(pod, "fresh", "Unhealthy", unhealthy, 1)
	s.again(fresh, 4)
	gone := s.event(pod, "gone", "Pulling", "x", 1) // nobody can know of it
	s.forget(gone)
	pod = s.ended(pod, "1", "OOMKilled", 137)
	s.ended(s.pod("web-1"), "2", "Error", 1)
	c.APIServer.Stop()
	c.Etcd.Compact(t.Context())
	c.APIServer.Start()
	way.open()
	want["web crash_back_off warning"], want["web unhealthy_readiness warning"] = 4, 4
	wants(t, "what happened in the gap", counts, want)
	wants(t, "the ends in the gap", func() (map[string]float64, error) { return e.ends("shop") }, map[string]float64{"web app oom_killed": 1, "web app error": 1})

	s.again(known, 8)
	s.ended(pod, "3", "Error", 143)
	want["web crash_back_off warning"] = 5
	wants(t, "an event after the gap", counts, want)
	wants(t, "an end after the gap", func() (map[string]float64, error) { return e.ends("shop") }, map[string]float64{"web app oom_killed": 1, "web app error": 2})
}

// The exporter is told apart from the one before by its counters only.
func TestARestartOfTheExporterCountsNothingTwice(t *testing.T) {
	c := cluster.StartControlPlane(t)
	s := newShop(t, c.Client, "shop")
	pod := s.pod("web-0")
	e := startExporter(t, c.Kubeconfig)
	x := s.event(pod, "x", "BackOff", backOff, 3)
	pod = s.ended(pod, "1", "OOMKilled", 137)
	wants(t, "an event", func() (map[string]float64, error) { return e.events("shop") }, map[string]float64{"web crash_back_off warning": 3})
	wants(t, "an end", func() (map[string]float64, error) { return e.ends("shop") }, map[string]float64{"web app oom_killed": 1})
	e.stop(t)

	e = startExporter(t, c.Kubeconfig)
	wants(t, "nothing", func() (map[string]float64, error) { return e.events("shop") }, map[string]float64{})
	s.again(x, 4)
	s.ended(pod, "2", "Error", 143)
	wants(t, "an event", func() (map[string]float64, error) { return e.events("shop") }, map[string]float64{"web crash_back_off warning": 1})
	wants(t, "an end", func() (map[string]float64, error) { return e.ends("shop") }, map[string]float64{"web app error": 1})
}
