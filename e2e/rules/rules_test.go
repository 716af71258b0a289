//go:build e2e

package rules

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// pulled is a Deployment whose image has to be pulled.
const pulled = `
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: trouble, name: pulled}
spec:
  selector: {matchLabels: {app: pulled}}
  template:
    metadata: {labels: {app: pulled}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      containers: [{name: app, image: %q, imagePullPolicy: Always, args: [idle]}]
`

// faults are Deployments of which something is wrong from their beginning: one whose
// container ends, and one whose image is not there.
const faults = `
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: trouble, name: crashing}
spec:
  selector: {matchLabels: {app: crashing}}
  template:
    metadata: {labels: {app: crashing}}
    spec:
      automountServiceAccountToken: false
      containers: [{name: app, image: %[1]q, imagePullPolicy: IfNotPresent, args: [exit, "3"]}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: trouble, name: missing}
spec:
  selector: {matchLabels: {app: missing}}
  template:
    metadata: {labels: {app: missing}}
    spec:
      automountServiceAccountToken: false
      containers: [{name: app, image: "%[2]s/team/nope:1", imagePullPolicy: IfNotPresent}]
`

func TestRulesAndAlertsOnARealCluster(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"web", "busy", "hungry"} {
		w.AwaitDeployment(t.Context(), "shop", name)
	}
	w.AwaitDeployment(t.Context(), "trouble", "down")
	for _, s := range w.servers {
		s.known(t)
		s.truths(t)
		s.sums(t)
		s.healthy(t)
	}

	registry := w.StartRegistry()
	app := image.Workload(t, image.Spec{Name: registry.Address + "/team/app:1", Labels: map[string]string{"is": "app"}})
	registry.Push(t.Context(), app)
	w.Create(t.Context(), fmt.Sprintf(pulled, app.Name))
	w.changes()
	for _, s := range w.servers {
		if pages := s.paged(t); len(pages) > 0 {
			t.Errorf("of a healthy cluster these pages were pending (cluster %q): %v", s.cluster, pages)
		}
		s.healthy(t)
	}

	w.change("shop", "hungry", func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers[0].Args = []string{"oom-child", "2"}
	})
	w.Create(t.Context(), fmt.Sprintf(faults, image.DefaultName, registry.Address))
	w.ready.Store(false)
	for _, s := range w.servers {
		s.tells(t)
		s.between(t, `max(max_over_time(workload:oom_kills:increase5m{workload="hungry"}[5m]))`, 1.5, 2.5)
		s.between(t, `sum(max by (container, scope, victim) (last_over_time(loadline_workload_oom_kills_total{workload="hungry"}[5m])))`, 2, 2)
		s.sums(t)
		s.healthy(t)
	}

	w.ready.Store(true)
	for _, s := range w.servers {
		s.none(t, "the end of all pages", `ALERTS{severity="page"}`)
		if pages := s.paged(t); !maps.Equal(pages, map[string]bool{"ServiceHasNoReadyEndpoint trouble down": true}) {
			t.Errorf("pages were pending for %v (cluster %q)", pages, s.cluster)
		}
		s.complete(t)
		s.healthy(t)
	}
}

// known waits until rules know what workloads should have, for which it has to have been
// so for a while.
func (s server) known(t *testing.T) {
	t.Helper()
	for _, workload := range []string{"web", "down"} {
		s.between(t, fmt.Sprintf(`workload:replicas_wanted:min10m{workload=%q}`, workload), 2, 2)
	}
}

// changes does to workloads what is no fault: a rollout, more pods and fewer, and a pod
// that is deleted.
func (w *world) changes() {
	w.t.Helper()
	ctx := w.t.Context()
	w.change("shop", "web", func(d *appsv1.Deployment) {
		d.Spec.Template.Annotations = map[string]string{"revision": "2"}
	})
	for _, replicas := range []int32{4, 1, 2} {
		w.change("shop", "web", func(d *appsv1.Deployment) { d.Spec.Replicas = &replicas })
	}
	pods := w.Client.CoreV1().Pods("shop")
	list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := pods.Delete(ctx, list.Items[0].Name, metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
	w.AwaitDeployment(ctx, "shop", "web")
	for _, s := range w.servers {
		s.between(w.t, `sum(workload:replicas_ready:sum{workload="web"})`, 2, 2)
	}
}

// change changes a Deployment and waits until it is rolled out.
func (w *world) change(namespace, name string, change func(*appsv1.Deployment)) {
	w.t.Helper()
	api := w.Client.AppsV1().Deployments(namespace)
	wait.For(w.t, limit, "the change of "+name, func() error {
		d, err := api.Get(context.Background(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		change(d)
		_, err = api.Update(context.Background(), d, metav1.UpdateOptions{})
		return err
	})
	w.AwaitDeployment(w.t.Context(), namespace, name)
}

// of are labels of an alert, given as pairs.
func of(pairs ...string) map[string]string {
	labels := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		labels[pairs[i]] = pairs[i+1]
	}
	return labels
}

// told are the alerts of the faults: all of their labels but the cluster, by their state.
// WorkloadCrashLoops is not among them: a kubelet says that a container waits only while it
// waits longer than a minute, which is after three restarts, and too late for a test.
var told = []struct {
	state  string
	labels map[string]string
}{
	{"firing", of("alertname", "ServiceHasNoReadyEndpoint", "severity", "page", "level", "service", "namespace", "trouble", "service", "down", "owner", "menders")},
	{"firing", of("alertname", "ContainersRestarted", "severity", "event", "level", "workload", "namespace", "trouble", "workload", "crashing", "workload_type", "deployment", "owner", "menders")},
	{"pending", of("alertname", "ImageCannotBePulled", "severity", "ticket", "level", "workload", "namespace", "trouble", "workload", "missing", "workload_type", "deployment", "owner", "menders", "class", "pull_failed_not_found")},
	{"firing", of("alertname", "ImagePullFailed", "severity", "event", "level", "workload", "namespace", "trouble", "workload", "missing", "workload_type", "deployment", "owner", "menders", "class", "pull_failed_not_found")},
	{"firing", of("alertname", "OomKillHappened", "severity", "event", "level", "workload", "namespace", "shop", "workload", "hungry", "workload_type", "deployment")},
	{"firing", of("alertname", "RolloutCompleted", "severity", "event", "level", "workload", "namespace", "shop", "workload", "web", "workload_type", "deployment", "result", "completed")},
}

// tells waits until the alerts of the faults are there, each once and with exactly its
// labels. What is pending may fire by then.
func (s server) tells(t *testing.T) {
	t.Helper()
	for _, want := range told {
		labels := maps.Clone(want.labels)
		if s.cluster != "" {
			labels["cluster"] = s.cluster
		}
		var found alert
		s.until(t, fmt.Sprint(labels), func() error {
			all := s.alerts(t)
			same := slices.DeleteFunc(slices.Clone(all), func(a alert) bool { return !maps.Equal(a.Labels, labels) })
			if len(same) != 1 || same[0].State != want.state && same[0].State != "firing" {
				like := slices.DeleteFunc(all, func(a alert) bool { return a.Labels["alertname"] != labels["alertname"] })
				return fmt.Errorf("there are %v", like)
			}
			found = same[0]
			return nil
		})
		if found.Labels == nil {
			continue
		}
		for _, name := range []string{"summary", "description", "runbook_url", "dashboard_url"} {
			if text := found.Annotations[name]; text == "" || strings.Contains(text, "no value") || strings.Contains(text, "<error") {
				t.Errorf("%s of %s is %q", name, labels["alertname"], text)
			}
		}
	}
}

// absent are signals that nothing in this cluster has series of, and why.
var absent = map[string]string{
	"pod_failures":              "only a Swarm's tasks fail by themselves",
	"threads_limit_usage_ratio": "the kubelet sets no limit of threads",
	"block_read_bytes":          "the kernel may count no device of the machine's disk by control group",
	"block_write_bytes":         "the kernel may count no device of the machine's disk by control group",
}

// complete waits until every other recorded name has had series.
func (s server) complete(t *testing.T) {
	t.Helper()
	names, without := map[string]bool{}, 0
	for _, r := range s.rules(t) {
		switch {
		case r.Type != "recording":
		case absent[strings.Split(r.Name, ":")[1]] != "":
			without++
		default:
			names[r.Name] = true
		}
	}
	if 10*without > len(names)+without {
		t.Errorf("%d of %d recorded names are told to have no series", without, len(names)+without)
	}
	seen, err := s.Vector(`group by (__name__) (last_over_time({__name__=~".+:.+"}[1h]))`, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range seen {
		delete(names, sample.Labels["__name__"])
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		t.Errorf("%s never had series (cluster %q)", name, s.cluster)
	}
}
