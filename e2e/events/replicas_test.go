//go:build e2e

package events

import (
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/program"
	"github.com/loadline-exporters/loadline/e2e/prometheus"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// replica is one of several exporters that do the same, a process of its own.
type replica struct {
	*exporter
	*daemon.Daemon
}

func startReplica(t *testing.T, path, kubeconfig string) replica {
	t.Helper()
	address := fmt.Sprint("127.0.0.1:", daemon.FreePorts(t, "127.0.0.1", 1)[0])
	d, err := daemon.Start(daemon.Config{
		Program: path, Log: filepath.Join(t.ArtifactDir(), "exporter.log"),
		Args: []string{"--web.listen-address=" + address, "--kubeconfig=" + kubeconfig, "--docker-host=unix:///nowhere/docker.sock"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(limit); err != nil {
			t.Error(err)
		}
	})
	r := replica{&exporter{address: address}, d}
	r.listed(t)
	return r
}

// beside is a configuration of two replicas and of what serves containers of pods, as
// the shipped ones have it.
const beside = `
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: orchestrator
  honor_labels: true
  static_configs: [{targets: [%q, %q], labels: {cluster: c}}]
- job_name: resource
  honor_labels: true
  static_configs: [{targets: [%q], labels: {cluster: c}}]
`

// containers are what a node's exporter serves of pods: of each two containers, and of
// a pod that no service selects.
const containers = `# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{namespace="shop",pod="web-0",container="app"} 10
container_memory_working_set_bytes{namespace="shop",pod="web-0",container="proxy"} 1
container_memory_working_set_bytes{namespace="shop",pod="web-1",container="app"} 20
container_memory_working_set_bytes{namespace="shop",pod="web-1",container="proxy"} 2
container_memory_working_set_bytes{namespace="shop",pod="lone",container="app"} 500
`

// replicas are two of the exporter, what a Prometheus says of them, and what they watch.
type replicas struct {
	*shop
	prometheus.API
	one, two replica
}

func startReplicas(t *testing.T, s *shop, kubeconfig string) *replicas {
	t.Helper()
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, containers) }))
	t.Cleanup(node.Close)
	path := program.Own(t, "cmd/orchestrator-exporter")
	r := &replicas{shop: s, one: startReplica(t, path, kubeconfig), two: startReplica(t, path, kubeconfig)}
	r.API = prometheus.Start(t, fmt.Sprintf(beside, r.one.address, r.two.address, strings.TrimPrefix(node.URL, "http://")))
	return r
}

// answers waits until an expression has these values, by the values of labels.
func (r *replicas) answers(expression string, want map[string]float64, labels ...string) {
	r.t.Helper()
	wants(r.t, expression, func() (map[string]float64, error) {
		samples, err := r.Vector(expression, time.Time{})
		out := map[string]float64{}
		for _, s := range samples {
			var values []string
			for _, l := range labels {
				values = append(values, s.Labels[l])
			}
			key := strings.Join(values, " ")
			if _, twice := out[key]; twice {
				r.t.Fatalf("%s has %s twice", expression, key)
			}
			out[key] = s.Value
		}
		return out, err
	}, want)
}

// facts asks for facts as rules and dashboards do.
func (r *replicas) facts() {
	r.t.Helper()
	r.answers("max by (cluster, namespace, workload, workload_type) (loadline_workload_replicas_desired)", map[string]float64{"c shop web deployment": 2},
		"cluster", "namespace", "workload", "workload_type")
	r.answers("count by (namespace, pod) (max by (cluster, namespace, pod, node, uid) (loadline_pod_info))", map[string]float64{"shop web-0": 1, "shop web-1": 1},
		"namespace", "pod")
	r.answers("sum by (cluster, namespace, service) (max by (cluster, namespace, service, pod) (loadline_service_pod)"+
		" * on (cluster, namespace, pod) group_left () sum by (cluster, namespace, pod) (container_memory_working_set_bytes))",
		map[string]float64{"c shop web": 33, "c shop canary": 33}, "cluster", "namespace", "service")
}

// same waits until both replicas say the same of the namespace, but for ages.
func (r *replicas) same() {
	r.t.Helper()
	said := func(of replica) (map[string]float64, error) {
		samples, err := r.Vector(fmt.Sprintf(`{__name__=~"loadline_.+|kube_.+",__name__!~".*(_overdue|_lag)_seconds.*",namespace="shop",instance=%q}`, of.address), time.Time{})
		out := map[string]float64{}
		for _, s := range samples {
			delete(s.Labels, "instance")
			out[fmt.Sprint(s.Labels)] = s.Value
		}
		return out, err
	}
	wait.For(r.t, limit, "both replicas to say the same", func() error {
		one, err := said(r.one)
		if err != nil {
			return err
		}
		two, err := said(r.two)
		if err != nil {
			return err
		}
		for series, v := range one {
			if w, ok := two[series]; !ok || v != w {
				return fmt.Errorf("%s is %v of one and %v (%v) of the other", series, v, w, ok)
			}
		}
		if len(one) != len(two) || len(one) < 50 {
			return fmt.Errorf("one has %d series, the other %d", len(one), len(two))
		}
		return nil
	})
}

// counted waits until a replica has counted events, by class, and Prometheus has seen it.
func (r *replicas) counted(of replica, want map[string]float64) {
	r.t.Helper()
	r.answers(fmt.Sprintf(`sum by (class) (loadline_events_total{namespace="shop",instance=%q}) > 0`, of.address), want, "class")
}

// increased checks what Prometheus makes of a replica's counters since it was started:
// what was counted, by class, and nothing else. It extrapolates by half of the time
// between two samples at each end.
func (r *replicas) increased(of replica, want map[string]float64) {
	r.t.Helper()
	byClass := func(function string) map[string]float64 {
		samples, err := r.Vector(fmt.Sprintf(`sum by (class) (%s(loadline_events_total{namespace="shop",instance=%q}[1h]) > 0)`, function, of.address), time.Time{})
		if err != nil {
			r.t.Fatal(err)
		}
		out := map[string]float64{}
		for _, s := range samples {
			out[s.Labels["class"]] = s.Value
		}
		return out
	}
	got, samples := byClass("increase"), byClass("count_over_time")
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		r.t.Errorf("events of %s have increased by %v, want %v", of.address, got, want)
	}
	for class, v := range want {
		if off := math.Abs(got[class]/v - 1); off > max(0.02, 1.1/(samples[class]-1)) {
			r.t.Errorf("%s of %s have increased by %v in %v samples, want %v", class, of.address, got[class], samples[class], v)
		}
	}
}

// TestTwoReplicasSayEachFactOnceAndOneThatIsKilledCountsNothingTwice has two exporters
// watch one cluster, and kills one.
func TestTwoReplicasSayEachFactOnceAndOneThatIsKilledCountsNothingTwice(t *testing.T) {
	c := cluster.StartControlPlane(t)
	s := newShop(t, c.Client, "shop")
	pod := s.pod("web-0")
	s.pod("web-1")
	selects := map[string]string{"pod-template-hash": "abc"}
	for _, name := range []string{"web", "canary"} {
		if _, err := c.Client.CoreV1().Services("shop").Create(t.Context(), &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ServiceSpec{Selector: selects, Ports: []corev1.ServicePort{{Port: 80}}},
		}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	two := int32(2)
	if _, err := c.Client.AppsV1().Deployments("shop").Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{Replicas: &two, Selector: &metav1.LabelSelector{MatchLabels: selects}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: selects}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "nginx"}}},
		}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	before := s.event(pod, "before", "BackOff", backOff, 7)
	r := startReplicas(t, s, c.Kubeconfig)
	r.facts()
	r.same()
	r.counted(r.one, map[string]float64{})

	before = s.again(before, 9)
	s.event(pod, "x", "Unhealthy", unhealthy, 4)
	pod = s.ended(pod, "1", "OOMKilled", 137)
	first := map[string]float64{"crash_back_off": 2, "unhealthy_readiness": 4}
	r.counted(r.one, first)
	r.counted(r.two, first)
	r.facts()
	r.same()

	if err := r.two.Kill(); err != nil {
		t.Fatal(err)
	}
	before = s.again(before, 12)
	s.ended(pod, "2", "Error", 143)
	r.counted(r.one, map[string]float64{"crash_back_off": 5, "unhealthy_readiness": 4})
	r.answers("up == 0", map[string]float64{r.two.address: 0}, "instance")
	r.facts()

	if err := r.two.Restart(); err != nil {
		t.Fatal(err)
	}
	r.two.listed(t)
	r.answers(`up{job="orchestrator"}`, map[string]float64{r.one.address: 1, r.two.address: 1}, "instance")
	r.facts()
	wants(t, "the one that was killed to begin at nothing", func() (map[string]float64, error) { return r.two.events("shop") }, map[string]float64{})
	s.again(before, 13)
	r.counted(r.one, map[string]float64{"crash_back_off": 6, "unhealthy_readiness": 4})
	r.counted(r.two, map[string]float64{"crash_back_off": 1})
	r.facts()
	wants(t, "restarts, once", func() (map[string]float64, error) {
		return r.one.counted("loadline_workload_restarts_total", "shop", "workload", "container")
	}, map[string]float64{"web app": 2})

	r.answers(fmt.Sprintf(`max(resets(loadline_events_total{namespace="shop",class="crash_back_off",instance=%q}[1h]))`, r.two.address), map[string]float64{"": 1})
	if min, err := r.Query(fmt.Sprintf(`min_over_time(up{instance=%q}[1h])`, r.one.address), time.Time{}); err != nil || min != 1 {
		t.Errorf("the other was not always up: %v %v", min, err)
	}
	r.increased(r.one, map[string]float64{"crash_back_off": 6, "unhealthy_readiness": 4})
	r.increased(r.two, map[string]float64{"crash_back_off": 3, "unhealthy_readiness": 4})
}
