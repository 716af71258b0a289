package docker

import (
	"context"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
)

// Watch calls on with the events of the daemon's containers until the stream
// breaks, and returns why. connected is called once the daemon answers.
//
// What happened since the last call is told first as far as the daemon remembers
// it, and nothing is told twice; nothing is told from before the first call. It may
// be called beside Fetch, by one goroutine at a time.
func (s *Source) Watch(ctx context.Context, connected func(detail string), on func(container.Event)) error {
	filters := client.Filters{}.Add("type", string(events.ContainerEventType))
	for _, a := range []events.Action{events.ActionCreate, events.ActionStart, events.ActionOOM, events.ActionDie} {
		filters.Add("event", string(a))
	}
	return s.events.Watch(ctx, filters, connected, func(ctx context.Context, m events.Message) { s.take(ctx, m, on) })
}

// take tells an event.
func (s *Source) take(ctx context.Context, m events.Message, on func(container.Event)) {
	if m.Type != events.ContainerEventType {
		return
	}
	e := container.Event{Key: m.Actor.ID, ID: m.Actor.ID, Engine: engineOf(m)}
	switch m.Action {
	case events.ActionCreate:
		e.Kind = container.Created
	case events.ActionStart:
		e.Kind = container.Created
		s.events.Started(m)
	case events.ActionOOM:
		e.Kind = container.OOMKilled
	case events.ActionDie:
		e.Kind, e.ExitCode = container.Ended, s.events.ExitCode(ctx, m)
	default:
		return
	}
	on(e)
}

// engineOf is what an event says of its container. Labels that the daemon's own
// attributes hide are missing; those of an end have its own attributes among them.
func engineOf(m events.Message) *container.Engine {
	e := &container.Engine{ID: m.Actor.ID, Name: m.Actor.ID, Labels: make(map[string]string, len(m.Actor.Attributes))}
	for name, value := range m.Actor.Attributes {
		switch name {
		case dockerclient.AttributeName:
			e.Name = dockerclient.Name([]string{value}, m.Actor.ID)
		case dockerclient.AttributeImage:
			e.Image = value
		default:
			e.Labels[name] = value
		}
	}
	e.Sandbox = isSandbox(e.Labels)
	return e
}
