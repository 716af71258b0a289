package docker

import (
	"context"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Change is what an event changes.
type Change int

// What events change.
const (
	Containers Change = iota
	Services          // or nodes of the Swarm, or tasks of this node
)

// Watch counts what happens to the engine's containers until the stream breaks, and
// returns why. connected is called once the engine answers. What happened since the
// last call is counted as far as the engine remembers it, and nothing is counted
// twice or from before the first call.
func (s *Source) Watch(ctx context.Context, connected func(detail string)) error {
	filters := client.Filters{}
	for _, t := range []events.Type{events.ContainerEventType, events.ImageEventType, events.ServiceEventType, events.NodeEventType} {
		filters.Add("type", string(t))
	}
	for _, a := range []events.Action{
		events.ActionCreate, events.ActionStart, events.ActionKill, events.ActionDie, events.ActionOOM, events.ActionDestroy,
		events.ActionHealthStatus, events.ActionPause, events.ActionUnPause, events.ActionRename,
		events.ActionPull, events.ActionUpdate, events.ActionRemove,
	} {
		filters.Add("event", string(a))
	}
	defer s.listening(false)
	return s.events.Watch(ctx, filters, func(detail string) {
		s.listening(true)
		connected(detail)
	}, s.take)
}

// take counts an event.
func (s *Source) take(ctx context.Context, m events.Message) {
	if s.Told != nil {
		s.Told(time.Unix(0, m.TimeNano))
	}
	switch m.Type {
	case events.ContainerEventType:
		s.takeContainer(ctx, m)
	case events.ImageEventType:
		s.takeImage(m)
	case events.ServiceEventType, events.NodeEventType:
		s.tell(Services)
	}
}

func (s *Source) tell(c Change) {
	if s.Changed != nil {
		s.Changed(c)
	}
}

func (s *Source) takeContainer(ctx context.Context, m events.Message) {
	// All attributes but name and image can be labels.
	place := placeOf(dockerclient.Name([]string{m.Actor.Attributes[dockerclient.AttributeName]}, m.Actor.ID), m.Actor.Attributes)
	if place.Orchestrator == hierarchy.Kubernetes {
		return // its kubelet and its API server tell of it
	}
	h := happened{action: m.Action, at: time.Unix(0, m.TimeNano), code: dockerclient.UnknownExitCode}
	if m.Action == events.ActionStart {
		s.events.Started(m)
	}
	if m.Action == events.ActionDie {
		h.code = s.events.ExitCode(ctx, m)
	}
	signal := m.Actor.Attributes[attributeSignal]
	class, t := s.note(m.Actor.ID, h, signal)
	if class != "" {
		s.Event(refOf(place), class, t)
	}
	if m.Action == events.ActionDie {
		s.Counts.Add(metrics.Terminations, refOf(place), 1, place.Container, string(s.reasonOf(m.Actor.ID)))
	}
	if place.Orchestrator == hierarchy.Swarm {
		s.tell(Services)
	}
	s.tell(Containers)
}

// attributeSignal is what a container was sent. A label may hide it: then its owner
// is wrong about what ended it.
const attributeSignal = "signal"

// happened is what happened to a container.
type happened struct {
	action events.Action
	at     time.Time
	code   int // of its end
}

// note remembers what was told of a container, and says what that is.
func (s *Source) note(id string, h happened, signal string) (model.Class, model.EventType) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bound(s.changed)
	bound(s.lives)
	bound(s.ends)
	s.changed[id] = true
	l := s.lives[id]
	switch h.action {
	case events.ActionCreate:
		s.lives[id] = life{}
		return model.ContainerCreated, model.Normal
	case events.ActionStart:
		s.lives[id] = life{started: true}
		return model.ContainerStarted, model.Normal
	case events.ActionOOM:
		l.oom = true
		s.lives[id] = l
		return model.ContainerOOM, model.Warning
	case events.ActionKill:
		if l.kill == "" {
			l.kill = killClass(signal)
			s.lives[id] = l
		}
	case events.ActionDie:
		return s.ended(id, h)
	case events.ActionDestroy:
		delete(s.lives, id)
		delete(s.changed, id)
	case events.ActionHealthStatusUnhealthy:
		return model.Unhealthy, model.Warning
	}
	return "", ""
}

// reasonOf is how the container that ended last under an id did so.
func (s *Source) reasonOf(id string) model.Ended {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := s.ends[id]; {
	case e.oom:
		return model.EndedOOM
	case e.code == 0:
		return model.EndedCompleted
	case e.code == dockerclient.UnknownExitCode:
		return model.EndedUnknown
	}
	return model.EndedError
}

// killClass is what a signal does; empty for one that is to be handled.
func killClass(signal string) model.Class {
	switch signal {
	case "9", "SIGKILL":
		return model.Killed
	case "15", "SIGTERM", "2", "SIGINT", "3", "SIGQUIT":
		return model.ContainerStopped
	}
	return ""
}

// ended says how a container ended. It is called with the lock held.
func (s *Source) ended(id string, h happened) (model.Class, model.EventType) {
	l, known := s.lives[id]
	delete(s.lives, id)
	// One of its processes that was killed need not have ended it.
	oom := l.oom && (h.code == killed || h.code == dockerclient.UnknownExitCode)
	s.ends[id] = end{h.at, h.code, oom}
	switch {
	case known && !l.started && !l.oom && l.kill == "":
		return "", "" // it could not be started, which its state tells
	case oom:
		return "", "" // it was told of already
	case l.kill != "":
		return l.kill, model.Normal
	case h.code == 0:
		return model.ContainerCompleted, model.Normal
	}
	return model.ContainerDied, model.Warning
}

// killed is the exit code of what SIGKILL has ended.
const killed = 128 + 9

// bound forgets an entry of what has grown too large.
func bound[V any](m map[string]V) {
	if len(m) < remembered {
		return
	}
	for id := range m {
		delete(m, id)
		return
	}
}

// placeOf places a container by its labels, which are somebody else's: what is kept of
// them is what is served.
func placeOf(name string, labels map[string]string) hierarchy.Place {
	p := hierarchy.OfLabels(hierarchy.Docker, name, labels)
	for _, v := range []*string{&p.Namespace, &p.Workload.Name, &p.Pod, &p.Container} {
		*v = family.Bound(*v)
	}
	return p
}

// takeImage counts a pull. Nobody says for whom it was. Docker tells of those alone
// that succeeded.
func (s *Source) takeImage(m events.Message) {
	if m.Action == events.ActionPull {
		s.Event(model.Ref{Orchestrator: hierarchy.Docker}, model.PullSucceeded, model.Normal)
	}
}

func refOf(p hierarchy.Place) model.Ref {
	return model.Ref{Orchestrator: p.Orchestrator, Namespace: p.Namespace, Workload: p.Workload}
}
