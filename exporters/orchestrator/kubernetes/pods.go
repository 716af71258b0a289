package kubernetes

import (
	"math"
	"strings"
	"time"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// pod is what is kept of a pod. Some is found out when it is set.
type pod struct {
	standing
	uid        string
	job        text // the Job right above it, empty for none
	owner      text // the team, of what is its own workload
	node       text
	labels     labels
	selected   *selection // by what the labels say
	overdue    int64      // since when, in seconds since 1970; 0 for never
	created    int64
	containers []container

	phase         model.Phase
	qos           string
	hostNetwork   bool
	unschedulable bool
	guessed       bool // its workload, by the name of a Job that is not known
}

// container is what is kept of one.
type container struct {
	is       unique.Handle[containerSpec]
	waiting  model.Waiting
	ended    model.Ended
	endedAt  int64 // seconds since 1970
	exitCode int32
	signal   int32
	restarts int32
}

// containerSpec is the same for all pods of a workload.
type containerSpec struct{ name, kind, image, digest string }

func (c *Cluster) reducePod(obj runtime.Object) *pod {
	o, ok := obj.(*corev1.Pod)
	if !ok {
		return nil
	}
	workload, job := hierarchy.OfPod(o, nil), jobOf(o)
	place := placeOf(o.Namespace, workload)
	if job == "" && !c.owns(place) {
		return nil
	}
	p := &pod{
		standing: standing{place: place}, uid: string(o.UID), job: unique.Make(job),
		node: unique.Make(o.Spec.NodeName), labels: labelsOf(o.Labels),
		created: unix(o.CreationTimestamp), phase: phaseOf(o), qos: qosOf(o.Status.QOSClass), hostNetwork: o.Spec.HostNetwork,
	}
	if workload.Type == hierarchy.Pod {
		p.owner = c.ownerOf(o)
	}
	p.overdue = overdueSince(o, p.phase)
	gate := model.Waiting("")
	if scheduled := condition(o, corev1.PodScheduled); o.Spec.NodeName == "" && scheduled != nil && scheduled.Status == corev1.ConditionFalse {
		switch scheduled.Reason {
		case corev1.PodReasonUnschedulable:
			gate, p.unschedulable = model.WaitingNode, true
		case corev1.PodReasonSchedulingGated:
			gate = model.WaitingGate
		}
	}
	p.containers = containersOf(o, gate)
	return p
}

// jobOf is the Job that made a pod, whose own maker the pod does not say.
func jobOf(o *corev1.Pod) string {
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil && owner.Kind == "Job" && strings.HasPrefix(owner.APIVersion, "batch/") {
		return owner.Name
	}
	return ""
}

func unix(t metav1.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// at is the time of seconds since 1970, zero for 0.
func at(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0)
}

func condition(o *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range o.Status.Conditions {
		if o.Status.Conditions[i].Type == kind {
			return &o.Status.Conditions[i]
		}
	}
	return nil
}

func phaseOf(o *corev1.Pod) model.Phase {
	switch {
	case o.DeletionTimestamp != nil:
		return model.Terminating
	case o.Status.Reason == "NodeLost":
		return model.Unknown
	}
	switch o.Status.Phase {
	case corev1.PodRunning:
		return model.Running
	case corev1.PodSucceeded:
		return model.Succeeded
	case corev1.PodFailed:
		return model.Failed
	case corev1.PodUnknown:
		return model.Unknown
	}
	return model.Pending // also before it says so
}

// overdueSince is since when a pod is in a phase that it should leave. The time of
// deletion has the grace in it.
func overdueSince(o *corev1.Pod, phase model.Phase) int64 {
	switch phase {
	case model.Pending:
		return unix(o.CreationTimestamp)
	case model.Terminating:
		return unix(*o.DeletionTimestamp)
	case model.Unknown:
		if ready := condition(o, corev1.PodReady); ready != nil && ready.Status != corev1.ConditionTrue {
			return unix(ready.LastTransitionTime)
		}
	}
	return 0
}

func qosOf(c corev1.PodQOSClass) string {
	switch c {
	case corev1.PodQOSGuaranteed:
		return "guaranteed"
	case corev1.PodQOSBurstable:
		return "burstable"
	case corev1.PodQOSBestEffort:
		return "best_effort"
	}
	return ""
}

// podChanged keeps what is known across pods, and counts restarts.
func (c *Cluster) podChanged(k key, was, is *pod) {
	if is != nil {
		c.resolve(k, was, is)
	}
	c.countRestarts(was, is)
	switch {
	case was == nil:
		c.enter(is)
	case is == nil:
		c.leave(was)
		c.forget(k, was)
	default:
		c.enter(is) // before the former leaves what they share
		c.leave(was)
	}
}

func (c *Cluster) enter(p *pod) {
	a := c.accounts[p.place]
	if a == nil {
		a = &account{}
		c.accounts[p.place] = a
	}
	a.pods++
	if p.unschedulable {
		a.unschedulable++
	}
	if !p.guessed { // else its account may be another's
		c.hold(&p.standing)
	}
	c.selectPod(p)
}

func (c *Cluster) leave(p *pod) {
	if a := c.accounts[p.place]; a != nil {
		a.pods--
		if p.unschedulable {
			a.unschedulable--
		}
		if a.pods == 0 {
			delete(c.accounts, p.place)
		}
	}
	c.release(&p.standing)
	c.deselectPod(p)
}

// resolve finds the workload of a Job's pod. While the Job is not known its name has
// to do; when it is gone, what was known of it stands.
func (c *Cluster) resolve(k key, was, is *pod) {
	name := is.job.Value()
	if name == "" {
		return
	}
	job := named(k.Namespace, name)
	if known := c.jobs.kept[job]; known != nil {
		is.place = known.place
		c.forget(k, is)
		return
	}
	if was != nil && was.uid == is.uid {
		is.place, is.guessed = was.place, was.guessed
		return
	}
	is.guessed = true
	if c.guessed[job] == nil {
		c.guessed[job] = map[key]bool{}
	}
	c.guessed[job][k] = true
}

// forget takes a pod from those whose Job is not known.
func (c *Cluster) forget(k key, p *pod) {
	job := named(k.Namespace, p.job.Value())
	delete(c.guessed[job], k)
	if len(c.guessed[job]) == 0 {
		delete(c.guessed, job)
	}
}

// countRestarts counts what has happened since the pod was last seen, or since it was
// made if that was seen.
func (c *Cluster) countRestarts(was, is *pod) {
	if is == nil {
		return
	}
	same := was != nil && was.uid == is.uid
	bornHere := !same && c.pods.listed && is.created >= c.started.Unix()
	for i := range is.containers {
		now := &is.containers[i]
		before := int32(0)
		switch {
		case same:
			before = restartsOf(was, now.is.Value().name)
		case !bornHere:
			before = math.MaxInt32
		}
		n := max(0, int(now.restarts)-int(before))
		if n > 0 || !same && !is.guessed {
			c.count(metrics.Restarts, is.place, float64(n), now.is.Value().name)
		}
	}
}

func restartsOf(p *pod, name string) int32 {
	for i := range p.containers {
		if p.containers[i].is.Value().name == name {
			return p.containers[i].restarts
		}
	}
	return 0
}

// Pods are the pods.
func (c *Cluster) Pods(yield func(*model.Pod)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out model.Pod
	lost := c.lostNodes()
	for _, e := range c.pods.sorted() {
		p := e.kept
		if !c.serves(p) {
			continue
		}
		out = model.Pod{
			Ref: p.place.Value(), Pod: e.Name, UID: p.uid, Node: p.node.Value(), QoS: p.qos, HostNetwork: yes(p.hostNetwork),
			Phase: p.phase, Overdue: at(p.overdue), Containers: out.Containers[:0],
		}
		if since, ok := lost[p.node]; ok && (p.phase == model.Running || p.phase == model.Pending) {
			out.Phase, out.Overdue = model.Unknown, at(since)
		}
		for i := range p.containers {
			out.Containers = append(out.Containers, p.containers[i].say())
		}
		yield(&out)
	}
}

// serves says whether a pod is for this exporter to serve. Of others Jobs' are kept
// alone, until it is known what made the Job.
func (c *Cluster) serves(p *pod) bool { return p.job.Value() == "" || c.owns(p.place) }

func yes(b bool) model.Count {
	if b {
		return model.Of(1)
	}
	return model.Of(0)
}
