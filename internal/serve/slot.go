package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/loadline-exporters/loadline/internal/family"
)

// slot is a collector with what lives from one scrape to the next.
type slot struct {
	Collector
	families family.Table
	foreign  *family.Admission

	mu      sync.Mutex
	current *collection  // nil while it does not run
	sizes   family.Sizes // of the last writer
	lastErr string       // to log a change once
}

// collection is one run of a collector, waited for by every scrape that joined it.
type collection struct {
	done   chan struct{}
	writer *family.Writer
	began  time.Time
	took   time.Duration
	err    error
	late   bool // a scrape has given it up
}

var errStillRunning = errors.New("an earlier scrape's reading has not returned yet")

// run collects, or joins a collection that is under way. A collector that does not
// return by the deadline is left to itself, with its writer; its series are missing
// from this scrape, and from those to come until it has returned.
func (s *slot) run(ctx context.Context, logger *slog.Logger) (*family.Writer, outcome) {
	s.mu.Lock()
	c := s.current
	switch {
	case c != nil && c.late:
		s.mu.Unlock()
		return nil, s.outcome(logger, 0, errStillRunning)
	case c == nil:
		c = &collection{done: make(chan struct{}), writer: family.NewWriter(s.families, s.sizes), began: time.Now()}
		c.writer.Admit(s.foreign)
		s.current = c
		go s.collect(ctx, c, logger)
	}
	s.mu.Unlock()
	select {
	case <-c.done:
		return c.writer, s.outcome(logger, c.took, c.err)
	case <-ctx.Done():
		err := fmt.Errorf("did not return by the scrape's deadline: %w", ctx.Err())
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, outcome{s.Name, time.Since(c.began), err} // this scrape has gone, others may wait
		}
		s.mu.Lock()
		c.late = true
		s.mu.Unlock()
		return nil, s.outcome(logger, time.Since(c.began), err)
	}
}

// collect outlives a scrape that goes away, since others may have joined it; it ends
// by the first one's deadline.
func (s *slot) collect(scrape context.Context, c *collection, logger *slog.Logger) {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(scrape), deadlineOf(scrape))
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			logger.Error("collector panicked", "collector", s.Name, "panic", r, "stack", string(debug.Stack()))
			c.err = fmt.Errorf("panic: %v", r)
		}
		c.took = time.Since(c.began)
		s.mu.Lock()
		s.current, s.sizes = nil, c.writer.Sizes()
		s.mu.Unlock()
		close(c.done)
	}()
	c.err = s.Collect(ctx, c.writer)
}

// outcome logs when the collector begins to fail, fails otherwise, or works again;
// not at every scrape.
func (s *slot) outcome(logger *slog.Logger, took time.Duration, err error) outcome {
	text := ""
	if err != nil {
		text = err.Error()
	}
	s.mu.Lock()
	changed := text != s.lastErr
	s.lastErr = text
	s.mu.Unlock()
	switch {
	case !changed:
	case err != nil:
		logger.Warn("collector is not complete", "collector", s.Name, "err", err)
	default:
		logger.Info("collector is complete again", "collector", s.Name)
	}
	return outcome{collector: s.Name, took: took, err: err}
}
