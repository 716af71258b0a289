package swarm

import (
	"time"

	"github.com/moby/moby/api/types/swarm"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// rollouts count the results of services' updates and of jobs' runs, each once.
type rollouts struct {
	counts *model.Counts
	event  func(model.Ref, model.Class, model.EventType)
	known  map[string]progress // by service
	begun  bool
}

// progress is how far a service's last update and run had come.
type progress struct {
	started time.Time
	update  swarm.UpdateState
	run     uint64
	job     model.JobState
}

func newRollouts(c *model.Counts, event func(model.Ref, model.Class, model.EventType)) *rollouts {
	return &rollouts{counts: c, event: event, known: map[string]progress{}}
}

// result of an update that is in a state; empty while it goes on. A roll-back that
// Swarm pauses has failed too.
func result(s swarm.UpdateState) string {
	switch s {
	case swarm.UpdateStateCompleted:
		return metrics.Completed
	case swarm.UpdateStatePaused, swarm.UpdateStateRollbackPaused:
		return metrics.Failed
	case swarm.UpdateStateRollbackCompleted:
		return metrics.RolledBack
	}
	return ""
}

// count counts the results that are new. What had come to a result before the first
// listing is not counted; a service that is new then has everything before it.
func (r *rollouts) count(c *cluster) {
	now := make(map[string]progress, len(c.services))
	for _, sv := range c.services {
		is := sv.progress()
		was := r.known[sv.ID]
		now[sv.ID] = is
		r.begin(sv)
		if !r.begun {
			continue
		}
		if is.update != was.update || !is.started.Equal(was.started) {
			r.update(sv, is.update, !is.started.Equal(was.started))
		}
		if is.job != was.job || is.run != was.run {
			r.job(sv, is.job)
		}
	}
	r.known, r.begun = now, true
}

// update counts what an update has come to, and that it began.
func (r *rollouts) update(sv *svc, s swarm.UpdateState, began bool) {
	switch s {
	case swarm.UpdateStateUpdating, swarm.UpdateStatePaused, swarm.UpdateStateCompleted:
		if began {
			r.event(sv.ref, model.RolloutStarted, model.Normal)
		}
	}
	switch got := result(s); got {
	case metrics.Completed:
		r.event(sv.ref, model.RolloutDone, model.Normal)
		r.counts.Add(metrics.Rollouts, sv.ref, 1, got)
	case metrics.Failed:
		r.event(sv.ref, model.RolloutFailed, model.Warning)
		r.counts.Add(metrics.Rollouts, sv.ref, 1, got)
	case metrics.RolledBack:
		r.event(sv.ref, model.RolledBack, model.Warning)
		r.counts.Add(metrics.Rollouts, sv.ref, 1, got)
	}
}

// job counts the end of a run.
func (r *rollouts) job(sv *svc, s model.JobState) {
	switch s {
	case model.JobComplete:
		r.event(sv.ref, model.JobCompleted, model.Normal)
	case model.JobFailed:
		r.event(sv.ref, model.JobGaveUp, model.Warning)
	default:
		return
	}
	r.counts.Add(metrics.JobRuns, sv.ref, 1, string(s))
}

// begin begins what is counted of a service at 0.
func (r *rollouts) begin(sv *svc) {
	if sv.isJob() {
		r.counts.Add(metrics.JobRuns, sv.ref, 0, string(model.JobComplete))
		r.counts.Add(metrics.JobRuns, sv.ref, 0, string(model.JobFailed))
		return
	}
	for _, result := range []string{metrics.Completed, metrics.Failed, metrics.RolledBack} {
		r.counts.Add(metrics.Rollouts, sv.ref, 0, result)
	}
}

func (sv *svc) progress() progress {
	var p progress
	if u := sv.UpdateStatus; u != nil {
		p.started, p.update = when(u.StartedAt), u.State
	}
	if sv.isJob() {
		p.job = sv.job().State
		if sv.JobStatus != nil {
			p.run = sv.JobStatus.JobIteration.Index
		}
	}
	return p
}
