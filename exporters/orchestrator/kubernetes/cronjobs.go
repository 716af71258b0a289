package kubernetes

import (
	"strings"
	"time"
	_ "time/tzdata" // a scratch image has none

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// cronJob is what is kept of a CronJob.
type cronJob struct {
	standing
	owner                  text
	suspended              bool
	active                 int
	created, last, success int64
	schedule               cron.Schedule // nil where it cannot be understood

	from   time.Time // since when runs are counted
	asked  time.Time // when they were counted last
	due    time.Time // the first run that was neither started nor counted as missed
	missed int
}

const (
	// startWithin is how long the controller may take to start a run that is due.
	startWithin = 30 * time.Second
	// mostMissed bounds the counting of runs that were missed.
	mostMissed = 100
)

func (c *Cluster) reduceCronJob(obj runtime.Object) *cronJob {
	o, ok := obj.(*batchv1.CronJob)
	if !ok {
		return nil
	}
	j := &cronJob{
		standing: standing{place: placeOf(o.Namespace, hierarchy.Workload{Name: o.Name, Type: hierarchy.CronJob})}, owner: c.ownerOf(o),
		suspended: o.Spec.Suspend != nil && *o.Spec.Suspend, active: len(o.Status.Active), created: unix(o.CreationTimestamp),
	}
	if o.Status.LastScheduleTime != nil {
		j.last = unix(*o.Status.LastScheduleTime)
	}
	if o.Status.LastSuccessfulTime != nil {
		j.success = unix(*o.Status.LastSuccessfulTime)
	}
	zone := ""
	if o.Spec.TimeZone != nil {
		zone = *o.Spec.TimeZone
	}
	j.schedule = c.scheduleOf(o.Spec.Schedule, zone)
	return j
}

// scheduleOf understands a schedule as Kubernetes does. Without a time zone it is in
// the controller manager's, which nobody else knows: mostly UTC. A schedule that names
// one itself is refused by the API server today, and panics in the parser if it is not
// well formed.
func (c *Cluster) scheduleOf(spec, zone string) cron.Schedule {
	if strings.Contains(spec, "TZ=") {
		return nil
	}
	schedule, err := cron.ParseStandard(spec)
	if err != nil {
		return nil
	}
	s, ok := schedule.(*cron.SpecSchedule)
	if !ok {
		return schedule // @every
	}
	if s.Location = c.location(zone); s.Location == nil {
		return nil
	}
	return s
}

// location is a time zone, each read once; nil for one that there is not.
func (c *Cluster) location(zone string) *time.Location {
	if zone == "" {
		return time.UTC
	}
	if l, ok := c.zones.Load(zone); ok {
		return l.(*time.Location)
	}
	l, err := time.LoadLocation(zone)
	if err != nil {
		return nil
	}
	c.zones.Store(zone, l)
	return l
}

// cronJobChanged begins to count anew what a CronJob misses from its last run on.
func (c *Cluster) cronJobChanged(_ key, was, is *cronJob) {
	if is != nil {
		c.hold(&is.standing)
		if is.schedule != nil {
			is.from = time.Unix(max(is.last, is.created), 0)
			is.due = is.schedule.Next(is.from)
		}
	}
	if was != nil {
		c.release(&was.standing)
	}
}

// advance counts the runs that were due and have not been started. One that has no time
// any more, as of the 31st of February, is never due. Schedules go by the wall's clock:
// if that is set back, what it had passed too early was not missed.
func (j *cronJob) advance(now time.Time) {
	now = now.Round(0) // without the clock that is never set
	if now.Before(j.asked) {
		j.due, j.missed = j.schedule.Next(j.from), 0
	}
	j.asked = now
	for !j.due.IsZero() && j.missed < mostMissed && now.Sub(j.due) > startWithin {
		j.missed++
		j.due = j.schedule.Next(j.due)
	}
}

// next is when the next run is due.
func (j *cronJob) next(now time.Time) time.Time {
	if j.suspended || j.schedule == nil {
		return time.Time{}
	}
	if j.missed == mostMissed {
		return j.schedule.Next(now)
	}
	return j.due
}

// CronJobs are the CronJobs.
func (c *Cluster) CronJobs(yield func(*model.CronJob)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for _, e := range c.cronJobs.sorted() {
		j := e.kept
		if !c.owns(j.place) {
			continue
		}
		out := model.CronJob{
			Ref: j.place.Value(), Suspended: yes(j.suspended), Active: model.Of(j.active),
			LastScheduled: at(j.last), LastSucceeded: at(j.success), NextScheduled: j.next(now),
		}
		switch {
		case j.suspended:
			out.Missed = model.Of(0)
		case j.schedule != nil:
			j.advance(now)
			out.NextScheduled, out.Missed = j.next(now), model.Of(j.missed)
		}
		yield(&out)
	}
}
