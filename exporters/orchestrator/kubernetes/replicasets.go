package kubernetes

import (
	"unique"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// replicaSet is what is kept of a ReplicaSet or a ReplicationController. One of a
// Deployment is a revision; of others, and without an owner, it stands for a workload,
// or a part of one.
type replicaSet struct {
	revision
	standing
	owner    text
	replicas replicas
	lag      int64
}

func (c *Cluster) reduceReplicaSet(obj runtime.Object) *replicaSet {
	o, ok := obj.(*appsv1.ReplicaSet)
	if !ok {
		return nil
	}
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil && owner.Kind == "Deployment" {
		return &replicaSet{
			revision: revision{
				of: string(owner.UID), id: unique.Make(o.Annotations[annotationRevision]),
				created: unix(o.CreationTimestamp), again: o.Annotations[annotationHistory] != "",
			},
			standing: standing{place: placeOf(o.Namespace, hierarchy.Workload{Name: owner.Name, Type: hierarchy.Deployment})},
		}
	}
	desired := orOne(o.Spec.Replicas)
	return &replicaSet{
		standing: standing{place: placeOf(o.Namespace, ofPods(o.Namespace, appsv1.SchemeGroupVersion.String(), "ReplicaSet", o.Name, &o.Spec.Template))},
		owner:    c.ownerOf(o), lag: o.Generation - o.Status.ObservedGeneration,
		replicas: replicas{desired, o.Status.Replicas, o.Status.Replicas, o.Status.ReadyReplicas, o.Status.AvailableReplicas},
	}
}

func (c *Cluster) reduceController(obj runtime.Object) *replicaSet {
	o, ok := obj.(*corev1.ReplicationController)
	if !ok {
		return nil
	}
	desired := orOne(o.Spec.Replicas)
	return &replicaSet{
		standing: standing{place: placeOf(o.Namespace, ofPods(o.Namespace, corev1.SchemeGroupVersion.String(), "ReplicationController", o.Name, o.Spec.Template))},
		owner:    c.ownerOf(o), lag: o.Generation - o.Status.ObservedGeneration,
		replicas: replicas{desired, o.Status.Replicas, o.Status.Replicas, o.Status.ReadyReplicas, o.Status.AvailableReplicas},
	}
}

// ofPods is the workload that the pods of a controller have.
func ofPods(namespace, version, kind, name string, template *corev1.PodTemplateSpec) hierarchy.Workload {
	yes := true
	pod := &metav1.ObjectMeta{Namespace: namespace, OwnerReferences: []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: name, Controller: &yes}}}
	if template != nil {
		pod.Labels, pod.Annotations = template.Labels, template.Annotations
	}
	return hierarchy.OfPod(pod, nil)
}

func (c *Cluster) replicaSetChanged(k key, was, is *replicaSet) {
	var former, now *revision
	if was != nil {
		former = &was.revision
	}
	if is != nil {
		now = &is.revision
	}
	if former != nil && former.of == "" {
		c.release(&was.standing)
		former = nil
	}
	if now != nil && now.of == "" {
		c.hold(&is.standing)
		now = nil
	}
	c.revisionChanged(k, former, now)
}

// replicated are workloads of which ReplicaSets and ReplicationControllers tell: what
// several of one workload have is added up.
func (c *Cluster) replicated(yield func(*model.Workload)) {
	sums, order := map[place]*replicaSet{}, []place{}
	for _, s := range []*sink[replicaSet]{c.replicaSets, c.controllers} {
		for _, e := range s.sorted() {
			x := e.kept
			if x.of != "" || !c.owns(x.place) {
				continue
			}
			sum := sums[x.place]
			if sum == nil {
				sum = &replicaSet{owner: x.owner}
				sums[x.place], order = sum, append(order, x.place)
			}
			sum.replicas.add(x.replicas)
			sum.lag += max(0, x.lag)
		}
	}
	for _, p := range order {
		r, sum := p.Value(), sums[p]
		out := model.Workload{Ref: r, Replicas: sum.replicas.numbers(), GenerationLag: model.Of(sum.lag), Owner: c.owner(sum.owner, r.Namespace)}
		out.Replicas.Schedulable = c.schedulable(p, sum.replicas.desired)
		// Its pods need not be of its latest template, nor does it say which are.
		out.Replicas.Updated = model.Count{}
		yield(&out)
	}
}

func (r *replicas) add(o replicas) {
	r.desired += o.desired
	r.current += o.current
	r.ready += o.ready
	r.available += o.available
}
