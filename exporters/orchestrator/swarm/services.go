package swarm

import (
	"time"

	"github.com/moby/moby/api/types/swarm"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// amounts are how many of a service's slots are what.
type amounts struct {
	wanted, updated, running, homeless, succeeded, failed int
}

func (c *cluster) amounts(sv *svc) (n amounts) {
	for _, sl := range sv.slots {
		t := sl.task()
		if sv.isJob() && !sv.current(t) {
			continue // of an earlier run
		}
		switch {
		case wanted(t):
			n.wanted++
			if sv.current(t) {
				n.updated++
			}
			if runs(t) && !c.lost(t.NodeID) {
				n.running++
			}
			if noSuitableNode(t) {
				n.homeless++
			}
		case t.Status.State == swarm.TaskStateComplete:
			n.succeeded++
		case t.Status.State == swarm.TaskStateFailed, t.Status.State == swarm.TaskStateRejected, t.Status.State == swarm.TaskStateOrphaned:
			n.failed++
		}
	}
	return n
}

// runs says that a task's container runs, and is healthy if it has a health check:
// until then Swarm calls it starting.
func runs(t *swarm.Task) bool { return t.Status.State == swarm.TaskStateRunning }

// desired is how many tasks a service is to have. One that runs once a node has
// them on the nodes that its constraints allow, which have a slot each.
func (sv *svc) desired(n amounts) int64 {
	switch mode := sv.Spec.Mode; {
	case mode.Replicated != nil:
		return replicas(mode.Replicated.Replicas)
	case mode.ReplicatedJob != nil:
		return max(min(replicas(mode.ReplicatedJob.MaxConcurrent), sv.completions()-int64(n.succeeded)), 0)
	}
	return int64(n.wanted)
}

func replicas(n *uint64) int64 {
	if n == nil {
		return 1
	}
	return int64(min(*n, 1<<53))
}

// completions is how many tasks of a job are to end well.
func (sv *svc) completions() int64 {
	job := sv.Spec.Mode.ReplicatedJob
	if job.TotalCompletions == nil {
		return replicas(job.MaxConcurrent)
	}
	return replicas(job.TotalCompletions)
}

func (s *Source) workload(c *cluster, sv *svc) model.Workload {
	n := c.amounts(sv)
	desired := sv.desired(n)
	w := model.Workload{
		Ref: sv.ref, Owner: s.Owner(sv.Spec.Labels),
		Replicas: model.Replicas{
			Desired: model.Of(desired), Current: model.Of(n.wanted), Updated: model.Of(n.updated),
			Ready: model.Of(n.running), Available: model.Of(n.running), Schedulable: model.Of(max(desired-int64(n.homeless), 0)),
		},
	}
	if !sv.isJob() {
		w.Rollout = sv.rollout()
	}
	return w
}

// rollout is what the last update of a service is at. One that was never updated is
// of its only revision.
func (sv *svc) rollout() model.Rollout {
	u := sv.UpdateStatus
	if u == nil {
		return model.Rollout{State: model.Complete}
	}
	r := model.Rollout{Started: when(u.StartedAt)}
	switch u.State {
	case swarm.UpdateStateUpdating:
		r.State = model.Progressing
	case swarm.UpdateStatePaused, swarm.UpdateStateRollbackPaused:
		r.State = model.Stalled
	case swarm.UpdateStateRollbackStarted:
		r.State = model.RollingBack
	default:
		r.State, r.Ended = model.Complete, when(u.CompletedAt)
	}
	return r
}

func when(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// job is the latest run of a service that is one.
func (sv *svc) job() model.Job {
	var n amounts
	j := model.Job{Ref: sv.ref, Job: sv.Spec.Name, State: model.JobRunning}
	if sv.JobStatus != nil {
		j.Started = sv.JobStatus.LastExecution
	}
	latest := time.Time{}
	for _, sl := range sv.slots {
		t := sl.task()
		if !sv.current(t) {
			continue
		}
		switch {
		case wanted(t):
			n.wanted++
			continue
		case t.Status.State == swarm.TaskStateComplete:
			n.succeeded++
		default:
			n.failed++
		}
		if t.Status.Timestamp.After(latest) {
			latest = t.Status.Timestamp
		}
	}
	j.Active, j.Succeeded, j.Failed = model.Of(n.wanted), model.Of(n.succeeded), model.Of(n.failed)
	switch done := sv.Spec.Mode.ReplicatedJob == nil || int64(n.succeeded) >= sv.completions(); {
	case n.wanted > 0 || n.succeeded+n.failed == 0:
	case n.failed > 0:
		// Swarm starts no other in a slot once its restart policy is exhausted.
		j.State, j.Reason, j.Ended = model.JobFailed, model.JobBackoffLimit, latest
	case done:
		j.State, j.Ended = model.JobComplete, latest
	}
	return j
}

// service is a service as a name under which tasks are reached; its pods are added
// as they are made.
func service(c *cluster, sv *svc) model.Service {
	var ready, notReady, terminating int
	for _, sl := range sv.slots {
		switch t := sl.task(); {
		case wanted(t) && runs(t) && !c.lost(t.NodeID):
			ready++
		case wanted(t):
			notReady++
		case !ended(t.Status.State):
			terminating++
		}
	}
	return model.Service{
		Orchestrator: sv.ref.Orchestrator, Namespace: sv.ref.Namespace, Name: sv.Spec.Name,
		Endpoints: model.Endpoints{Ready: model.Of(ready), NotReady: model.Of(notReady), Terminating: model.Of(terminating)},
	}
}
