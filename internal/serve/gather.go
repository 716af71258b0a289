package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
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

// Gatherer collects an exporter's series. Scrapes that overlap share what is
// collected, so that a second Prometheus costs next to nothing.
type Gatherer struct {
	exporter Exporter
	families family.Table
	foreign  *family.Admission
	opts     GatherOptions
	slots    []*slot

	mu      sync.Mutex
	dropped string // the families dropped last, to log a change once
}

// Result is one scrape's series.
type Result struct {
	Series family.Budgeted
	Self   family.Budgeted
}

// Encode writes the whole to w; OpenMetrics' closing line is left to the caller.
func (r Result) Encode(w io.Writer, f family.Format) error {
	return errors.Join(r.Series.Encode(w, f), r.Self.Encode(w, f))
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

// Selection says which collectors a scrape is for; the zero value is all.
type Selection struct {
	Only   []string // these alone
	Except []string // all but these
}

// check names what is not there. A collector may be there and turned off: then it
// has nothing to say.
func (s Selection) check(e Exporter) error {
	if len(s.Only) > 0 && len(s.Except) > 0 {
		return errors.New("give collectors either to collect or to exclude, not both")
	}
	known := e.Families.Collectors()
	for _, name := range slices.Concat(s.Only, s.Except) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("there is no collector %q", name)
		}
	}
	return nil
}

func (s Selection) wants(name string) bool {
	return (len(s.Only) == 0 || slices.Contains(s.Only, name)) && !slices.Contains(s.Except, name)
}

// Gather collects; what another scrape is collecting already is waited for instead.
// The context's deadline is the scrape's. A selection of what is not there is an
// error.
func (g *Gatherer) Gather(ctx context.Context, selection Selection) (Result, error) {
	if err := selection.check(g.exporter); err != nil {
		return Result{}, err
	}
	// What is left after the collectors is for encoding and sending.
	left := time.Until(deadlineOf(ctx))
	ctx, cancel := context.WithTimeout(ctx, left-min(left/5, 500*time.Millisecond))
	defer cancel()

	slots := make([]*slot, 0, len(g.slots))
	for _, s := range g.slots {
		if selection.wants(s.Name) {
			slots = append(slots, s)
		}
	}
	outcomes := make([]outcome, len(slots))
	writers := make([]*family.Writer, len(slots))
	var wg sync.WaitGroup
	for i, s := range slots {
		wg.Go(func() { writers[i], outcomes[i] = s.run(ctx, g.opts.Logger) })
	}
	wg.Wait()
	if errors.Is(ctx.Err(), context.Canceled) {
		return Result{}, fmt.Errorf("the scrape has gone away: %w", ctx.Err())
	}

	writers = delivered(writers)
	kept := family.Budget(g.families, writers, g.opts.Budget)
	g.logDropped(kept.Dropped)
	return Result{Series: kept, Self: describeSelf(g.exporter, outcomes, kept, g.opts.Budget)}, nil
}

func deadlineOf(ctx context.Context) time.Time {
	if d, ok := ctx.Deadline(); ok {
		return d
	}
	return time.Now().Add(defaultScrapeTimeout)
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
