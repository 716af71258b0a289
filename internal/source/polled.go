package source

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// StaleAfter is the age from which a snapshot is no longer served: by then what
// it says is more likely wrong than right.
const StaleAfter = 2 * time.Minute

// Polled asks a source in the background and publishes each answer as a whole.
type Polled[T any] struct {
	*Source
	// Fetch asks the source. Its context ends at the deadline; detail says where
	// the source was found.
	Fetch func(ctx context.Context) (value T, detail string, err error)
	// Every is the time between two polls.
	Every time.Duration
	// Deadline bounds one poll.
	Deadline time.Duration
	// Spacing is the least time between two polls, however often Wake is called.
	Spacing time.Duration
	// Changed, if set, is called after each poll that published a new snapshot,
	// found that the last one went stale, or changed the source's state.
	Changed func()
	Logger  *slog.Logger

	wake    chan struct{}
	current atomic.Pointer[snapshot[T]]
}

type snapshot[T any] struct {
	value T
	at    time.Time
}

// NewPolled returns a polled source with the usual times: a poll every 30 s, each
// at most 10 s long.
func NewPolled[T any](name string, logger *slog.Logger, fetch func(ctx context.Context) (T, string, error)) *Polled[T] {
	return &Polled[T]{
		Source: New(name), Fetch: fetch, Every: 30 * time.Second, Deadline: 10 * time.Second, Spacing: time.Second,
		Logger: logger, wake: make(chan struct{}, 1),
	}
}

// Get returns the last snapshot, and false when there is none that is fresh.
func (p *Polled[T]) Get() (T, bool) {
	s := p.current.Load()
	if s == nil || time.Since(s.at) > StaleAfter {
		var none T
		return none, false
	}
	return s.value, true
}

// Wake asks for a poll soon, because something is known to have changed. It never
// blocks; several wakes before the next poll are one.
func (p *Polled[T]) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run polls until the context ends.
func (p *Polled[T]) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-p.wake:
		}
		p.poll(ctx)
		timer.Reset(p.Every)
		pause(ctx, p.Spacing)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (p *Polled[T]) poll(ctx context.Context) {
	value, detail, err := p.fetch(ctx)
	if ctx.Err() != nil {
		return // the program ends; this says nothing about the source
	}
	// First the snapshot, then the word that there is one: whoever waits for a
	// source to be ready finds it.
	replaced := p.replace(value, err)
	changed := report(p.Source, p.Logger, err, detail)
	if (replaced || changed) && p.Changed != nil {
		p.Changed()
	}
}

// replace publishes the outcome of a poll, and says whether anything changed: a
// snapshot is kept through failures until it is stale.
func (p *Polled[T]) replace(value T, err error) bool {
	_, fresh := p.Get()
	switch {
	case err == nil:
		p.current.Store(&snapshot[T]{value: value, at: time.Now()})
	case fresh || p.current.Load() == nil:
		return false
	default:
		p.current.Store(nil)
	}
	return true
}

// report records the outcome of an attempt, logs a change, and says whether it was
// one.
func report(s *Source, logger *slog.Logger, err error, detail string) bool {
	if !s.Report(err, detail) {
		return false
	}
	st := s.Status()
	if err != nil {
		logger.Info("source is not available", "from", st.Name, "reason", st.Reason, "err", err)
	} else {
		logger.Info("source is available", "from", st.Name, "at", detail)
	}
	return true
}

// fetch is one attempt. A client library that panics on a hostile answer is an
// invalid answer, not the end of the exporter.
func (p *Polled[T]) fetch(ctx context.Context) (value T, detail string, err error) {
	ctx, cancel := context.WithTimeout(ctx, p.Deadline)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			p.Logger.Error("reading a source panicked", "from", p.Status().Name, "panic", r, "stack", string(debug.Stack()))
			err = Because(Invalid, fmt.Errorf("reading panicked: %v", r))
		}
	}()
	return p.Fetch(ctx)
}
