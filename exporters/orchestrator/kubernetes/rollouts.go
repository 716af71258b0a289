package kubernetes

import (
	"slices"
	"time"
	"unique"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// rollout is the bringing up of one revision, the first included. It is followed from
// update to update of its controller, since no object tells of it as a whole.
type rollout struct {
	revision text
	seen     int64 // when the change of the revision was seen; 0 if it was not
	former   word  // of the rollout before: while it stands, nothing is said of this one
	ended    int64
	done     bool
	noticed  time.Time // when that was seen
	failed   bool      // counted as that, or nobody knows whether it has been
	counted  bool      // with its result

	last       replicas // to tell whether it gets on
	progressed time.Time
}

const (
	// progressDeadline is how long a rollout may make no progress, as Kubernetes has it
	// for Deployments.
	progressDeadline = 10 * time.Minute
	// revisionWithin is how long the counting of a rollout waits for what tells whether
	// its revision was there before, which is told by another watch.
	revisionWithin = 10 * time.Second
)

// follow finds the rollout that a controller is in, and judges it. listed says that the
// controller's kind was listed before, so that what is new was made since.
func (c *Cluster) follow(was, is *controller, listed bool, now time.Time) {
	same := was != nil && was.uid == is.uid
	switch {
	case same && was.rollout.revision == is.revision:
		is.rollout = was.rollout
	case same && was.rollout.revision.Value() == "":
		is.rollout = was.rollout // it was not looked at before
		is.rollout.revision = is.revision
	default:
		is.rollout = &rollout{revision: is.revision, progressed: now}
		for _, result := range []string{metrics.Completed, metrics.Failed, metrics.RolledBack} {
			c.count(metrics.Rollouts, is.place, 0, result)
		}
		switch {
		case same:
			is.rollout.seen, is.rollout.former = now.Unix(), was.word
		case !listed || is.created < c.started.Unix():
			// What has happened already is not counted.
			is.rollout.done, is.rollout.counted, is.rollout.ended = is.complete, is.complete, is.completed()
			is.rollout.failed = is.overdue || is.silent && !is.complete
		}
	}
	c.judge(is, now)
}

// judge notes how a rollout goes. Once it is done it stays so: what follows is scaling
// and the loss of pods.
func (c *Cluster) judge(x *controller, now time.Time) {
	r := x.rollout
	if x.word != r.former {
		r.former = word{}
	}
	if x.replicas != r.last {
		r.last, r.progressed = x.replicas, now
	}
	nothing := x.replicas == replicas{updated: x.replicas.updated} // no pods, and none wanted
	if !r.done && x.complete && (r.former == word{} || nothing) {
		r.done, r.noticed, r.ended = true, now, x.completed()
		if r.ended == 0 || r.former != (word{}) {
			r.ended = now.Unix()
		}
	}
	if !r.done && !r.failed && x.stalled(now) {
		r.failed = true
		c.count(metrics.Rollouts, x.place, 1, metrics.Failed)
	}
	if r.done && !r.counted {
		revision, known := c.revisionOf(x)
		if !known && now.Sub(r.noticed) < revisionWithin {
			return
		}
		r.counted = true
		result := metrics.Completed
		if revision.again {
			result = metrics.RolledBack
		}
		c.count(metrics.Rollouts, x.place, 1, result)
	}
}

// completed is since when a rollout is complete by the controller's own word; 0 where it
// has none.
func (x *controller) completed() int64 {
	if x.complete && x.word.reason == unique.Make("NewReplicaSetAvailable") {
		return x.word.at
	}
	return 0
}

// stalled says that a rollout does not get on: the controller says so, or where it
// says nothing of this rollout, nothing has changed for as long.
func (x *controller) stalled(now time.Time) bool {
	still := x.paused.N == 0 && now.Sub(x.rollout.progressed) > progressDeadline
	return x.overdue && (still || x.rollout.former == word{}) || x.silent && still
}

// say puts a rollout into the model's form.
func (c *Cluster) say(x *controller) model.Rollout {
	r := x.rollout
	revision, known := c.revisionOf(x)
	out := model.Rollout{State: model.Progressing, Started: at(r.seen), Ended: at(r.ended)}
	if known && !revision.again {
		out.Started = at(revision.created)
	}
	if r.ended == r.noticed.Unix() && out.Ended.Before(out.Started) {
		out.Ended = out.Started // by two clocks, of which the exporter's is behind
	}
	switch {
	case r.done:
		out.State = model.Complete
	case x.stalled(time.Now()):
		out.State = model.Stalled
	case revision.again:
		out.State = model.RollingBack
	}
	return out
}

// revision is what is kept of a revision of a controller: a Deployment's ReplicaSet, a
// ControllerRevision of others.
type revision struct {
	of      string // the controller's UID
	id      text   // by which the controller names it: a number, or a name
	number  int64
	created int64
	again   bool // it was the latest before, and has become so once more
}

func reduceRevision(obj runtime.Object) *revision {
	o, ok := obj.(*appsv1.ControllerRevision)
	if !ok {
		return nil
	}
	owner := metav1.GetControllerOfNoCopy(o)
	if owner == nil {
		return nil
	}
	return &revision{of: string(owner.UID), id: unique.Make(o.Name), number: o.Revision, created: unix(o.CreationTimestamp)}
}

func (c *Cluster) revisionChanged(_ key, was, is *revision) {
	if was != nil {
		rest := slices.DeleteFunc(c.revised[was.of], func(r *revision) bool { return r == was })
		if len(rest) == 0 {
			delete(c.revised, was.of)
		} else {
			c.revised[was.of] = rest
		}
	}
	if was != nil && is != nil && was.of == is.of {
		// It was seen to be put back. Times, which have whole seconds, may not tell.
		is.again = is.again || was.number < is.number || was.again && was.number > 0
	}
	if is != nil && is.of != "" {
		c.revised[is.of] = append(c.revised[is.of], is)
	}
}

// revisionOf is the revision that a controller brings up, or has.
func (c *Cluster) revisionOf(x *controller) (out revision, known bool) {
	var found *revision
	byNumber := x.place.Value().Type == hierarchy.DaemonSet // which names none: its latest
	for _, r := range c.revised[x.uid] {
		if byNumber && (found == nil || r.number > found.number) || !byNumber && r.id == x.rollout.revision {
			found = r
		}
	}
	if found == nil {
		return revision{}, false
	}
	out = *found
	// A revision that is put back keeps its object and gets a higher number.
	for _, r := range c.revised[x.uid] {
		if r.number > out.number {
			return revision{}, false // it is the latest: its new number is not known yet
		}
		out.again = out.again || out.number > r.number && out.created < r.created
	}
	return out, true
}
