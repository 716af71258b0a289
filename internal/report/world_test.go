package report

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/loadline-exporters/loadline/internal/up/prom"
)

// end is that of the reports in tests: Monday, midnight.
var end = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

const (
	// evaluation is how often rules are evaluated, and targets scraped.
	evaluation = time.Minute
	day        = 24 * time.Hour
	week       = 7 * day
)

// history is what a Prometheus has in its blocks.
type history struct {
	t       *testing.T
	labels  map[string]labels.Labels
	samples map[string][]sample
}

type sample struct {
	at    time.Time
	value float64
}

func newHistory(t *testing.T) *history {
	t.Helper()
	return &history{t, map[string]labels.Labels{}, map[string][]sample{}}
}

func (h *history) append(l labels.Labels, at time.Time, v float64) {
	key := l.String()
	h.labels[key] = l
	h.samples[key] = append(h.samples[key], sample{at, v})
}

// during has a series with the value 1 from one time on until another, both before the
// end, and then Prometheus' mark that it is stale.
func (h *history) during(from, until time.Duration, l labels.Labels) {
	h.t.Helper()
	// Rules are evaluated at some second of the minute.
	const offset = 17 * time.Second
	for ago := from; ago > until; ago -= evaluation {
		h.append(l, end.Add(offset-ago), 1)
	}
	if until > 0 {
		h.append(l, end.Add(offset-until), math.Float64frombits(value.StaleNaN))
	}
}

// alert fires, from so long before the end on, for a time.
func (h *history) alert(ago, length time.Duration, name, severity string, more ...string) {
	h.t.Helper()
	h.during(ago, ago-length, series("ALERTS", append([]string{"alertname", name, "severity", severity, "alertstate", "firing"}, more...)...))
}

// pending is what holds and does not fire yet.
func (h *history) pending(ago, length time.Duration, name, severity string, more ...string) {
	h.t.Helper()
	h.during(ago, ago-length, series("ALERTS", append([]string{"alertname", name, "severity", severity, "alertstate", "pending"}, more...)...))
}

// counter has a value at each time before the end; between them it stays.
func (h *history) counter(from, until time.Duration, l labels.Labels, at func(ago time.Duration) float64) {
	h.t.Helper()
	const offset = 41 * time.Second
	for ago := from; ago > until; ago -= evaluation {
		h.append(l, end.Add(offset-ago), at(ago))
	}
}

// scraped has there be a target for a time.
func (h *history) scraped(from, until time.Duration) {
	h.t.Helper()
	h.during(from, until, series("up", "job", "node", "instance", "n1"))
}

func series(name string, more ...string) labels.Labels {
	return labels.FromStrings(append([]string{model.MetricNameLabel, name}, more...)...)
}

// rules are those of the Prometheus as its API tells them: an address that can be opened,
// one that is better not, and one of an alert that never fired.
const rules = `{"status":"success","data":{"groups":[{"name":"test","file":"test.yaml","interval":60,"rules":[
{"type":"recording","name":"a:b","query":"c","health":"ok"},
{"type":"alerting","name":"ServiceHasNoReadyEndpoint","query":"x","alerts":[],"health":"ok","annotations":{"runbook_url":"https://runbooks.example/service-has-no-ready-endpoint?a=1&b=2"}},
{"type":"alerting","name":"PodCannotStart","query":"x","alerts":[],"health":"ok","annotations":{"runbook_url":"javascript:alert(1)"}},
{"type":"alerting","name":"NeverFired","query":"x","alerts":[],"health":"ok","annotations":{"runbook_url":"https://runbooks.example/never-fired"}}]}]}}`

// serve is a real Prometheus that has the history. It is the embedded one, whose bound
// of samples is far below that of the published program.
func (h *history) serve() *httptest.Server {
	h.t.Helper()
	dir := h.t.TempDir()
	w, err := tsdb.NewBlockWriter(slog.New(slog.DiscardHandler), dir, (80 * day).Milliseconds())
	if err != nil {
		h.t.Fatal(err)
	}
	app := w.Appender(h.t.Context())
	for key, all := range h.samples {
		slices.SortFunc(all, func(a, b sample) int { return a.at.Compare(b.at) })
		for _, s := range all {
			if _, err := app.Append(0, h.labels[key], s.at.UnixMilli(), s.value); err != nil {
				h.t.Fatalf("%s at %s: %v", key, s.at, err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		h.t.Fatal(err)
	}
	if _, err := w.Flush(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		h.t.Fatal(err)
	}
	p, err := prom.Open(prom.Options{DataDir: dir, Retention: 90 * day})
	if err != nil {
		h.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", p.Handler())
	// It has rules while it runs only, and then evaluates them by the clock.
	mux.HandleFunc("/api/v1/rules", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, rules) })
	server := httptest.NewServer(mux)
	h.t.Cleanup(func() {
		server.Close()
		if err := p.Close(); err != nil {
			h.t.Error(err)
		}
	})
	return server
}
