package prom

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

func TestSelfTargetIsScrapedOverTheListenerWithItsLabels(t *testing.T) {
	t.Parallel()
	var path string
	e := &exporter{text: counting}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		e.ServeHTTP(w, r)
	})
	s, stop := start(t, testOptions(t), mux)

	got := result(t, s, "test_scrapes_total > 2")[0].Metric
	want := labels.FromStrings("__name__", "test_scrapes_total", "job", "test", "instance", "here", "node", "n1")
	if !labels.Equal(got, want) {
		t.Errorf("series is %s, want %s", got, want)
	}
	stop()
	if path != "/exporters/test/metrics" {
		t.Errorf("scraped path is %q", path)
	}
}

func TestLabelSetToNothingByTheExporterIsNotFilledByTheTarget(t *testing.T) {
	t.Parallel()
	for name, contentType := range map[string]string{
		"text":        "text/plain; version=0.0.4",
		"OpenMetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := testOptions(t)
			o.SelfLabels["pod"] = "target-pod"
			e := &exporter{contentType: contentType, text: `empty{pod="",node="own"} %d
absent 1
# EOF
`}
			s, _ := start(t, o, e)
			if m := result(t, s, "absent")[0].Metric; m.Get("pod") != "target-pod" || m.Get("node") != "n1" {
				t.Errorf("a series without the labels has %s, want the target's", m)
			}
			if m := result(t, s, "empty")[0].Metric; m.Has("pod") || m.Get("node") != "own" {
				t.Errorf("a series with the labels has %s, want its own", m)
			}
		})
	}
}

func TestNothingIsScrapedBeforeTheListenerIsServed(t *testing.T) {
	t.Parallel()
	s := open(t, testOptions(t))
	run(t, s)
	for start := time.Now(); time.Since(start) < 10*testInterval; {
		v, err := s.Instant(t.Context(), "up", time.Now())
		if err != nil || len(v) > 0 {
			t.Fatalf("up is %v (error %v) with nobody serving", v, err)
		}
	}
	h := &http.Server{Handler: &exporter{text: counting}}
	go h.Serve(s.SelfListener())
	t.Cleanup(func() { h.Close() })
	result(t, s, "test_scrapes_total > 2")
	if v := result(t, s, "min_over_time(up[1h])"); v[0].F != 1 {
		t.Error("a scrape failed while nobody served")
	}
}

func TestTwoServersInOneProcessKeepApart(t *testing.T) {
	t.Parallel()
	a, _ := start(t, testOptions(t), &exporter{text: "test_a %d\n"})
	b, _ := start(t, testOptions(t), &exporter{text: "test_b %d\n"})
	result(t, a, "test_a > 2")
	result(t, b, "test_b > 2")
	if v, err := a.Instant(t.Context(), "test_b", time.Now()); err != nil || len(v) > 0 {
		t.Errorf("one server has the other's series: %v (error %v)", v, err)
	}
	for _, s := range []*Server{a, b} {
		if f, err := s.Gatherer().Gather(); err != nil || len(f) == 0 {
			t.Errorf("%d families about itself, error %v", len(f), err)
		}
	}
}

func TestQueriesAfterTheEndAreRefused(t *testing.T) {
	t.Parallel()
	s, stop := start(t, testOptions(t), &exporter{text: counting})
	result(t, s, "test_scrapes_total")
	stop()
	if _, err := s.Instant(t.Context(), "up", time.Now()); !errors.Is(err, ErrClosed) {
		t.Errorf("Instant: %v", err)
	}
	if _, err := s.Range(t.Context(), "up", time.Now(), time.Now(), time.Second); !errors.Is(err, ErrClosed) {
		t.Errorf("Range: %v", err)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/query?query=up", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("the API answers %d", w.Code)
	}
}

func TestRulesAreRecordedAndAlertsFire(t *testing.T) {
	t.Parallel()
	o := testOptions(t)
	o.RuleFiles = []string{writeFile(t, t.TempDir(), "rules.yaml", `
groups:
- name: test
  rules:
  - record: job:test_scrapes:sum
    expr: sum by (job) (test_scrapes_total)
  - alert: Scraped
    expr: job:test_scrapes:sum > 2
`)}
	s, _ := start(t, o, &exporter{text: counting})
	result(t, s, `job:test_scrapes:sum{job="test"}`)
	result(t, s, `ALERTS{alertname="Scraped",alertstate="firing"}`)

	o.DataDir = t.TempDir()
	o.RuleFiles = []string{writeFile(t, t.TempDir(), "bad.yaml", "groups: [{name: g, rules: [{record: r, expr: 'sum('}]}]")}
	if _, err := Open(o); err == nil {
		t.Error("a rule that cannot be parsed is accepted")
	}
	o.RuleFiles = []string{"/nonexistent/rules.yaml"}
	if _, err := Open(o); err == nil {
		t.Error("a rule file that does not exist is accepted")
	}
}

func TestQueryErrorsNameTheExpression(t *testing.T) {
	t.Parallel()
	s := open(t, testOptions(t))
	for _, expr := range []string{"sum(", `"text"`, "up[5m]"} {
		_, err := s.Instant(t.Context(), expr, time.Now())
		if err == nil || !containsAll(err.Error(), fmt.Sprintf("%q", expr)) {
			t.Errorf("Instant of %s: %v", expr, err)
		}
	}
	if _, err := s.Range(t.Context(), "up[5m]", time.Now(), time.Now(), time.Second); err == nil {
		t.Error("a range of range vectors is accepted")
	}
}
