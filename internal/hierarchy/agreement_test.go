package hierarchy_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/kubernetes"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/exporters/resource/kubelet"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// ownedPod is a pod by the shape of what owns it.
func ownedPod(name, version, kind, owner string, labels, annotations map[string]string) corev1.Pod {
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, Labels: labels, Annotations: annotations}}
	p.Spec.Containers = []corev1.Container{{Name: "app", Image: "web:1"}}
	if kind != "" {
		yes := true
		p.OwnerReferences = []metav1.OwnerReference{
			{APIVersion: "v1", Kind: "ConfigMap", Name: "not-a-controller"},
			{APIVersion: version, Kind: kind, Name: owner, Controller: &yes},
		}
	}
	return p
}

func ownedPods() []corev1.Pod {
	type m = map[string]string
	return []corev1.Pod{
		ownedPod("deployment", "apps/v1", "ReplicaSet", "web-5d4f8", m{"pod-template-hash": "5d4f8"}, nil),
		ownedPod("replicaset", "apps/v1", "ReplicaSet", "web", m{"pod-template-hash": "5d4f8"}, nil),
		ownedPod("rollout", "apps/v1", "ReplicaSet", "web-77", m{"rollouts-pod-template-hash": "77"}, nil),
		ownedPod("statefulset", "apps/v1", "StatefulSet", "db", nil, nil),
		ownedPod("kruise", "apps.kruise.io/v1beta1", "StatefulSet", "db", nil, nil),
		ownedPod("daemonset", "apps/v1", "DaemonSet", "agent", nil, nil),
		ownedPod("job", "batch/v1", "Job", "migrate", nil, nil),
		ownedPod("cronjob-by-name", "batch/v1", "Job", "backup-29345678", nil, nil),
		ownedPod("cronjob-by-hand", "batch/v1", "Job", "by-hand", nil, nil),
		ownedPod("job-despite-its-name", "batch/v1", "Job", "alone-29000001", nil, nil),
		ownedPod("volcano", "batch.volcano.sh/v1alpha1", "Job", "v", nil, nil),
		ownedPod("replicationcontroller", "v1", "ReplicationController", "old", nil, nil),
		ownedPod("deploymentconfig", "v1", "ReplicationController", "old-3", nil, m{"openshift.io/deployment-config.name": "old"}),
		ownedPod("mirror", "v1", "Node", "n1", nil, m{"kubernetes.io/config.hash": "abc"}),
		ownedPod("custom", "argoproj.io/v1alpha1", "Workflow", "w", nil, nil),
		ownedPod("bare", "", "", "", nil, nil),
	}
}

func madeJobs() []*batchv1.Job {
	yes := true
	byHand := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "by-hand", UID: "1"}}
	byHand.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: "nightly", Controller: &yes}}
	return []*batchv1.Job{byHand, {ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "alone-29000001", UID: "2"}}}
}

// jobsOf answers as the resource exporter's watch of Jobs does.
type jobsOf []*batchv1.Job

// CronJobOf answers by the owner.
func (j jobsOf) CronJobOf(namespace, name string) (string, bool) {
	for _, job := range j {
		if job.Namespace == namespace && job.Name == name {
			if owner := metav1.GetControllerOfNoCopy(job); owner != nil {
				return owner.Name, true
			}
			return "", true
		}
	}
	return "", false
}

func TestBothExportersAgreeOnTheWorkloadOfEveryShapeOfOwner(t *testing.T) {
	byNode, byCluster := ofResourceExporter(t, ownedPods()), ofOrchestratorExporter(ownedPods())
	for _, p := range ownedPods() {
		if byNode[p.Name] != byCluster[p.Name] || byNode[p.Name].Name == "" {
			t.Errorf("%s: the resource exporter says %+v, the orchestrator exporter %+v", p.Name, byNode[p.Name], byCluster[p.Name])
		}
	}
}

// ofResourceExporter are the workloads by what a kubelet answers.
func ofResourceExporter(t *testing.T, pods []corev1.Pod) map[string]hierarchy.Workload {
	t.Helper()
	answer, err := json.Marshal(corev1.PodList{TypeMeta: metav1.TypeMeta{Kind: "PodList", APIVersion: "v1"}, Items: pods})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	defer server.Close()
	k, err := kubelet.New(kubelet.Options{URL: server.URL}, jobsOf(madeJobs()))
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := k.Fetch(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]hierarchy.Workload{}
	for _, p := range found {
		out[p.Name] = p.Workload
	}
	return out
}

// ofOrchestratorExporter are the workloads by what is watched.
func ofOrchestratorExporter(pods []corev1.Pod) map[string]hierarchy.Workload {
	c := kubernetes.New(kubernetes.Options{})
	sinks := c.Sinks()
	for i := range pods {
		sinks["pods"].Set(watch.Key{Namespace: pods[i].Namespace, Name: pods[i].Name}, sinks["pods"].Reduce(&pods[i]))
	}
	for _, j := range madeJobs() { // after their pods, as may happen
		sinks["jobs"].Set(watch.Key{Namespace: j.Namespace, Name: j.Name}, sinks["jobs"].Reduce(j))
	}
	out := map[string]hierarchy.Workload{}
	c.Pods(func(p *model.Pod) { out[p.Pod] = p.Workload })
	return out
}
