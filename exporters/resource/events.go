package resource

import (
	"context"
	"log/slog"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
)

// watcher tells what happens to an engine's containers. *docker.Source and
// *containerd.Source are ones.
type watcher interface {
	Watch(ctx context.Context, connected func(detail string), on func(container.Event)) error
}

// engineEvents are an engine's stream of events, and what it told lately.
type engineEvents struct {
	*source.Stream
	recent *container.Recent
}

// watch makes an engine's stream of events; list asks for a listing.
func (s *sources) watch(name string, engine watcher, list func(), logger *slog.Logger) *engineEvents {
	e := &engineEvents{recent: container.NewRecent()}
	e.Stream = source.NewStream(name, logger, func(ctx context.Context, connected func(string)) error {
		return engine.Watch(ctx, connected, func(event container.Event) {
			e.recent.Take(event)
			if event.Kind == container.OOMKilled && s.lives != nil {
				s.lives.book.OOMKilled(event.ID)
			}
			s.index.Changed()
		})
	})
	e.Connected = list
	return e
}
