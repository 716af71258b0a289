package kubernetes

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// job is what is kept of a Job.
type job struct {
	standing // its CronJob's, else its own
	uid      string
	owner    text
	created  int64

	active, succeeded, failed int32
	suspended                 bool
	state                     model.JobState
	reason                    model.JobFailure
	started, ended            int64
}

func (c *Cluster) reduceJob(obj runtime.Object) *job {
	o, ok := obj.(*batchv1.Job)
	if !ok {
		return nil
	}
	workload := hierarchy.Workload{Name: o.Name, Type: hierarchy.Job}
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil && owner.Kind == "CronJob" {
		workload = hierarchy.Workload{Name: owner.Name, Type: hierarchy.CronJob}
	}
	j := &job{
		standing: standing{place: placeOf(o.Namespace, workload)}, uid: string(o.UID), owner: c.ownerOf(o), created: unix(o.CreationTimestamp),
		active: o.Status.Active, succeeded: o.Status.Succeeded, failed: o.Status.Failed,
		suspended: o.Spec.Suspend != nil && *o.Spec.Suspend, state: model.JobRunning,
	}
	if j.suspended {
		j.state = model.JobSuspended
	}
	if o.Status.StartTime != nil {
		j.started = unix(*o.Status.StartTime)
	}
	for i := range o.Status.Conditions {
		k := &o.Status.Conditions[i]
		if k.Status != corev1.ConditionTrue {
			continue
		}
		switch k.Type {
		case batchv1.JobComplete:
			j.state, j.ended = model.JobComplete, unix(k.LastTransitionTime)
			if o.Status.CompletionTime != nil {
				j.ended = unix(*o.Status.CompletionTime)
			}
		case batchv1.JobFailed:
			j.state, j.reason, j.ended = model.JobFailed, failureOf(k.Reason), unix(k.LastTransitionTime)
		}
	}
	return j
}

func failureOf(reason string) model.JobFailure {
	switch reason {
	case batchv1.JobReasonBackoffLimitExceeded:
		return model.JobBackoffLimit
	case batchv1.JobReasonDeadlineExceeded:
		return model.JobDeadline
	case batchv1.JobReasonPodFailurePolicy:
		return model.JobPolicy
	case batchv1.JobReasonFailedIndexes, batchv1.JobReasonMaxFailedIndexesExceeded:
		return model.JobIndexes
	}
	return model.JobOther
}

// over says that a run has ended.
func (j *job) over() bool { return j.state == model.JobComplete || j.state == model.JobFailed }

// jobChanged counts runs that end, and says to pods that have come before their Job
// what made it.
func (c *Cluster) jobChanged(k key, was, is *job) {
	if is != nil {
		c.hold(&is.standing)
		c.countRuns(was, is)
		for name := range c.guessed[k] {
			c.correct(name, is.place)
		}
		delete(c.guessed, k)
	}
	if was != nil {
		c.release(&was.standing)
	}
}

func (c *Cluster) countRuns(was, is *job) {
	same := was != nil && was.uid == is.uid
	if !same {
		for _, result := range []model.JobState{model.JobComplete, model.JobFailed} {
			c.count(metrics.JobRuns, is.place, 0, string(result))
		}
	}
	before := same && was.over() || !same && (!c.jobs.listed || is.created < c.started.Unix())
	if is.over() && !before {
		c.count(metrics.JobRuns, is.place, 1, string(is.state))
	}
}

// correct gives a pod the workload that is known now.
func (c *Cluster) correct(name key, to place) {
	p := c.pods.kept[name]
	if p == nil {
		return
	}
	was := *p
	p.place, p.guessed = to, false
	c.enter(p)
	c.leave(&was)
	for i := range p.containers {
		c.count(metrics.Restarts, to, 0, p.containers[i].is.Value().name)
	}
}

// Jobs are the runs.
func (c *Cluster) Jobs(yield func(*model.Job)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range c.jobs.sorted() {
		j := e.kept
		if !c.owns(j.place) {
			continue
		}
		yield(&model.Job{
			Ref: j.place.Value(), Job: e.Name, Active: model.Of(j.active), Succeeded: model.Of(j.succeeded), Failed: model.Of(j.failed),
			State: j.state, Reason: j.reason, Started: at(j.started), Ended: at(j.ended),
		})
	}
}

// runners are Jobs and CronJobs as workloads.
func (c *Cluster) runners(yield func(*model.Workload)) {
	for _, e := range c.cronJobs.sorted() {
		if c.owns(e.kept.place) {
			yield(&model.Workload{Ref: e.kept.place.Value(), Paused: yes(e.kept.suspended), Owner: c.owner(e.kept.owner, e.Namespace)})
		}
	}
	for _, e := range c.jobs.sorted() {
		if r := e.kept.place.Value(); r.Type == hierarchy.Job && c.owns(e.kept.place) {
			yield(&model.Workload{Ref: r, Paused: yes(e.kept.suspended), Owner: c.owner(e.kept.owner, e.Namespace)})
		}
	}
}
