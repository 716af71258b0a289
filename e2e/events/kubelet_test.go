//go:build e2e

package events

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/up"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/events"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// deployment is a Deployment of one pod, whose container has what spec says.
const deployment = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: %[4]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 1
      %[3]s
      containers:
      - name: app
        image: %[2]s
        imagePullPolicy: IfNotPresent
`

// noPods is a quota that leaves a namespace no room.
const noPods = `
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: none, namespace: full}
spec: {hard: {pods: "0"}}
`

type workload struct {
	name, image string
	pod, spec   string // lines of the pod's and the container's specification
	class       model.Class
	times       float64 // that the class occurs at least
}

func (w workload) manifest(namespace string) string {
	m := fmt.Sprintf(deployment, w.name, w.image, w.pod, namespace)
	if w.spec != "" {
		m += "        " + w.spec + "\n"
	}
	return m
}

func TestAKubeletsEventsAreCountedExactly(t *testing.T) {
	c := cluster.Start(t, cluster.WithoutServices())
	good, limited := c.StartRegistry(), c.StartRegistry()
	// An image of its own: what the kubelet has pulled once under one name it pulls again
	// under another.
	app := image.Workload(t, image.Spec{Name: good.Address + "/team/app:1", Labels: map[string]string{"is": "app"}})
	good.Push(t.Context(), app)
	limited.Refuse(429)
	e := startExporter(t, c.Kubeconfig)
	p := startPrometheus(t, e)
	newShop(t, c.Client, "shop")

	workloads := []workload{
		{"pulled", app.Name, "", "args: [idle]", model.PullSucceeded, 1},
		{"missing", good.Address + "/team/nope:1", "", "", model.PullNotFound, 2},
		{"limited", limited.Address + "/team/app:1", "", "", model.PullRateLimited, 2},
		{"crashing", image.DefaultName, "", `args: [exit, "3"]`, model.CrashBackOff, 1},
		{"unready", image.DefaultName, "", "readinessProbe: {tcpSocket: {port: 81}, periodSeconds: 1}", model.UnhealthyReadiness, 5},
		{"dying", image.DefaultName, "", "livenessProbe: {tcpSocket: {port: 81}, periodSeconds: 1, failureThreshold: 2}", model.KilledByProbe, 1},
		{"hungry", image.DefaultName, "", "args: [oom]\n        resources: {limits: {memory: 32Mi}}", model.CrashBackOff, 1},
		{"unset", image.DefaultName, "", "envFrom: [{secretRef: {name: nope}}]", model.ConfigFailed, 2},
		{"unstartable", image.DefaultName, "", "command: [/nope]", model.StartFailed, 1},
		{"homeless", image.DefaultName, "nodeSelector: {disk: none}", "", model.UnscheduledAffinity, 1},
	}
	var manifests strings.Builder
	for _, w := range workloads {
		manifests.WriteString(w.manifest("shop"))
	}
	newShop(t, c.Client, "full")
	c.Create(t.Context(), manifests.String()+noPods+workload{name: "web", image: image.DefaultName}.manifest("full"))

	in := func(namespace string) func() (map[string]float64, error) {
		return func() (map[string]float64, error) {
			return grown(p, fmt.Sprintf("loadline_events_total{namespace=%q}", namespace), "workload", "class", "type")
		}
	}
	counted := in("shop")
	wait.For(t, limit, "everything to happen", func() error {
		got, err := counted()
		if err != nil {
			return err
		}
		for _, w := range workloads {
			n := got[fmt.Sprint(w.name, " ", w.class, " normal")] + got[fmt.Sprint(w.name, " ", w.class, " warning")]
			if n < w.times {
				err = errors.Join(err, fmt.Errorf("%s: %s %v times of %v; there are %v", w.name, w.class, n, w.times, stored(t, c, "shop")))
			}
		}
		return err
	})
	wait.For(t, limit, "restarts", func() error { return restarted(t.Context(), c, "hungry", 2) })

	// At rest, what is counted is what the API server has.
	c.Nodes[0].Kubelet.Stop()
	c.ControllerManager.Stop()
	want := stored(t, c, "shop")
	wants(t, "the events that the API server has", counted, want)
	full := stored(t, c, "full")
	wants(t, "the events of a namespace without room", in("full"), full)
	if full["web pod_create_failed_quota warning"] == 0 {
		t.Errorf("no pod was refused: %v", full)
	}
	compareEnds(t, c, p)
	comparePulls(t, p, good.Address)
	if n, err := p.Query(`sum(loadline_workload_pod_ready_duration_seconds_count{namespace="shop",workload="pulled"})`, time.Time{}); err != nil || n != 1 {
		t.Errorf("%v pods of workload pulled were ready (%v)", n, err)
	}
	t.Logf("%d series of events: %v", len(want), want)
}

// stored are the occurrences of events of workloads in a namespace, as the API server
// has them. Workloads have no dash in their names.
func stored(t *testing.T, c *cluster.Cluster, namespace string) map[string]float64 {
	t.Helper()
	list, err := c.Client.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for i := range list.Items {
		x := &list.Items[i]
		n := max(1, float64(x.Count))
		if x.Series != nil {
			n = max(n, float64(x.Series.Count))
		}
		workload, _, _ := strings.Cut(x.InvolvedObject.Name, "-")
		out[fmt.Sprint(workload, " ", events.Classify(x), " ", strings.ToLower(x.Type))] += n
	}
	return out
}

func restarted(ctx context.Context, c *cluster.Cluster, workload string, times int32) error {
	pods, err := c.Client.CoreV1().Pods("shop").List(ctx, metav1.ListOptions{LabelSelector: "app=" + workload})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		for _, s := range pod.Status.ContainerStatuses {
			if s.RestartCount >= times {
				return nil
			}
		}
	}
	return fmt.Errorf("%s was not restarted %d times", workload, times)
}

// compareEnds compares terminations with what pods say of their containers.
func compareEnds(t *testing.T, c *cluster.Cluster, p *up.Program) {
	t.Helper()
	pods, err := c.Client.CoreV1().Pods("shop").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{"hungry": "oom_killed", "crashing": "error", "dying": "completed", "unstartable": "cannot_run"}
	want := map[string]float64{}
	for _, pod := range pods.Items {
		for _, s := range pod.Status.ContainerStatuses {
			n := float64(s.RestartCount)
			if s.State.Running == nil && (s.State.Terminated != nil || s.LastTerminationState.Terminated != nil) {
				n++
			}
			if n > 0 {
				want[pod.Labels["app"]+" app "+reasons[pod.Labels["app"]]] = n
			}
		}
	}
	kills := 0.0
	wants(t, "the ends that pods tell of", func() (map[string]float64, error) {
		got, err := grown(p, `loadline_workload_terminations_total{namespace="shop"}`, "workload", "container", "reason")
		if err != nil {
			return nil, err
		}
		// containerd may lose a kill when the end is quicker, and then nobody knows of it.
		kills = got["hungry app oom_killed"]
		if lost := got["hungry app error"]; lost > 0 {
			got["hungry app oom_killed"] += lost
			delete(got, "hungry app error")
		}
		return got, nil
	}, want)
	if kills == 0 || want["hungry app oom_killed"] < 2 {
		t.Errorf("%v OOM kills of %v", kills, want)
	}
	t.Logf("ends: %v", want)
}

func comparePulls(t *testing.T, p *up.Program, registry string) {
	t.Helper()
	for _, family := range []string{"loadline_image_pull_duration_seconds_count", "loadline_image_pull_size_bytes_count"} {
		wants(t, family, func() (map[string]float64, error) {
			return grown(p, family, "orchestrator", "registry")
		}, map[string]float64{"kubernetes " + registry: 1})
	}
}
