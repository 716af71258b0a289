package kubernetes

import (
	"unique"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// node is what is kept of one, and since when it is not heard of.
type node struct {
	said model.Node
	lost int64 // seconds since 1970; 0 when it is heard of
}

// Labels of nodes that run the control plane.
const (
	labelControlPlane = "node-role.kubernetes.io/control-plane"
	labelMaster       = "node-role.kubernetes.io/master"
)

func reduceNode(obj runtime.Object) *node {
	o, ok := obj.(*corev1.Node)
	if !ok {
		return nil
	}
	n := &node{said: model.Node{
		Orchestrator: hierarchy.Kubernetes, Node: o.Name, Role: model.Worker, Schedulable: yes(!o.Spec.Unschedulable),
		Version: o.Status.NodeInfo.KubeletVersion, Capacity: amountsOf(o.Status.Capacity), Allocatable: amountsOf(o.Status.Allocatable),
	}}
	for _, label := range []string{labelControlPlane, labelMaster} {
		if _, ok := o.Labels[label]; ok {
			n.said.Role = model.ControlPlane
		}
	}
	for i := range o.Status.Conditions {
		c := &o.Status.Conditions[i]
		if c.Type == corev1.NodeReady {
			n.said.Ready = yes(c.Status == corev1.ConditionTrue)
			if c.Status == corev1.ConditionUnknown {
				n.lost = unix(c.LastTransitionTime)
			}
			continue
		}
		if name := conditionOf(c.Type); name != "" && c.Status != corev1.ConditionUnknown {
			n.said.Conditions = append(n.said.Conditions, model.Condition{Name: name, True: c.Status == corev1.ConditionTrue})
		}
	}
	return n
}

func conditionOf(t corev1.NodeConditionType) string {
	switch t {
	case corev1.NodeMemoryPressure:
		return "memory_pressure"
	case corev1.NodeDiskPressure:
		return "disk_pressure"
	case corev1.NodePIDPressure:
		return "pid_pressure"
	case corev1.NodeNetworkUnavailable:
		return "network_unavailable"
	}
	return ""
}

func amountsOf(list corev1.ResourceList) []model.Amount {
	var out []model.Amount
	for i, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage, corev1.ResourcePods} {
		if q, ok := list[name]; ok {
			out = append(out, model.Amount{Resource: model.Resources()[i], Value: q.AsApproximateFloat64()})
		}
	}
	return out
}

// lostNodes are the nodes that are not heard of, and since when. The cluster's lock is
// held.
func (c *Cluster) lostNodes() map[text]int64 {
	var out map[text]int64
	for _, e := range c.nodes.sorted() {
		if e.kept.lost != 0 {
			if out == nil {
				out = map[text]int64{}
			}
			out[unique.Make(e.Name)] = e.kept.lost
		}
	}
	return out
}

// Nodes are the nodes.
func (c *Cluster) Nodes(yield func(*model.Node)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range c.nodes.sorted() {
		if said := e.kept.said; c.ownsOther("node", "", e.Name) {
			yield(&said)
		}
	}
}
