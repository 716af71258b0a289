package scale

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	podsOfDeployment = 10
	namespaces       = 50
	nodes            = 100
)

// deployment is the n-th one, with all that belongs to it, as clusters have them: two
// containers, probes, a projected token, labels of a chart.
type deployment struct{ n int }

func (d deployment) namespace() string { return fmt.Sprintf("team-%02d", d.n%namespaces) }
func (d deployment) name() string      { return fmt.Sprintf("service-%04d", d.n) }
func (d deployment) hash() string      { return fmt.Sprintf("%010x", 0x5d4f8b9c00+d.n) }
func (d deployment) set() string       { return d.name() + "-" + d.hash() }
func (d deployment) pod(i int) string  { return fmt.Sprintf("%s-%05x", d.set(), d.n*31+i) }

func (d deployment) labels() map[string]string {
	return map[string]string{
		"app.kubernetes.io/name": d.name(), "app.kubernetes.io/instance": d.name() + "-production",
		"app.kubernetes.io/managed-by": "Helm", "helm.sh/chart": d.name() + "-1.42.0", "team": d.namespace(),
	}
}

func (d deployment) selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": d.name()}
}

func (d deployment) meta(name string, more map[string]string) metav1.ObjectMeta {
	m := metav1.ObjectMeta{Name: name, Namespace: d.namespace(), Labels: d.labels()}
	for k, v := range more {
		m.Labels[k] = v
	}
	return m
}

func owner(kind, name, uid string) []metav1.OwnerReference {
	yes := true
	return []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, UID: types.UID(uid), Controller: &yes, BlockOwnerDeletion: &yes}}
}

func (d deployment) deployment() *appsv1.Deployment {
	replicas := int32(podsOfDeployment)
	return &appsv1.Deployment{
		ObjectMeta: d.meta(d.name(), nil),
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: d.selector()},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: d.labels()}, Spec: d.spec("")},
		},
	}
}

func (d deployment) status() appsv1.DeploymentStatus {
	return appsv1.DeploymentStatus{
		ObservedGeneration: 1, Replicas: podsOfDeployment, UpdatedReplicas: podsOfDeployment,
		ReadyReplicas: podsOfDeployment, AvailableReplicas: podsOfDeployment,
		Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable", LastTransitionTime: metav1.Now()},
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable", LastTransitionTime: metav1.Now()},
		},
	}
}

func (d deployment) replicaSet(uid string) *appsv1.ReplicaSet {
	replicas := int32(podsOfDeployment)
	hash := map[string]string{"pod-template-hash": d.hash()}
	m := d.meta(d.set(), hash)
	m.OwnerReferences = owner("Deployment", d.name(), uid)
	m.Annotations = map[string]string{"deployment.kubernetes.io/revision": "1"}
	selector := d.selector()
	selector["pod-template-hash"] = d.hash()
	return &appsv1.ReplicaSet{
		ObjectMeta: m,
		Spec: appsv1.ReplicaSetSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: selector},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: m.Labels}, Spec: d.spec("")},
		},
	}
}

func (d deployment) podObject(i int, uid string) *corev1.Pod {
	m := d.meta(d.pod(i), map[string]string{"pod-template-hash": d.hash()})
	m.OwnerReferences = owner("ReplicaSet", d.set(), uid)
	m.Annotations = map[string]string{"checksum/config": fmt.Sprintf("%064x", d.n), "prometheus.io/scrape": "true"}
	return &corev1.Pod{ObjectMeta: m, Spec: d.spec(node((d.n*podsOfDeployment + i) % nodes))}
}

func (d deployment) spec(node string) corev1.PodSpec {
	amounts := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
	probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(8080)}}}
	environment := make([]corev1.EnvVar, 0, 12)
	for i := range cap(environment) {
		environment = append(environment, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", i), Value: fmt.Sprintf("value-of-setting-%d-of-%s", i, d.name())})
	}
	mounts := []corev1.VolumeMount{{Name: "config", MountPath: "/etc/app"}}
	return corev1.PodSpec{
		NodeName: node,
		Containers: []corev1.Container{
			{
				Name: "app", Image: d.image("app"), Env: environment, VolumeMounts: mounts, ReadinessProbe: probe, LivenessProbe: probe,
				Ports:     []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
				Resources: corev1.ResourceRequirements{Requests: amounts("250m", "256Mi"), Limits: amounts("1", "512Mi")},
			},
			{
				Name: "proxy", Image: d.image("proxy"), VolumeMounts: mounts, ReadinessProbe: probe,
				Resources: corev1.ResourceRequirements{Requests: amounts("50m", "64Mi"), Limits: amounts("200m", "128Mi")},
			},
		},
		Volumes: []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: d.name()}}}}},
	}
}

func (d deployment) image(container string) string {
	return fmt.Sprintf("registry.example/%s/%s-%s:1.42.0", d.namespace(), d.name(), container)
}

// podStatus is that of a pod that runs, whose first container has been started so many
// times anew.
func (d deployment) podStatus(i int, ready bool, restarts int32) corev1.PodStatus {
	begin := metav1.NewTime(time.Now().Add(-time.Hour))
	is := map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}[ready]
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &begin, QOSClass: corev1.PodQOSBurstable,
		HostIP: fmt.Sprintf("10.0.0.%d", i+1), PodIP: d.address(i), PodIPs: []corev1.PodIP{{IP: d.address(i)}},
	}
	for _, c := range []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady, corev1.PodScheduled} {
		condition := corev1.PodCondition{Type: c, Status: corev1.ConditionTrue, LastTransitionTime: begin}
		if c == corev1.PodReady || c == corev1.ContainersReady {
			condition.Status = is
		}
		status.Conditions = append(status.Conditions, condition)
	}
	for k, c := range []string{"app", "proxy"} {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: c, Image: d.image(c), ImageID: fmt.Sprintf("registry.example/%s@sha256:%064x", d.name(), d.n*2+k), Ready: ready,
			ContainerID: fmt.Sprintf("containerd://%064x", (d.n*podsOfDeployment+i)*2+k), RestartCount: restarts,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: begin}},
		})
	}
	return status
}

func (d deployment) address(i int) string {
	n := d.n*podsOfDeployment + i
	return fmt.Sprintf("10.%d.%d.%d", 128+n>>16, n>>8&255, n&255)
}

func (d deployment) service() *corev1.Service {
	return &corev1.Service{
		ObjectMeta: d.meta(d.name(), nil),
		Spec:       corev1.ServiceSpec{Selector: d.selector(), Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}}},
	}
}

func (d deployment) slice(uids []string) *discoveryv1.EndpointSlice {
	yes, no := true, false
	protocol, port, name := corev1.ProtocolTCP, int32(8080), "http"
	s := &discoveryv1.EndpointSlice{
		ObjectMeta:  d.meta(d.name()+"-x7k2p", map[string]string{discoveryv1.LabelServiceName: d.name()}),
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &name, Port: &port, Protocol: &protocol}},
	}
	for i, uid := range uids {
		on := node((d.n*podsOfDeployment + i) % nodes)
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{d.address(i)}, NodeName: &on,
			Conditions: discoveryv1.EndpointConditions{Ready: &yes, Serving: &yes, Terminating: &no},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: d.namespace(), Name: d.pod(i), UID: types.UID(uid)},
		})
	}
	return s
}

func node(n int) string { return fmt.Sprintf("node-%03d.example", n) }

func nodeObject(n int) *corev1.Node {
	amounts := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("256Gi"), corev1.ResourcePods: resource.MustParse("250"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: node(n), Labels: map[string]string{"topology.kubernetes.io/zone": fmt.Sprintf("zone-%d", n%3)}},
		Status: corev1.NodeStatus{
			Capacity: amounts, Allocatable: amounts,
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady"}},
			NodeInfo:   corev1.NodeSystemInfo{KubeletVersion: "v1.36.3", OSImage: "Debian", ContainerRuntimeVersion: "containerd://2.1.0"},
		},
	}
}
