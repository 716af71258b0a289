//go:build e2e

package orchestrator

import (
	"context"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const shop = "shop"

// scene is a cluster with a node, and the exporter beside it.
type scene struct {
	*cluster.ControlPlane
	*Exporter
	t    *testing.T
	stop func() // the node
}

func newScene(t *testing.T) *scene {
	p := cluster.StartControlPlane(t, cluster.WithControllers())
	_, stop := StartNode(t, p.Client, "n1")
	s := &scene{ControlPlane: p, t: t, stop: stop}
	_, err := p.Client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: shop, Labels: map[string]string{"team": "shop"}},
	}, metav1.CreateOptions{})
	s.must(err)
	s.Exporter = Start(t, "--kubeconfig="+p.Kubeconfig)
	return s
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func template(app, image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}},
	}
}

func selector(app string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}
}

// deploy makes a Deployment of a first revision.
func (s *scene) deploy(name string, replicas, deadline int32) {
	s.t.Helper()
	_, err := s.Client.AppsV1().Deployments(shop).Create(s.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": "front"}},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: selector(name), Template: template(name, "web:1"), ProgressDeadlineSeconds: &deadline,
		},
	}, metav1.CreateOptions{})
	s.must(err)
}

func (s *scene) patch(name, patch string) {
	s.t.Helper()
	_, err := s.Client.AppsV1().Deployments(shop).Patch(s.t.Context(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	s.must(err)
}

func (s *scene) image(name, image string) {
	s.t.Helper()
	s.patch(name, `{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"`+image+`"}]}}}}`)
}

// rollouts waits until the counter of a workload's rollouts says so.
func (s *scene) rollouts(workload string, completed, failed, rolledBack float64) {
	s.t.Helper()
	s.Have([]float64{completed, failed, rolledBack}, "loadline_workload_rollouts_total", `workload="`+workload+`"`)
}

func TestARolloutsLifeIsServed(t *testing.T) {
	s := newScene(t)
	web := `workload="web"`
	began := float64(time.Now().Unix())
	s.deploy("web", 3, 20) // so long that a busy machine keeps to it
	s.Becomes(1, "loadline_workload_rollout_state", web, `state="complete"`)
	for _, number := range []string{"desired", "current", "updated", "ready", "available", "schedulable"} {
		s.Becomes(3, "loadline_workload_replicas_"+number, web, `workload_type="deployment"`, `orchestrator="kubernetes"`)
	}
	s.Becomes(0, "loadline_workload_generation_lag", web)
	s.Becomes(1, "loadline_workload_owner", web, `owner="front"`)
	s.Becomes(1, "loadline_namespace_owner", `namespace="shop"`, `owner="shop"`)
	s.rollouts("web", 1, 0, 0)

	s.image("web", "web:2")
	s.rollouts("web", 2, 0, 0)
	s.patch("web", `{"spec":{"replicas":4}}`) // scaling is no rollout
	s.Becomes(4, "loadline_workload_replicas_available", web)
	s.rollouts("web", 2, 0, 0)

	s.image("web", "missing:3")
	s.Becomes(1, "loadline_workload_rollout_state", web, `state="stalled"`)
	s.rollouts("web", 2, 1, 0)
	s.Have([]float64{1, 1}, "loadline_container_waiting", web, `reason="image_pull_back_off"`)

	s.image("web", "web:2") // what was there before: a rollback
	s.Becomes(1, "loadline_workload_rollout_state", web, `state="complete"`)
	s.rollouts("web", 2, 1, 1)
	scraped, err := s.Scrape()
	s.must(err)
	start, end := scraped.Of("loadline_workload_rollout_start_timestamp_seconds", web), scraped.Of("loadline_workload_rollout_end_timestamp_seconds", web)
	now := float64(time.Now().Unix())
	if len(start) != 1 || len(end) != 1 || start[0] < began+20 || end[0] < start[0] || end[0] > now+1 {
		t.Errorf("the last rollout was from %v to %v, want within %v and %v", start, end, began+20, now)
	}
	s.Have([]float64{1, 1, 1, 1}, "loadline_pod_info", web, `node="n1"`, `qos="best_effort"`, `host_network="false"`)

	s.patch("web", `{"spec":{"paused":true}}`)
	s.Becomes(1, "loadline_workload_paused", web)
	s.must(s.Client.AppsV1().Deployments(shop).Delete(t.Context(), "web", metav1.DeleteOptions{}))
	s.Gone("loadline_workload_replicas_desired", web)
	s.Gone("loadline_pod_info", web)
	s.rollouts("web", 2, 1, 1)
}

func TestStatefulSetsAndDaemonSetsRollOut(t *testing.T) {
	s := newScene(t)
	two := int32(2)
	_, err := s.Client.AppsV1().StatefulSets(shop).Create(t.Context(), &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "db"},
		Spec:       appsv1.StatefulSetSpec{Replicas: &two, Selector: selector("db"), Template: template("db", "db:1"), ServiceName: "db"},
	}, metav1.CreateOptions{})
	s.must(err)
	_, err = s.Client.AppsV1().DaemonSets(shop).Create(t.Context(), &appsv1.DaemonSet{
		ObjectMeta: metav1.ObjectMeta{Name: "agent"},
		Spec:       appsv1.DaemonSetSpec{Selector: selector("agent"), Template: template("agent", "agent:1")},
	}, metav1.CreateOptions{})
	s.must(err)
	s.rollouts("db", 1, 0, 0)
	s.rollouts("agent", 1, 0, 0)
	set := func(image string) {
		t.Helper()
		patch := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"` + image + `"}]}}}}`)
		_, err := s.Client.AppsV1().StatefulSets(shop).Patch(t.Context(), "db", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		s.must(err)
		_, err = s.Client.AppsV1().DaemonSets(shop).Patch(t.Context(), "agent", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
		s.must(err)
	}
	set("any:2")
	s.rollouts("db", 2, 0, 0)
	s.rollouts("agent", 2, 0, 0)
	patch := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"db:1"}]}}}}`)
	_, err = s.Client.AppsV1().StatefulSets(shop).Patch(t.Context(), "db", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	s.must(err)
	s.rollouts("db", 2, 0, 1)
	s.Becomes(1, "loadline_workload_replicas_desired", `workload="agent"`, `workload_type="daemonset"`)
}

func TestRunsAndSchedulesAreServed(t *testing.T) {
	s := newScene(t)
	zero := int32(0)
	run := func(name, image string) {
		t.Helper()
		spec := template(name, image)
		spec.Spec.RestartPolicy = corev1.RestartPolicyNever
		_, err := s.Client.BatchV1().Jobs(shop).Create(t.Context(), &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: batchv1.JobSpec{BackoffLimit: &zero, Template: spec},
		}, metav1.CreateOptions{})
		s.must(err)
	}
	run("good", "succeeds:1")
	run("bad", "fails:1")
	s.Becomes(1, "loadline_job_state", `job_name="good"`, `state="complete"`, `reason=""`)
	s.Becomes(1, "loadline_job_state", `job_name="bad"`, `state="failed"`, `reason="backoff_limit_exceeded"`)
	s.Becomes(1, "loadline_job_pods", `job_name="bad"`, `state="failed"`)
	s.Becomes(1, "loadline_workload_job_runs_total", `workload="bad"`, `workload_type="job"`, `result="failed"`)
	s.Becomes(1, "loadline_container_last_termination", `workload="bad"`, `reason="oom_killed"`)
	s.Becomes(9, "loadline_container_last_termination_signal", `workload="bad"`)

	nightly := template("nightly", "succeeds:1")
	nightly.Spec.RestartPolicy = corev1.RestartPolicyNever
	_, err := s.Client.BatchV1().CronJobs(shop).Create(t.Context(), &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Name: "nightly"},
		Spec:       batchv1.CronJobSpec{Schedule: "* * * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: nightly}}},
	}, metav1.CreateOptions{})
	s.must(err)
	s.Becomes(0, "loadline_cronjob_missed_schedules", `workload="nightly"`)
	wait.For(t, 2*time.Minute, "a run that the clock started", func() error {
		series, err := s.Scrape()
		if err == nil && len(series.Of("loadline_workload_job_runs_total", `workload="nightly"`, `workload_type="cronjob"`, `result="complete"`)) == 0 {
			err = context.DeadlineExceeded
		}
		if err == nil && len(series.Of("loadline_job_state", `workload="nightly"`, `workload_type="cronjob"`, `state="complete"`)) == 0 {
			err = context.DeadlineExceeded
		}
		return err
	})
	s.Have([]float64{1}, "loadline_pod_phase", `workload="nightly"`, `workload_type="cronjob"`, `phase="succeeded"`)
}

func TestServicesAutoscalersAndNodesAreServed(t *testing.T) {
	s := newScene(t)
	s.deploy("web", 2, 600)
	_, err := s.Client.CoreV1().Services(shop).Create(t.Context(), &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "front"},
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": "web"}, Ports: []corev1.ServicePort{{Port: 80}}},
	}, metav1.CreateOptions{})
	s.must(err)
	s.Have([]float64{1, 1}, "loadline_service_pod", `service="front"`)
	s.Becomes(2, "loadline_service_endpoints", `service="front"`, `state="ready"`)
	s.image("web", "missing:2")
	s.Have([]float64{1, 1, 1}, "loadline_service_pod", `service="front"`)
	s.Becomes(1, "loadline_service_endpoints", `service="front"`, `state="not_ready"`)

	_, err = s.Client.AutoscalingV2().HorizontalPodAutoscalers(shop).Create(t.Context(), &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"}, MaxReplicas: 5,
			Metrics: []autoscalingv2.MetricSpec{{Type: autoscalingv2.ResourceMetricSourceType, Resource: &autoscalingv2.ResourceMetricSource{
				Name: corev1.ResourceCPU, Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: ptr(int32(50))},
			}}},
		},
	}, metav1.CreateOptions{})
	s.must(err)
	s.Becomes(5, "loadline_autoscaler_replicas_max", `autoscaler="web"`, `workload="web"`, `workload_type="deployment"`)
	s.Becomes(1, "loadline_autoscaler_limited", `autoscaler="web"`, `reason="metrics_missing"`) // there is no metrics server

	s.Becomes(1, "loadline_orchestrator_node_ready", `node="n1"`)
	s.Becomes(50, "loadline_orchestrator_node_capacity", `node="n1"`, `resource="pods"`)
	_, err = s.Client.CoreV1().Nodes().Patch(t.Context(), "n1", types.StrategicMergePatchType, []byte(`{"spec":{"unschedulable":true}}`), metav1.PatchOptions{})
	s.must(err)
	s.Becomes(0, "loadline_orchestrator_node_schedulable", `node="n1"`)
	s.patch("web", `{"spec":{"replicas":4}}`)
	s.Have([]float64{1, 1}, "loadline_container_waiting", `workload="web"`, `reason="no_suitable_node"`)
	s.stop() // the node is not heard of any more
	s.Becomes(0, "loadline_orchestrator_node_ready", `node="n1"`)
	// Of the only node nothing is evicted. What becomes of its pods nobody knows.
	wait.For(t, Limit, "pods in phase unknown", func() error {
		series, err := s.Scrape()
		if got := series.Of("loadline_pod_overdue_seconds", `workload="web"`, `phase="unknown"`); err == nil && (len(got) == 0 || got[0] < 1) {
			err = fmt.Errorf("they are overdue since %v", got)
		}
		return err
	})
}

func ptr[T any](v T) *T { return &v }
