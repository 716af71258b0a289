package swarm

import (
	"strings"

	"github.com/moby/moby/api/types/swarm"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// Reasons why tasks fail. The list is closed, whatever an engine says.
const (
	reasonNode      = "no_suitable_node"
	reasonImage     = "no_such_image"
	reasonRejected  = "rejected" // by the node that was to run it, for anything but its image
	reasonStart     = "start_failed"
	reasonUnhealthy = "unhealthy"
	reasonOOM       = "oom_killed"
	reasonExit      = "non_zero_exit"
	reasonOrphaned  = "orphaned" // its node was away for too long
	reasonOther     = "other"
)

// reasonOf is why a task failed; empty for one that did not, or not yet. Swarm says
// it in words alone: those of swarmkit's scheduler and of the engine's executor.
func reasonOf(t *swarm.Task) string {
	err := t.Status.Err
	switch t.Status.State {
	case swarm.TaskStateOrphaned:
		return reasonOrphaned
	case swarm.TaskStateRejected:
		if strings.Contains(err, "No such image") || strings.Contains(err, "manifest unknown") || strings.Contains(err, "pull access denied") {
			return reasonImage
		}
		return reasonRejected
	case swarm.TaskStateFailed:
	default:
		return ""
	}
	switch {
	case strings.Contains(err, "unhealthy container"):
		return reasonUnhealthy
	case strings.HasPrefix(err, "task: non-zero exit"):
		return reasonExit
	case strings.HasPrefix(err, "starting container failed"):
		return reasonStart
	case t.Status.ContainerStatus != nil && t.Status.ContainerStatus.ExitCode != 0:
		return reasonExit
	}
	return reasonOther
}

// noSuitableNode says that a task waits because no node takes it.
func noSuitableNode(t *swarm.Task) bool {
	switch t.Status.State {
	case swarm.TaskStateNew, swarm.TaskStateAllocated, swarm.TaskStatePending:
		return strings.HasPrefix(t.Status.Err, "no suitable node")
	}
	return false
}

// ran says that a task's process was started.
func ran(t *swarm.Task) bool {
	switch t.Status.State {
	case swarm.TaskStateRunning, swarm.TaskStateComplete:
		return true
	case swarm.TaskStateFailed:
		return reasonOf(t) != reasonStart && t.Status.ContainerStatus != nil && t.Status.ContainerStatus.ContainerID != ""
	case swarm.TaskStateShutdown:
		return t.Status.ContainerStatus != nil && t.Status.ContainerStatus.PID != 0
	}
	return false
}

// failures count what becomes of tasks, each once.
type failures struct {
	counts *model.Counts
	oom    func(containerID string) bool
	told   map[string]told   // by task
	again  map[slotKey]int64 // restarts of a slot
	begun  bool              // what was there before is not counted
	on     func(happened)    // told of what happens to tasks
}

// told is what was counted of a task.
type told struct{ homeless, ran, ended bool }

type slotKey struct{ service, pod string }

// happened is one thing that became of a task.
type happened struct {
	ref  model.Ref
	what occurrence
	why  string // the reason, of a failure
	task *swarm.Task
}

// occurrence is what can become of a task.
type occurrence int

const (
	homeless occurrence = iota // no node takes it
	started
	failed // it ended in failure, or never ran
	completed
	stopped // it was told to end
)

func newFailures(c *model.Counts, oom func(string) bool, on func(happened)) *failures {
	return &failures{counts: c, oom: oom, on: on, told: map[string]told{}, again: map[slotKey]int64{}}
}

// count counts what is new of the tasks that were listed.
func (f *failures) count(c *cluster) {
	now, again := make(map[string]told, len(f.told)), make(map[slotKey]int64, len(f.again))
	for _, sv := range c.services {
		f.counts.Add(metrics.Restarts, sv.ref, 0, sv.Spec.Name)
		for _, sl := range sv.slots {
			k := slotKey{sv.ID, sl.place.Pod}
			again[k] = f.again[k]
			for i, t := range sl.tasks {
				was := f.told[t.ID]
				is := told{was.homeless || noSuitableNode(t), was.ran || ran(t), was.ended || ended(t.Status.State)}
				now[t.ID] = is
				if !f.begun {
					continue
				}
				f.tell(sl, t, was, is)
				if is.ran && !was.ran && startedAgain(sl.tasks[i+1:]) {
					again[k]++
					f.counts.Add(metrics.Restarts, refOf(sl.place), 1, sv.Spec.Name)
				}
			}
		}
	}
	f.told, f.again, f.begun = now, again, true
}

// tell tells what happened between two looks at a task.
func (f *failures) tell(sl *slot, t *swarm.Task, was, is told) {
	ref := refOf(sl.place)
	if is.homeless && !was.homeless {
		f.fail(sl, happened{ref, homeless, reasonNode, t})
	}
	if is.ran && !was.ran {
		f.on(happened{ref, started, "", t})
	}
	if !is.ended || was.ended {
		return
	}
	switch why := reasonOf(t); {
	case why == reasonExit && f.oom(containerOf(t)):
		f.fail(sl, happened{ref, failed, reasonOOM, t})
	case why != "":
		f.fail(sl, happened{ref, failed, why, t})
	case t.Status.State == swarm.TaskStateComplete:
		f.on(happened{ref, completed, "", t})
	case is.ran:
		f.on(happened{ref, stopped, "", t})
	}
}

func (f *failures) fail(sl *slot, h happened) {
	f.counts.Add(metrics.PodFailures, h.ref, 1, sl.place.Pod, h.why)
	f.on(h)
}

// restarts is how often a slot was started again while it was watched.
func (f *failures) restarts(sv *svc, sl *slot) model.Count {
	return model.Of(f.again[slotKey{sv.ID, sl.place.Pod}])
}

// startedAgain says of a slot's older tasks, the newest first, that the last of them
// that ran ended by itself: one that was shut down was replaced.
func startedAgain(older []*swarm.Task) bool {
	for _, t := range older {
		if ran(t) {
			return t.Status.State == swarm.TaskStateComplete || t.Status.State == swarm.TaskStateFailed
		}
	}
	return false
}

func containerOf(t *swarm.Task) string {
	if t.Status.ContainerStatus == nil {
		return ""
	}
	return t.Status.ContainerStatus.ContainerID
}
