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
	h := happened{action: m.Action, at: time.Unix(0, m.TimeNano), code: dockerclient.UnknownExitCode, signal: m.Actor.Attributes[attributeSignal]}
	if m.Action == events.ActionStart {
		s.events.Started(m)
	}
	if m.Action == events.ActionDie {
		h.code = s.events.ExitCode(ctx, m)
	}
	s.countTold(place, s.note(m.Actor.ID, place, h))
	if place.Orchestrator == hierarchy.Swarm {
		s.tell(Services)
	}
	s.tell(Containers)
}

func (s *Source) countTold(place hierarchy.Place, t told) {
	if t.class != "" {
		s.Event(refOf(place), t.class, t.of)
	}
	if t.reason != "" {
		s.Counts.Add(metrics.Terminations, refOf(place), 1, place.Container, string(t.reason))
	}
}

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
