package watch

import (
	"context"
	"time"

	"github.com/loadline-exporters/loadline/internal/source"
)

// Followed is a resource that is watched by itself: one that is not there from the
// start.
type Followed struct{ r *resource }

// Follow watches a resource that comes and goes, such as one that is defined while the
// exporter runs. It is none of Sources and Counts.
func (w *Watcher) Follow(r Resource, sinks ...Sink) *Followed {
	return &Followed{newResource(r, w.options, w.client, sinks)}
}

// Run watches until the context ends.
func (f *Followed) Run(ctx context.Context) { f.r.run(ctx) }

// Fresh says whether what its sinks were told may be served (Watcher.Fresh).
func (f *Followed) Fresh() bool { return f.r.fresh(time.Now()) }

// Status says whether it can be read.
func (f *Followed) Status() source.Status { return f.r.source.Status() }
