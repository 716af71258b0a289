package kube

import (
	"hash/fnv"
	"strings"
	"sync/atomic"

	jump "github.com/dgryski/go-jump"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Shard says which part of a cluster this exporter serves. Whatever belongs to a
// workload is in the workload's shard, so that sums over a workload are whole in one.
// It may change while the exporter runs.
type Shard struct{ now atomic.Pointer[ordinal] }

type ordinal struct{ shard, total int }

// NewShard is one of total shards, which are counted from 0.
func NewShard(shard, total int) *Shard {
	s := &Shard{}
	s.set(shard, total)
	return s
}

// set returns whether that is another one than before.
func (s *Shard) set(shard, total int) bool {
	next := ordinal{shard, total}
	before := s.now.Swap(&next)
	return before == nil || *before != next
}

// Owns says whether a workload is this shard's.
func (s *Shard) Owns(namespace string, w hierarchy.Workload) bool {
	return s.owns(w.Type, namespace, w.Name)
}

// OwnsObject says whether an object of a resource is this shard's.
func (s *Shard) OwnsObject(resource string, obj runtime.Object) bool {
	if now := s.now.Load(); now.total <= 1 {
		return now.shard == 0 // another is left over from when there were more
	}
	m, err := meta.Accessor(obj)
	if err != nil {
		return false
	}
	switch o := obj.(type) {
	case *corev1.Pod:
		return s.Owns(o.Namespace, hierarchy.OfPod(o, nil))
	case *autoscalingv2.HorizontalPodAutoscaler:
		return s.owns(strings.ToLower(o.Spec.ScaleTargetRef.Kind), o.Namespace, o.Spec.ScaleTargetRef.Name)
	case *discoveryv1.EndpointSlice:
		if service := o.Labels[discoveryv1.LabelServiceName]; service != "" {
			return s.owns("services", o.Namespace, service)
		}
	}
	if owner := metav1.GetControllerOfNoCopy(m); owner != nil && m.GetNamespace() != "" {
		return s.owns(strings.ToLower(owner.Kind), m.GetNamespace(), owner.Name)
	}
	if kind := workloads[resource]; kind != "" {
		resource = kind
	}
	return s.owns(resource, m.GetNamespace(), m.GetName())
}

// workloads are the resources that are workloads, with their types.
var workloads = map[string]string{
	"cronjobs": hierarchy.CronJob, "daemonsets": hierarchy.DaemonSet, "deployments": hierarchy.Deployment, "jobs": hierarchy.Job,
	"replicasets": hierarchy.ReplicaSet, "replicationcontrollers": hierarchy.ReplicationController, "statefulsets": hierarchy.StatefulSet,
}

func (s *Shard) owns(parts ...string) bool {
	now := s.now.Load()
	if now.total <= 1 {
		return now.shard == 0
	}
	h := fnv.New64a()
	h.Write([]byte(strings.Join(parts, "/")))
	return int(jump.Hash(h.Sum64(), now.total)) == now.shard
}
