package docker

import (
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// oneOff is Compose's label of what `docker compose run` makes beside a service.
const oneOff = "com.docker.compose.oneoff"

// lists are what the model has of the containers.
func (s *Source) lists(info *system.Info, all []*one, inSwarm bool) *model.Lists {
	slices.SortFunc(all, func(a, b *one) int { return strings.Compare(a.place.Pod, b.place.Pod) })
	out := &model.Lists{}
	workloads, services := map[model.Ref]int{}, map[model.Ref]int{}
	pods := map[string]bool{}
	for _, c := range all {
		ref := c.ref()
		if k := ref.Namespace + "\x00" + c.place.Pod; !pods[k] { // labels may lie about a task's slot
			pods[k] = true
			out.Pods = append(out.Pods, c.pod(info.Name))
		}
		i, ok := workloads[ref]
		if !ok {
			i = len(out.Workloads)
			workloads[ref] = i
			zero := model.Of(0)
			out.Workloads = append(out.Workloads, model.Workload{
				Ref: ref, Replicas: model.Replicas{Desired: zero, Current: zero, Ready: zero, Available: zero},
			})
		}
		w := &out.Workloads[i]
		c.addTo(&w.Replicas)
		if w.Owner == "" {
			w.Owner = s.Owner(c.Labels)
		}
		if ref.Type != hierarchy.Service || strings.EqualFold(c.Labels[oneOff], "true") {
			continue
		}
		if i, ok = services[ref]; !ok {
			i = len(out.Services)
			services[ref] = i
			out.Services = append(out.Services, model.Service{
				Orchestrator: ref.Orchestrator, Namespace: ref.Namespace, Name: ref.Name,
				Endpoints: model.Endpoints{Ready: model.Of(0), NotReady: model.Of(0)},
			})
		}
		c.addToService(&out.Services[i])
	}
	if !inSwarm { // its managers tell of its nodes
		out.Nodes = []model.Node{node(info)}
	}
	return out
}

// up says that a container's process runs, or is about to run again.
func (c *one) up() bool {
	switch c.State {
	case container.StateRunning, container.StatePaused, container.StateRestarting:
		return true
	}
	return false
}

// ready says that a container serves: that it runs and says so where it has a health
// check.
func (c *one) ready() bool {
	return c.State == container.StateRunning && c.health != container.Starting && c.health != container.Unhealthy
}

// desired says that a container is to run. The engine does not tell what was stopped
// by hand from what has done its work, so what does not run is to run where the
// engine itself could not start it, or has given it up.
func (c *one) desired() bool {
	switch c.State {
	case container.StateRunning, container.StatePaused, container.StateRestarting:
		return true
	case container.StateCreated:
		return c.unstartable()
	case container.StateExited:
		return c.policy.Name == container.RestartPolicyOnFailure && c.exit != 0 &&
			c.policy.MaximumRetryCount > 0 && c.restarts >= int64(c.policy.MaximumRetryCount)
	}
	return false
}

// unstartable says that a container was to be started, and could not be.
func (c *one) unstartable() bool { return c.State == container.StateCreated && c.err }

func (c *one) addTo(r *model.Replicas) {
	if c.desired() {
		r.Desired.N++
	}
	if c.up() || c.State == container.StateCreated {
		r.Current.N++
	}
	if c.ready() {
		r.Ready.N++
		r.Available.N++
	}
}

func (c *one) addToService(s *model.Service) {
	switch {
	case c.ready():
		s.Endpoints.Ready.N++
	case c.up(), c.State == container.StateCreated:
		s.Endpoints.NotReady.N++
	default:
		return // it has ended
	}
	s.Pods = append(s.Pods, c.place.Pod)
}

func (c *one) pod(node string) model.Pod {
	p := model.Pod{
		Ref: c.ref(), Pod: c.place.Pod, UID: c.ID, Node: node, HostNetwork: model.Of(0),
		Containers: []model.Container{{
			Name: c.place.Container, Kind: model.App, Image: c.Image, Digest: c.digest,
			Restarts: model.Of(c.restarts), Waiting: c.waiting(), Last: c.last(),
		}},
	}
	if c.hostNetwork {
		p.HostNetwork = model.Of(1)
	}
	switch c.State {
	case container.StateCreated:
		p.Phase, p.Overdue = model.Pending, time.Unix(c.Created, 0)
	case container.StateRunning, container.StatePaused, container.StateRestarting:
		p.Phase = model.Running
	case container.StateRemoving:
		p.Phase = model.Terminating
	case container.StateExited:
		p.Phase = model.Succeeded
		if c.exit != 0 {
			p.Phase = model.Failed
		}
	case container.StateDead:
		p.Phase = model.Failed
	default:
		p.Phase = model.Unknown
	}
	return p
}

func (c *one) waiting() model.Waiting {
	switch c.State {
	case container.StateCreated:
		if c.unstartable() {
			return model.WaitingStart
		}
		return model.WaitingCreating
	case container.StateRestarting:
		return model.WaitingCrashLoop
	case container.StatePaused:
		return model.WaitingPaused
	}
	return ""
}

// last is how a container's last process ended. The engine forgets that when it starts
// the next, so what was told of the end stands in then.
func (c *one) last() model.Termination {
	e := end{at: c.finished, code: c.exit, oom: c.oom}
	runs := c.State == container.StateRunning || c.State == container.StatePaused
	if runs {
		e.code, e.oom = dockerclient.UnknownExitCode, false
	}
	if c.end != nil && (runs || e.at.IsZero()) {
		e = *c.end
	}
	e.oom = e.oom || c.end != nil && c.end.oom && c.end.code == e.code
	if e.at.Year() <= 1 { // as the engine writes that nothing has ended
		return model.Termination{}
	}
	t := model.Termination{At: e.at, Reason: model.EndedError}
	if e.code >= 0 {
		t.ExitCode = model.Of(e.code)
	}
	if signal := e.code - 128; signal > 0 && signal <= lastSignal {
		t.Signal = model.Of(signal)
	}
	switch {
	case e.oom && e.code != 0:
		t.Reason = model.EndedOOM
	case e.code == 0:
		t.Reason = model.EndedCompleted
	case e.code == dockerclient.UnknownExitCode:
		t.Reason = model.EndedUnknown
	case c.err && !runs && e.code >= 126 && e.code <= 128:
		t.Reason = model.EndedCannotRun
	}
	return t
}

// lastSignal is the highest number of a signal.
const lastSignal = 64

// node is the engine's machine.
func node(info *system.Info) model.Node {
	has := []model.Amount{
		{Resource: model.Resources()[0], Value: float64(info.NCPU)},
		{Resource: model.Resources()[1], Value: float64(info.MemTotal)},
	}
	return model.Node{
		Orchestrator: hierarchy.Docker, Node: info.Name, Role: model.Worker, Ready: model.Of(1), Schedulable: model.Of(1),
		Capacity: has, Allocatable: has, Version: info.ServerVersion,
	}
}
