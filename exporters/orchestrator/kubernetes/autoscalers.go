package kubernetes

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// autoscaler is what is kept of a HorizontalPodAutoscaler.
type autoscaler struct {
	target                     hierarchy.Workload
	min, max, current, desired int32
	limited                    model.Limit
}

func reduceAutoscaler(obj runtime.Object) *autoscaler {
	o, ok := obj.(*autoscalingv2.HorizontalPodAutoscaler)
	if !ok {
		return nil
	}
	a := &autoscaler{
		target: targetOf(o.Spec.ScaleTargetRef), min: 1, max: o.Spec.MaxReplicas,
		current: o.Status.CurrentReplicas, desired: o.Status.DesiredReplicas, limited: limitOf(o.Status.Conditions),
	}
	if o.Spec.MinReplicas != nil {
		a.min = *o.Spec.MinReplicas
	}
	return a
}

// targetOf is the workload that is scaled. What is none that the hierarchy knows has
// no type.
func targetOf(r autoscalingv2.CrossVersionObjectReference) hierarchy.Workload {
	w := hierarchy.Workload{Name: r.Name}
	switch r.Kind {
	case "Deployment":
		w.Type = hierarchy.Deployment
	case "StatefulSet":
		w.Type = hierarchy.StatefulSet
	case "ReplicaSet":
		w.Type = hierarchy.ReplicaSet
	case "ReplicationController":
		w.Type = hierarchy.ReplicationController
	case "Rollout":
		w.Type = hierarchy.Rollout
	case "DeploymentConfig":
		w.Type = hierarchy.DeploymentConfig
	}
	return w
}

// limitOf says what holds an autoscaler up: first whether it reaches its target, then
// whether it has metrics, then whether what it wants is within its bounds.
func limitOf(conditions []autoscalingv2.HorizontalPodAutoscalerCondition) model.Limit {
	for _, want := range []struct {
		kind   autoscalingv2.HorizontalPodAutoscalerConditionType
		status corev1.ConditionStatus
		limit  func(reason string) model.Limit
	}{
		{autoscalingv2.AbleToScale, corev1.ConditionFalse, targetLimit},
		{autoscalingv2.ScalingActive, corev1.ConditionFalse, metricsLimit},
		{autoscalingv2.ScalingLimited, corev1.ConditionTrue, boundLimit},
	} {
		for i := range conditions {
			if c := &conditions[i]; c.Type == want.kind && c.Status == want.status {
				return want.limit(c.Reason)
			}
		}
	}
	return ""
}

func targetLimit(reason string) model.Limit {
	switch reason {
	case "FailedGetScale", "FailedUpdateScale":
		return model.LimitTarget
	}
	return model.LimitOther
}

func metricsLimit(reason string) model.Limit {
	switch reason {
	case "ScalingDisabled":
		return model.LimitDisabled
	case "InvalidSelector", "AmbiguousSelector":
		return model.LimitSelector
	case "FailedGetResourceMetric", "FailedGetContainerResourceMetric", "FailedGetPodsMetric", "FailedGetObjectMetric",
		"FailedGetExternalMetric", "FailedComputeMetricsReplicas", "InvalidMetricSourceType":
		return model.LimitMetrics
	}
	return model.LimitOther
}

func boundLimit(reason string) model.Limit {
	switch reason {
	case "TooManyReplicas":
		return model.LimitMax
	case "TooFewReplicas":
		return model.LimitMin
	case "ScaleUpLimit":
		return model.LimitUpRate
	case "ScaleDownLimit":
		return model.LimitDownRate
	}
	return model.LimitOther
}

// Autoscalers are the autoscalers.
func (c *Cluster) Autoscalers(yield func(*model.Autoscaler)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range c.autoscalers.sorted() {
		a := e.kept
		if !c.options.Owns(e.Namespace, a.target) {
			continue
		}
		yield(&model.Autoscaler{
			Orchestrator: hierarchy.Kubernetes, Namespace: e.Namespace, Name: e.Name, Target: a.target, Limited: a.limited,
			Min: model.Of(a.min), Max: model.Of(a.max), Current: model.Of(a.current), Desired: model.Of(a.desired),
		})
	}
}
