package prom

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
)

const (
	testInterval = 100 * time.Millisecond
	deadline     = 30 * time.Second
)

// childDir is the environment variable that turns the test binary into a process
// that scrapes itself into a directory until it is killed.
const childDir = "LOADLINE_PROM_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := scrapeUntilKilled(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// exporter serves an exposition on every path and counts its scrapes.
type exporter struct {
	text        string // a %d in it is the number of the scrape
	contentType string
	scrapes     atomic.Int64
}

func (e *exporter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	n := e.scrapes.Add(1)
	ct := e.contentType
	if ct == "" {
		ct = "text/plain; version=0.0.4"
	}
	w.Header().Set("Content-Type", ct)
	fmt.Fprintf(w, e.text, n)
}

const counting = "# TYPE test_scrapes_total counter\ntest_scrapes_total %d\n"

func testOptions(t *testing.T) Options {
	return Options{
		DataDir:        t.TempDir(),
		ScrapeInterval: testInterval,
		Self:           []SelfTarget{{Job: "test", Path: "/exporters/test/metrics"}},
		SelfLabels:     map[string]string{"instance": "here", "node": "n1"},
		Logger:         slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}
}

// testWriter logs to a test that still runs.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Logf("%s", p)
	}
	return len(p), nil
}

func open(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// run runs s until the test ends or the returned function is called.
func run(t *testing.T, s *Server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// start opens and runs a server whose self target is e.
func start(t *testing.T, o Options, e http.Handler) (*Server, func()) {
	t.Helper()
	s := open(t, o)
	h := &http.Server{Handler: e}
	go h.Serve(s.SelfListener())
	t.Cleanup(func() { h.Close() })
	return s, run(t, s)
}

// eventually waits for check to return nil.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	if err := wait(check); err != nil {
		t.Fatal(err)
	}
}

func wait(check func() error) error {
	end := time.After(deadline)
	tick := time.NewTicker(testInterval / 4)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-end:
			return fmt.Errorf("not within %s: %w", deadline, err)
		}
	}
}

// result waits until expr has a result that is not empty.
func result(t *testing.T, s *Server, expr string) promql.Vector {
	t.Helper()
	var v promql.Vector
	eventually(t, func() (err error) {
		v, err = s.Instant(t.Context(), expr, time.Now())
		if err == nil && len(v) == 0 {
			err = fmt.Errorf("%s has no result", expr)
		}
		return err
	})
	return v
}

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
