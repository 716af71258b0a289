package kubernetes

import (
	"math"
	"time"
	"unique"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// controller is what is kept of a Deployment, a StatefulSet or a DaemonSet: what keeps
// pods of one revision running, and replaces them when the revision changes.
type controller struct {
	standing
	uid      string
	owner    text
	paused   model.Count
	created  int64
	lag      int64 // generations that are not observed
	replicas replicas

	revision text // what its pods are to be of, empty while it was not looked at
	complete bool // all pods are of the revision, and available
	overdue  bool // by its own word its rollout does not get on
	word     word // its own of its rollout
	silent   bool // it has none

	rollout *rollout
}

// word is what a Deployment says of its rollout, and since when. It says of a new one
// what it said of the former until something happens.
type word struct {
	reason text
	at     int64
}

// replicas are numbers of pods.
type replicas struct{ desired, current, updated, ready, available int32 }

// numbers puts replicas into the model's form.
func (r replicas) numbers() model.Replicas {
	return model.Replicas{
		Desired: model.Of(r.desired), Current: model.Of(r.current), Updated: model.Of(r.updated),
		Ready: model.Of(r.ready), Available: model.Of(r.available),
	}
}

// whole says that all pods that are wanted are available and of the latest revision,
// and that there are no others.
func (r replicas) whole() bool {
	return r.updated >= r.desired && r.current <= r.updated && r.available >= r.desired
}

func orOne(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

// annotationRevision is the number of a Deployment's revision, on it and its
// ReplicaSets; annotationHistory has the numbers that a ReplicaSet had before.
const (
	annotationRevision = "deployment.kubernetes.io/revision"
	annotationHistory  = "deployment.kubernetes.io/revision-history"
)

func (c *Cluster) reduceDeployment(obj runtime.Object) *controller {
	o, ok := obj.(*appsv1.Deployment)
	if !ok {
		return nil
	}
	d := &controller{
		standing: standing{place: placeOf(o.Namespace, hierarchy.Workload{Name: o.Name, Type: hierarchy.Deployment})}, uid: string(o.UID),
		owner: c.ownerOf(o), paused: yes(o.Spec.Paused), created: unix(o.CreationTimestamp), lag: o.Generation - o.Status.ObservedGeneration,
		revision: unique.Make(o.Annotations[annotationRevision]),
		replicas: replicas{orOne(o.Spec.Replicas), o.Status.Replicas, o.Status.UpdatedReplicas, o.Status.ReadyReplicas, o.Status.AvailableReplicas},
	}
	// Without a deadline it says nothing of its progress, nor while it is paused.
	d.silent = o.Spec.ProgressDeadlineSeconds == nil || *o.Spec.ProgressDeadlineSeconds == math.MaxInt32
	d.complete = d.replicas.whole()
	if p := progressing(o); p != nil && !d.silent {
		d.word = word{unique.Make(p.Reason), unix(p.LastUpdateTime)}
		switch p.Reason {
		case "NewReplicaSetAvailable":
			d.complete = d.replicas.current <= d.replicas.updated // whatever scaling follows
		case "ProgressDeadlineExceeded":
			d.overdue, d.complete = true, false
		case "DeploymentPaused":
		default:
			d.complete = false
		}
	}
	d.complete = d.complete && d.lag <= 0
	return d
}

func progressing(o *appsv1.Deployment) *appsv1.DeploymentCondition {
	for i := range o.Status.Conditions {
		if o.Status.Conditions[i].Type == appsv1.DeploymentProgressing {
			return &o.Status.Conditions[i]
		}
	}
	return nil
}

func (c *Cluster) reduceSet(obj runtime.Object) *controller {
	o, ok := obj.(*appsv1.StatefulSet)
	if !ok {
		return nil
	}
	s := &controller{
		standing: standing{place: placeOf(o.Namespace, hierarchy.Workload{Name: o.Name, Type: hierarchy.StatefulSet})}, uid: string(o.UID),
		owner: c.ownerOf(o), created: unix(o.CreationTimestamp), lag: o.Generation - o.Status.ObservedGeneration,
		revision: unique.Make(o.Status.UpdateRevision),
		// OnDelete waits for somebody to delete pods: that is no standstill.
		silent:   o.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType,
		replicas: replicas{orOne(o.Spec.Replicas), o.Status.Replicas, o.Status.UpdatedReplicas, o.Status.ReadyReplicas, o.Status.AvailableReplicas},
	}
	toUpdate := s.replicas.desired
	if u := o.Spec.UpdateStrategy.RollingUpdate; u != nil && u.Partition != nil {
		toUpdate -= min(*u.Partition, toUpdate) // pods below the partition stay as they are
	}
	s.complete = s.lag <= 0 && s.replicas.updated >= toUpdate && s.replicas.available >= s.replicas.desired
	return s
}

func (c *Cluster) reduceDaemon(obj runtime.Object) *controller {
	o, ok := obj.(*appsv1.DaemonSet)
	if !ok {
		return nil
	}
	d := &controller{
		standing: standing{place: placeOf(o.Namespace, hierarchy.Workload{Name: o.Name, Type: hierarchy.DaemonSet})}, uid: string(o.UID),
		owner: c.ownerOf(o), created: unix(o.CreationTimestamp), lag: o.Generation - o.Status.ObservedGeneration,
		// It counts changes of the template; its status names no revision.
		revision: unique.Make(o.Annotations[appsv1.DeprecatedTemplateGeneration]),
		silent:   o.Spec.UpdateStrategy.Type != appsv1.OnDeleteDaemonSetStrategyType,
		replicas: replicas{
			o.Status.DesiredNumberScheduled, o.Status.CurrentNumberScheduled, o.Status.UpdatedNumberScheduled,
			o.Status.NumberReady, o.Status.NumberAvailable,
		},
	}
	d.complete = d.lag <= 0 && d.replicas.whole()
	return d
}

// controllerSink keeps controllers and follows their rollouts.
func (c *Cluster) controllerSink(resource string, reduce func(runtime.Object) *controller) *sink[controller] {
	s := newSink(c, resource, reduce, nil)
	s.changed = func(_ key, was, is *controller) {
		if is != nil {
			c.hold(&is.standing)
			c.follow(was, is, s.listed, time.Now())
		}
		if was != nil {
			c.release(&was.standing)
		}
	}
	return s
}

// Workloads are the controllers of pods, and what else has a place as a workload.
func (c *Cluster) Workloads(yield func(*model.Workload)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for _, s := range []*sink[controller]{c.deployments, c.sets, c.daemons} {
		for _, e := range s.sorted() {
			x := e.kept
			if !c.owns(x.place) {
				continue
			}
			c.judge(x, now)
			out := model.Workload{
				Ref: x.place.Value(), Replicas: x.replicas.numbers(), Paused: x.paused, Rollout: c.say(x),
				GenerationLag: model.Of(max(0, x.lag)), Owner: c.owner(x.owner, e.Namespace),
			}
			out.Replicas.Schedulable = c.schedulable(x.place, x.replicas.desired)
			yield(&out)
		}
	}
	c.replicated(yield)
	c.runners(yield)
	c.bare(yield)
}

// schedulable is how many pods of those desired could run: all but those that no node
// takes.
func (c *Cluster) schedulable(p place, desired int32) model.Count {
	if !c.fresh(resourcePods) {
		return model.Count{}
	}
	n := int(desired)
	if a := c.accounts[p]; a != nil {
		n = max(0, n-a.unschedulable)
	}
	return model.Of(n)
}

// bare are pods that are their own workloads, as far as it is known whose they are.
func (c *Cluster) bare(yield func(*model.Workload)) {
	for _, e := range c.pods.sorted() {
		if r := e.kept.place.Value(); r.Type == hierarchy.Pod {
			if owner := c.owner(e.kept.owner, e.Namespace); owner != "" {
				yield(&model.Workload{Ref: r, Owner: owner})
			}
		}
	}
}
