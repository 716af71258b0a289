package orchestrator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// startAPIServer answers with lists that never change, and has nothing else. It
// returns the path of a kubeconfig for it.
func startAPIServer(t *testing.T, lists map[string]runtime.Object) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list, ok := lists[r.URL.Path]
		q := r.URL.Query()
		switch {
		case !ok:
			refuse(w, apierrors.NewNotFound(schema.GroupResource{}, r.URL.Path))
		case q.Get("sendInitialEvents") != "": // as before Kubernetes 1.32
			refuse(w, apierrors.NewInvalid(schema.GroupKind{}, "", nil))
		case q.Get("watch") != "":
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		default:
			answer(w, http.StatusOK, list)
		}
	}))
	// client-go keeps idle connections beyond the exporter's end, for others in the process.
	s.Config.SetKeepAlivesEnabled(false)
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	config := clientcmdapi.NewConfig()
	config.Clusters["test"] = &clientcmdapi.Cluster{Server: s.URL}
	config.Contexts["test"] = &clientcmdapi.Context{Cluster: "test"}
	config.CurrentContext = "test"
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}

func refuse(w http.ResponseWriter, err *apierrors.StatusError) {
	status := err.Status()
	answer(w, int(status.Code), &status)
}

func answer(w http.ResponseWriter, code int, o runtime.Object) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(o) // the client's connection may be gone
}

func kind(version, name string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: version, Kind: name}
}

// everyKind are lists with one of everything that the model is made of, so odd that
// each family has something to say.
func everyKind() map[string]runtime.Object {
	at := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "shop", Name: name, CreationTimestamp: metav1.NewTime(time.Now().Add(-time.Hour)), Generation: 1}
	}
	web := map[string]string{"app": "web"}
	now, yes, three := metav1.Now(), true, int32(3)
	revision := map[string]string{"deployment.kubernetes.io/revision": "1"}
	list := metav1.ListMeta{ResourceVersion: "1"}
	return map[string]runtime.Object{
		"/api/v1/replicationcontrollers": &corev1.ReplicationControllerList{TypeMeta: kind("v1", "ReplicationControllerList"), ListMeta: list},
		"/apis/apps/v1/statefulsets":     &appsv1.StatefulSetList{TypeMeta: kind("apps/v1", "StatefulSetList"), ListMeta: list},
		"/apis/apps/v1/daemonsets":       &appsv1.DaemonSetList{TypeMeta: kind("apps/v1", "DaemonSetList"), ListMeta: list},
		"/apis/apps/v1/replicasets": &appsv1.ReplicaSetList{TypeMeta: kind("apps/v1", "ReplicaSetList"), ListMeta: list, Items: []appsv1.ReplicaSet{{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "shop", Name: "web-1", CreationTimestamp: now, Annotations: revision,
				OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "uid-web", Controller: &yes}},
			},
		}}},
		"/apis/apps/v1/controllerrevisions":        &appsv1.ControllerRevisionList{TypeMeta: kind("apps/v1", "ControllerRevisionList"), ListMeta: list},
		"/api/v1/namespaces":                       &corev1.NamespaceList{TypeMeta: kind("v1", "NamespaceList"), ListMeta: list, Items: []corev1.Namespace{{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "shop"}}}}},
		"/api/v1/services":                         &corev1.ServiceList{TypeMeta: kind("v1", "ServiceList"), ListMeta: list, Items: []corev1.Service{{ObjectMeta: at("web"), Spec: corev1.ServiceSpec{Selector: web}}}},
		"/apis/discovery.k8s.io/v1/endpointslices": &discoveryv1.EndpointSliceList{TypeMeta: kind("discovery.k8s.io/v1", "EndpointSliceList"), ListMeta: list},
		"/api/v1/pods": &corev1.PodList{TypeMeta: kind("v1", "PodList"), ListMeta: list, Items: []corev1.Pod{{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-1", Labels: web, CreationTimestamp: metav1.NewTime(time.Now().Add(-time.Hour))},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "web:1"}}},
			Status: corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{{
				Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
				LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 139, FinishedAt: now}},
			}}},
		}}},
		"/api/v1/nodes": &corev1.NodeList{TypeMeta: kind("v1", "NodeList"), ListMeta: list, Items: []corev1.Node{{
			ObjectMeta: metav1.ObjectMeta{Name: "n1"},
			Status: corev1.NodeStatus{
				Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}, {Type: corev1.NodeDiskPressure, Status: corev1.ConditionFalse}},
				Capacity:   corev1.ResourceList{"cpu": resource.MustParse("2")}, Allocatable: corev1.ResourceList{"cpu": resource.MustParse("1900m")},
			},
		}}},
		"/apis/apps/v1/deployments": &appsv1.DeploymentList{TypeMeta: kind("apps/v1", "DeploymentList"), ListMeta: list, Items: []appsv1.Deployment{{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "uid-web", Annotations: revision}, Spec: appsv1.DeploymentSpec{Replicas: &three, ProgressDeadlineSeconds: &three},
			Status: appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 3, Conditions: []appsv1.DeploymentCondition{
				{Type: appsv1.DeploymentProgressing, Reason: "NewReplicaSetAvailable", LastUpdateTime: now},
			}},
		}}},
		"/apis/batch/v1/jobs": &batchv1.JobList{TypeMeta: kind("batch/v1", "JobList"), ListMeta: list, Items: []batchv1.Job{{
			ObjectMeta: at("once"), Status: batchv1.JobStatus{StartTime: &now, Conditions: []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, LastTransitionTime: now}}},
		}}},
		"/apis/batch/v1/cronjobs": &batchv1.CronJobList{TypeMeta: kind("batch/v1", "CronJobList"), ListMeta: list, Items: []batchv1.CronJob{{
			ObjectMeta: at("nightly"), Spec: batchv1.CronJobSpec{Schedule: "@daily"}, Status: batchv1.CronJobStatus{LastScheduleTime: &now, LastSuccessfulTime: &now},
		}}},
		"/apis/autoscaling/v2/horizontalpodautoscalers": &autoscalingv2.HorizontalPodAutoscalerList{TypeMeta: kind("autoscaling/v2", "HorizontalPodAutoscalerList"), ListMeta: list,
			Items: []autoscalingv2.HorizontalPodAutoscaler{{
				ObjectMeta: at("web"), Status: autoscalingv2.HorizontalPodAutoscalerStatus{Conditions: []autoscalingv2.HorizontalPodAutoscalerCondition{
					{Type: autoscalingv2.ScalingLimited, Status: corev1.ConditionTrue, Reason: "TooManyReplicas"},
				}},
			}}},
	}
}
