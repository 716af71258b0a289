package source

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// How long a broken stream waits for the next attempt: twice as long each time,
// until one has lasted for longer than the most of it.
const (
	leastPause = time.Second
	mostPause  = 5 * time.Second
)

// Stream keeps a stream of what happens at a source open, beside the polls that
// list what is there.
type Stream struct {
	*Source
	// Watch opens the stream, calls connected once the source answers, saying where
	// it was found, and returns why the stream broke.
	Watch func(ctx context.Context, connected func(detail string)) error
	// Connected, if set, is called each time the stream is open: what happened
	// before is to be asked for.
	Connected func()
	Logger    *slog.Logger
}

// NewStream returns a stream that is opened by Run.
func NewStream(name string, logger *slog.Logger, watch func(ctx context.Context, connected func(string)) error) *Stream {
	return &Stream{Source: New(name), Watch: watch, Logger: logger}
}

// Run keeps the stream open until the context ends.
func (s *Stream) Run(ctx context.Context) {
	for wait := leastPause; ctx.Err() == nil; {
		began := time.Now()
		err := s.watch(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = Because(Absent, fmt.Errorf("the stream ended"))
		}
		report(s.Source, s.Logger, err, "")
		if time.Since(began) > mostPause {
			wait = leastPause
		}
		pause(ctx, wait)
		wait = min(2*wait, mostPause)
	}
}

// watch is one attempt. A panic on what a source tells ends the attempt, not the
// exporter.
func (s *Stream) watch(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			s.Logger.Error("reading a stream panicked", "from", s.Status().Name, "panic", r, "stack", string(debug.Stack()))
			err = Because(Invalid, fmt.Errorf("reading panicked: %v", r))
		}
	}()
	return s.Watch(ctx, func(detail string) {
		report(s.Source, s.Logger, nil, detail)
		if s.Connected != nil {
			s.Connected()
		}
	})
}
