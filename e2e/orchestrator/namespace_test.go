//go:build e2e

package orchestrator

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// everythingOf is one of each kind of object that a namespace mostly has.
const everythingOf = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: doomed}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "web:1"}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: doomed}
spec:
  replicas: 1
  serviceName: db
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: app, image: "db:1"}]}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: doomed}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: doomed}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "succeeds:1"}]}}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: once, namespace: doomed}
spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never, containers: [{name: app, image: "fails:1"}]}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: doomed}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 5}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: doomed}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: doomed}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
`

// outlives are the families that count, and outlive what they count.
var outlives = regexp.MustCompile(`__name__="loadline_\w+_(total|sum|count|bucket)"`)

// stateOf are the series of a namespace that are not counters.
func (s Series) stateOf(namespace string) (out []string) {
	for series := range s {
		if strings.Contains(series, fmt.Sprintf("namespace=%q", namespace)) && !outlives.MatchString(series) {
			out = append(out, series)
		}
	}
	return out
}

func TestOfANamespaceThatIsDeletedCountersStayAndNothingElse(t *testing.T) {
	p := cluster.StartControlPlane(t, cluster.WithControllers())
	StartNode(t, p.Client, "n1")
	namespaces := p.Client.CoreV1().Namespaces()
	begin := func() {
		t.Helper()
		if _, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "doomed"}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		p.Create(t.Context(), everythingOf)
	}
	args := []string{"--kubeconfig=" + p.Kubeconfig, "--docker-host=unix:///nowhere/docker.sock"}
	exporters := map[string]*Exporter{
		"of all namespaces":      Start(t, args...),
		"of this one and others": Start(t, append(args, "--namespaces=doomed,default")...),
	}
	begin()
	complete := []string{`namespace="doomed"`, `workload="web"`, `result="completed"`}
	for _, e := range exporters {
		e.Becomes(3, "loadline_workload_replicas_ready", complete[:2]...)
		e.Becomes(1, "loadline_workload_rollouts_total", complete...)
		e.Have([]float64{1, 1, 1}, "loadline_service_pod", `namespace="doomed"`, `service="web"`)
		e.Becomes(1, "loadline_workload_job_runs_total", `namespace="doomed"`, `workload="once"`, `result="failed"`)
	}
	if err := namespaces.Delete(t.Context(), "doomed", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	exporters["that lists what is being deleted"] = Start(t, args...)
	wait.For(t, Limit, "the namespace to be gone", func() error {
		for _, e := range exporters {
			if err := e.isWell(); err != nil {
				t.Fatal(err)
			}
		}
		_, err := namespaces.Get(t.Context(), "doomed", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("it is there"), err)
	})
	for which, e := range exporters {
		wait.For(t, Limit, "an exporter "+which+" to serve nothing of it", func() error {
			series, err := e.Scrape()
			if left := series.stateOf("doomed"); err == nil && len(left) > 0 {
				err = fmt.Errorf("%d series are there, such as %s", len(left), left[0])
			}
			return errors.Join(err, e.isWell())
		})
		if which != "that lists what is being deleted" {
			e.Becomes(1, "loadline_workload_rollouts_total", complete...)
			e.Becomes(1, "loadline_workload_job_runs_total", `namespace="doomed"`, `workload="once"`, `result="failed"`)
		}
	}
	begin() // and its counters go on
	for which, e := range exporters {
		e.Becomes(3, "loadline_workload_replicas_ready", complete[:2]...)
		want := 2.0
		if which == "that lists what is being deleted" {
			want = 1
		}
		e.Becomes(want, "loadline_workload_rollouts_total", complete...)
		for line := range strings.Lines(e.logs.String()) {
			if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
				t.Errorf("an exporter %s complains: %s", which, line)
			}
		}
	}
}

// isWell says whether everything could be collected, and every resource can be read.
func (e *Exporter) isWell() error {
	series, err := e.Scrape()
	if err != nil {
		return err
	}
	for s, v := range series {
		failed := strings.Contains(s, `__name__="loadline_collector_success"`) ||
			strings.Contains(s, `__name__="loadline_source_available"`) && !strings.Contains(s, `source="docker`) && !strings.Contains(s, `source="swarm"`)
		if failed && v != 1 {
			return fmt.Errorf("%s is %v", s, v)
		}
	}
	return nil
}
