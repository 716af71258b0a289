package prom

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
)

// The bounds of queries. A sample takes 16 bytes in memory, so one query is
// stopped at some 50 MB; Prometheus' own bounds would let it take 800 MB.
const (
	maxQuerySamples    = 3_000_000
	maxQueryTime       = time.Minute
	maxQueries         = 4 // at a time; more wait
	lookback           = 5 * time.Minute
	maxRemoteReads     = 2
	maxRemoteReadFrame = 1 << 20 // bytes
)

// ErrClosed is the error of queries after the end of Run.
var ErrClosed = errors.New("the embedded Prometheus is shut down")

// Instant evaluates a PromQL expression at a time. A scalar becomes a vector of
// one sample without labels; a string or a range vector is an error. A query
// that fails, runs for over a minute or needs too many samples is an error.
func (s *Server) Instant(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	ctx, leave, err := s.queries.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	v, err := rules.EngineQueryFunc(s.engine, s.store)(ctx, expr, at)
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", expr, err)
	}
	return v, nil
}

// Range evaluates a PromQL expression at every step from start to end, both
// included. The matrix is the caller's. Errors are those of Instant.
func (s *Server) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (promql.Matrix, error) {
	ctx, leave, err := s.queries.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	q, err := s.engine.NewRangeQuery(ctx, s.store, nil, expr, start, end, step)
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", expr, err)
	}
	defer q.Close()
	m, err := q.Exec(ctx).Matrix()
	if err != nil {
		return nil, fmt.Errorf("query %q: %w", expr, err)
	}
	// The engine reuses the points of a query that is closed.
	out := slices.Clone(m)
	for i := range out {
		out[i].Floats = slices.Clone(out[i].Floats)
		out[i].Histograms = slices.Clone(out[i].Histograms)
	}
	return out, nil
}

// door lets queries in until it is shut, and is shut when all have left. Reading
// from a TSDB that is closed meanwhile would be reading unmapped memory.
type door struct {
	mu     sync.RWMutex
	shut   bool
	ctx    context.Context // ends the queries inside
	cancel context.CancelFunc
}

func newDoor() *door {
	d := &door{}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// enter returns the context of the query and what to call at its end.
func (d *door) enter(ctx context.Context) (context.Context, func(), error) {
	d.mu.RLock()
	if d.shut {
		d.mu.RUnlock()
		return nil, nil, ErrClosed
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(d.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
		d.mu.RUnlock()
	}, nil
}

// close ends the queries inside and returns when they have left.
func (d *door) close() {
	d.cancel()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
}

// guard lets requests in through the door; later ones get status 503.
func (d *door) guard(f http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, leave, err := d.enter(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer leave()
		f(w, r.WithContext(ctx))
	}
}

// queryLimit bounds the queries that run at a time. Prometheus' own tracker does
// it with a file in the data directory, to log after a crash what was running.
type queryLimit chan struct{}

// GetMaxConcurrent implements promql.QueryTracker.
func (l queryLimit) GetMaxConcurrent() int { return cap(l) }

// Insert implements promql.QueryTracker: it waits for a place.
func (l queryLimit) Insert(ctx context.Context, _ string) (int, error) {
	select {
	case l <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Delete implements promql.QueryTracker.
func (l queryLimit) Delete(int) { <-l }

// Close implements promql.QueryTracker.
func (queryLimit) Close() error { return nil }
