package watch

import (
	"context"

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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// ListOptions are Kubernetes'.
type ListOptions = metav1.ListOptions

// Stream is Kubernetes' watch.
type Stream = watch.Interface

// builtIn are the resources that Kubernetes itself has, as far as anybody here wants
// to know of them.
func builtIn(c kubernetes.Interface) []Resource {
	admission, apps, batch, core := c.AdmissionregistrationV1(), c.AppsV1(), c.BatchV1(), c.CoreV1()
	networking, rbac, storage := c.NetworkingV1(), c.RbacV1(), c.StorageV1()
	return []Resource{
		cluster("certificatesigningrequests", &certificatesv1.CertificateSigningRequest{}, c.CertificatesV1().CertificateSigningRequests()),
		cluster("clusterrolebindings", &rbacv1.ClusterRoleBinding{}, rbac.ClusterRoleBindings()),
		cluster("clusterroles", &rbacv1.ClusterRole{}, rbac.ClusterRoles()),
		namespaced("configmaps", &corev1.ConfigMap{}, core.ConfigMaps),
		namespaced("controllerrevisions", &appsv1.ControllerRevision{}, apps.ControllerRevisions),
		namespaced("cronjobs", &batchv1.CronJob{}, batch.CronJobs),
		namespaced("daemonsets", &appsv1.DaemonSet{}, apps.DaemonSets),
		namespaced("deployments", &appsv1.Deployment{}, apps.Deployments),
		//lint:ignore SA1019 deprecated for those who write them; kube-state-metrics has families of them
		namespaced("endpoints", &corev1.Endpoints{}, core.Endpoints),
		namespaced("endpointslices", &discoveryv1.EndpointSlice{}, c.DiscoveryV1().EndpointSlices),
		namespaced("events", &corev1.Event{}, core.Events),
		namespaced("horizontalpodautoscalers", &autoscalingv2.HorizontalPodAutoscaler{}, c.AutoscalingV2().HorizontalPodAutoscalers),
		cluster("ingressclasses", &networkingv1.IngressClass{}, networking.IngressClasses()),
		namespaced("ingresses", &networkingv1.Ingress{}, networking.Ingresses),
		namespaced("jobs", &batchv1.Job{}, batch.Jobs),
		namespaced("leases", &coordinationv1.Lease{}, c.CoordinationV1().Leases),
		namespaced("limitranges", &corev1.LimitRange{}, core.LimitRanges),
		cluster("mutatingadmissionpolicies", &admissionv1.MutatingAdmissionPolicy{}, admission.MutatingAdmissionPolicies()),
		cluster("mutatingadmissionpolicybindings", &admissionv1.MutatingAdmissionPolicyBinding{}, admission.MutatingAdmissionPolicyBindings()),
		cluster("mutatingwebhookconfigurations", &admissionv1.MutatingWebhookConfiguration{}, admission.MutatingWebhookConfigurations()),
		cluster("namespaces", &corev1.Namespace{}, core.Namespaces()),
		namespaced("networkpolicies", &networkingv1.NetworkPolicy{}, networking.NetworkPolicies),
		cluster("nodes", &corev1.Node{}, core.Nodes()),
		namespaced("persistentvolumeclaims", &corev1.PersistentVolumeClaim{}, core.PersistentVolumeClaims),
		cluster("persistentvolumes", &corev1.PersistentVolume{}, core.PersistentVolumes()),
		namespaced("poddisruptionbudgets", &policyv1.PodDisruptionBudget{}, c.PolicyV1().PodDisruptionBudgets),
		namespaced("pods", &corev1.Pod{}, core.Pods),
		namespaced("replicasets", &appsv1.ReplicaSet{}, apps.ReplicaSets),
		namespaced("replicationcontrollers", &corev1.ReplicationController{}, core.ReplicationControllers),
		namespaced("resourcequotas", &corev1.ResourceQuota{}, core.ResourceQuotas),
		namespaced("rolebindings", &rbacv1.RoleBinding{}, rbac.RoleBindings),
		namespaced("roles", &rbacv1.Role{}, rbac.Roles),
		namespaced("secrets", &corev1.Secret{}, core.Secrets),
		namespaced("serviceaccounts", &corev1.ServiceAccount{}, core.ServiceAccounts),
		namespaced("services", &corev1.Service{}, core.Services),
		namespaced("statefulsets", &appsv1.StatefulSet{}, apps.StatefulSets),
		cluster("storageclasses", &storagev1.StorageClass{}, storage.StorageClasses()),
		cluster("validatingadmissionpolicies", &admissionv1.ValidatingAdmissionPolicy{}, admission.ValidatingAdmissionPolicies()),
		cluster("validatingadmissionpolicybindings", &admissionv1.ValidatingAdmissionPolicyBinding{}, admission.ValidatingAdmissionPolicyBindings()),
		cluster("validatingwebhookconfigurations", &admissionv1.ValidatingWebhookConfiguration{}, admission.ValidatingWebhookConfigurations()),
		cluster("volumeattachments", &storagev1.VolumeAttachment{}, storage.VolumeAttachments()),
	}
}

// api is what typed clients have in common.
type api[L runtime.Object] interface {
	List(ctx context.Context, o metav1.ListOptions) (L, error)
	Watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error)
}

// typed makes a ListWatcher of a typed client.
type typed[L runtime.Object] struct{ api api[L] }

// List lists.
func (t typed[L]) List(ctx context.Context, o ListOptions) (runtime.Object, error) {
	return t.api.List(ctx, o)
}

// Watch watches.
func (t typed[L]) Watch(ctx context.Context, o ListOptions) (Stream, error) {
	return t.api.Watch(ctx, o)
}

func cluster[L runtime.Object, C api[L]](name string, object runtime.Object, c C) Resource {
	return Resource{Name: name, Object: object, In: func(string) ListWatcher { return typed[L]{c} }}
}

func namespaced[L runtime.Object, C api[L]](name string, object runtime.Object, in func(namespace string) C) Resource {
	return Resource{Name: name, Object: object, Namespaced: true, In: func(ns string) ListWatcher { return typed[L]{in(ns)} }}
}
