package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loadline-exporters/loadline/internal/family"
)

// GatherOptions are what an operator decides of the series.
type GatherOptions struct {
	Filter family.Filter
	Budget int // series at the most; 0 is no limit
	Logger *slog.Logger
}

// Gatherer collects an exporter's series. Scrapes that overlap share one
// collection, so that a second Prometheus costs next to nothing.
type Gatherer struct {
	exporter Exporter
	families family.Table
	foreign  *family.Admission
	opts     GatherOptions
	slots    []*slot

	mu      sync.Mutex
	current *gathering
	dropped string // the families dropped last, to log a change once
}

// gathering is one collection, waited for by every scrape that joined it.
type gathering struct {
	done   chan struct{}
	result Result
}

// Result is one scrape's series.
type Result struct {
	Series family.Budgeted
	Self   family.Budgeted
}

// Encode appends the whole to b; OpenMetrics' closing line is left to the caller.
func (r Result) Encode(b *bytes.Buffer, f family.Format) {
	r.Series.Encode(b, f)
	r.Self.Encode(b, f)
}

// slot is a collector with what lives from one scrape to the next.
type slot struct {
	Collector
	families family.Table
	foreign  *family.Admission

	mu      sync.Mutex
	running bool
	last    *family.Writer
	lastErr string // to log a change once
}

// NewGatherer checks the exporter's table and applies the filter to it. A bad
// filter is an error that names the group or the expression.
func NewGatherer(e Exporter, o GatherOptions) (*Gatherer, error) {
	all := slices.Concat(e.Families, SelfFamilies())
	if err := all.Check(); err != nil {
		return nil, fmt.Errorf("exporter %s: %w", e.Name, err)
	}
	foreign, err := family.NewAdmission(all, processFamilies(), o.Filter)
	if err != nil {
		return nil, err
	}
	selected, err := e.Families.Select(o.Filter)
	if err != nil {
		return nil, err
	}
	g := &Gatherer{exporter: e, families: selected, foreign: foreign, opts: o}
	for _, c := range e.Collectors {
		// A collector all of whose families are off does not run.
		if own := selected.Of(c.Name); len(own) > 0 || c.Foreign {
			g.slots = append(g.slots, &slot{Collector: c, families: own, foreign: foreign})
		}
	}
	return g, nil
}

// Gather collects, or joins a collection that is under way. The context's
// deadline is the scrape's.
func (g *Gatherer) Gather(ctx context.Context) (Result, error) {
	g.mu.Lock()
	c := g.current
	if c == nil {
		c = &gathering{done: make(chan struct{})}
		g.current = c
		go func() {
			// The collection outlives a scrape that goes away: others may have
			// joined it. It ends by the first scrape's deadline.
			c.result = g.collect(context.WithoutCancel(ctx), deadlineOf(ctx))
			g.mu.Lock()
			g.current = nil
			g.mu.Unlock()
			close(c.done)
		}()
	}
	g.mu.Unlock()
	select {
	case <-c.done:
		return c.result, nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

func deadlineOf(ctx context.Context) time.Time {
	if d, ok := ctx.Deadline(); ok {
		return d
	}
	return time.Now().Add(defaultScrapeTimeout)
}

func (g *Gatherer) collect(ctx context.Context, scrapeEnds time.Time) Result {
	// What is left after the collectors is for encoding and sending.
	left := time.Until(scrapeEnds)
	ctx, cancel := context.WithTimeout(ctx, left-min(left/5, 500*time.Millisecond))
	defer cancel()

	outcomes := make([]outcome, len(g.slots))
	writers := make([]*family.Writer, len(g.slots))
	var wg sync.WaitGroup
	for i, s := range g.slots {
		wg.Go(func() { writers[i], outcomes[i] = s.run(ctx, g.opts.Logger) })
	}
	wg.Wait()

	writers = delivered(writers)
	kept := family.Budget(g.families, writers, g.opts.Budget)
	g.logDropped(kept.Dropped)
	return Result{Series: kept, Self: describeSelf(g.exporter, outcomes, kept, g.opts.Budget)}
}

func delivered(writers []*family.Writer) []*family.Writer {
	out := writers[:0]
	for _, w := range writers {
		if w != nil {
			out = append(out, w)
		}
	}
	return out
}

var errStillRunning = errors.New("an earlier scrape's reading has not returned yet")

// run collects once. A collector that does not return by the deadline is left to
// itself, with its writer; its series are missing from this scrape.
func (s *slot) run(ctx context.Context, logger *slog.Logger) (*family.Writer, outcome) {
	start := time.Now()
	end := func(w *family.Writer, err error) (*family.Writer, outcome) {
		s.log(logger, err)
		return w, outcome{collector: s.Name, took: time.Since(start), err: err}
	}
	s.mu.Lock()
	if s.running {
		s.mu.Unlock()
		return end(nil, errStillRunning)
	}
	s.running = true
	w := family.NewWriter(s.families, s.last)
	w.Admit(s.foreign)
	s.mu.Unlock()

	done := make(chan error, 1)
	go func() {
		err := s.collect(ctx, w, logger)
		s.mu.Lock()
		s.running, s.last = false, w
		s.mu.Unlock()
		done <- err
	}()
	select {
	case err := <-done:
		return end(w, err)
	case <-ctx.Done():
		return end(nil, fmt.Errorf("did not return by the scrape's deadline: %w", ctx.Err()))
	}
}

func (s *slot) collect(ctx context.Context, w *family.Writer, logger *slog.Logger) (err error) {
	defer func() {
		if r := recover(); r != nil {
			logger.Error("collector panicked", "collector", s.Name, "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return s.Collect(ctx, w)
}

// log says when a collector begins to fail, fails otherwise, or works again; not
// at every scrape.
func (s *slot) log(logger *slog.Logger, err error) {
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
}

func (g *Gatherer) logDropped(d []family.Dropped) {
	names := strings.Join(droppedNames(d), ", ")
	g.mu.Lock()
	changed := names != g.dropped
	g.dropped = names
	g.mu.Unlock()
	if changed && names != "" {
		g.opts.Logger.Warn("families are not served: the series budget is reached, or their name is another's", "budget", g.opts.Budget, "families", names)
	}
}
