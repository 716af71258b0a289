package kube

import (
	"fmt"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	certificatesv1 "k8s.io/api/certificates/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	storagev1 "k8s.io/api/storage/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// newObject is an empty object of a resource.
func newObject(resource string) runtime.Object {
	return map[string]runtime.Object{
		"certificatesigningrequests": &certificatesv1.CertificateSigningRequest{}, "clusterrolebindings": &rbacv1.ClusterRoleBinding{},
		"clusterroles": &rbacv1.ClusterRole{}, "configmaps": &corev1.ConfigMap{}, "cronjobs": &batchv1.CronJob{},
		"daemonsets": &appsv1.DaemonSet{}, "deployments": &appsv1.Deployment{},
		//lint:ignore SA1019 deprecated for those who write them; kube-state-metrics has families of them
		"endpoints":      &corev1.Endpoints{},
		"endpointslices": &discoveryv1.EndpointSlice{}, "horizontalpodautoscalers": &autoscalingv2.HorizontalPodAutoscaler{},
		"ingressclasses": &networkingv1.IngressClass{}, "ingresses": &networkingv1.Ingress{}, "jobs": &batchv1.Job{},
		"leases": &coordinationv1.Lease{}, "limitranges": &corev1.LimitRange{},
		"mutatingadmissionpolicies":       &admissionv1.MutatingAdmissionPolicy{},
		"mutatingadmissionpolicybindings": &admissionv1.MutatingAdmissionPolicyBinding{},
		"mutatingwebhookconfigurations":   &admissionv1.MutatingWebhookConfiguration{},
		"namespaces":                      &corev1.Namespace{}, "networkpolicies": &networkingv1.NetworkPolicy{}, "nodes": &corev1.Node{},
		"persistentvolumeclaims": &corev1.PersistentVolumeClaim{}, "persistentvolumes": &corev1.PersistentVolume{},
		"poddisruptionbudgets": &policyv1.PodDisruptionBudget{}, "pods": &corev1.Pod{}, "replicasets": &appsv1.ReplicaSet{},
		"replicationcontrollers": &corev1.ReplicationController{}, "resourcequotas": &corev1.ResourceQuota{},
		"rolebindings": &rbacv1.RoleBinding{}, "roles": &rbacv1.Role{}, "secrets": &corev1.Secret{},
		"serviceaccounts": &corev1.ServiceAccount{}, "services": &corev1.Service{}, "statefulsets": &appsv1.StatefulSet{},
		"storageclasses": &storagev1.StorageClass{}, "validatingadmissionpolicies": &admissionv1.ValidatingAdmissionPolicy{},
		"validatingadmissionpolicybindings": &admissionv1.ValidatingAdmissionPolicyBinding{},
		"validatingwebhookconfigurations":   &admissionv1.ValidatingWebhookConfiguration{},
		"volumeattachments":                 &storagev1.VolumeAttachment{},
	}[resource]
}

var noon = metav1.NewTime(time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC))

// testPod is the i-th pod as a cluster has them: of a deployment, two containers, running.
func testPod(i int) *corev1.Pod {
	set := fmt.Sprintf("web-%04d-7d4b9c6f5", i/10)
	uid := func(n int) types.UID { return types.UID(fmt.Sprintf("%08x-1b2c-4d3e-8f90-%012x", n*2654435761, n)) }
	quantities := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: quantity.MustParse(cpu), corev1.ResourceMemory: quantity.MustParse(memory)}
	}
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: fmt.Sprintf("team-%02d", i/10%20), Name: fmt.Sprintf("%s-%05x", set, i), UID: uid(i), ResourceVersion: fmt.Sprint(100000 + i),
			CreationTimestamp: noon, Labels: map[string]string{"app": "web", "pod-template-hash": "7d4b9c6f5"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: set, UID: uid(1e6 + i/10), Controller: ptr.To(true)}},
		},
		Spec: corev1.PodSpec{
			NodeName: fmt.Sprintf("node-%03d", i%100), RestartPolicy: corev1.RestartPolicyAlways, ServiceAccountName: "web", SchedulerName: "default-scheduler",
			Tolerations: []corev1.Toleration{
				{Key: "node.kubernetes.io/not-ready", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](300)},
				{Key: "node.kubernetes.io/unreachable", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: ptr.To[int64](300)},
			},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, HostIP: "10.0.0.7", PodIP: fmt.Sprintf("10.1.%d.%d", i>>8&255, i&255), StartTime: &noon, QOSClass: corev1.PodQOSBurstable,
			PodIPs: []corev1.PodIP{{IP: fmt.Sprintf("10.1.%d.%d", i>>8&255, i&255)}},
		},
	}
	for _, c := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: noon})
	}
	for _, name := range []string{"app", "proxy"} {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{
			Name: name, Image: "registry.example/shop/" + name + ":1.2.3", ImagePullPolicy: corev1.PullIfNotPresent,
			Resources: corev1.ResourceRequirements{Requests: quantities("250m", "64Mi"), Limits: quantities("1", "128Mi")},
		})
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: name, Image: "registry.example/shop/" + name + ":1.2.3", Ready: true, Started: ptr.To(true), RestartCount: int32(i % 3),
			ImageID:     "registry.example/shop/" + name + "@sha256:4e1243bd22c66e76c2ba9eddc1f91394e57f9f83000000000000000000000000",
			ContainerID: fmt.Sprintf("containerd://%064x", i), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: noon}},
		})
	}
	return p
}

// testDeployment is the i-th deployment.
func testDeployment(i int) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("web-%04d", i), Generation: 3, CreationTimestamp: noon},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](10), Strategy: appsv1.DeploymentStrategy{
			Type:          appsv1.RollingUpdateDeploymentStrategyType,
			RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: ptr.To(intstr.FromString("25%")), MaxUnavailable: ptr.To(intstr.FromInt32(1))},
		}},
		Status: appsv1.DeploymentStatus{Replicas: 10, ReadyReplicas: 9, AvailableReplicas: 9, UnavailableReplicas: 1, ObservedGeneration: 3,
			Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable"}}},
	}
}
