package prom

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	apiv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// serveAPI serves the API as a caller does and returns its base URL.
func serveAPI(t *testing.T, s *Server) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", s.Handler())
	h := httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h.URL
}

func TestPrometheusClientReadsTheAPI(t *testing.T) {
	t.Parallel()
	s, _ := start(t, testOptions(t), &exporter{text: "# HELP test_scrapes_total Scrapes.\n" + counting})
	result(t, s, "test_scrapes_total > 2")
	client, err := api.NewClient(api.Config{Address: serveAPI(t, s)})
	if err != nil {
		t.Fatal(err)
	}
	a, ctx, now := apiv1.NewAPI(client), t.Context(), time.Now()

	v, _, _, err := a.Query(ctx, `test_scrapes_total{job="test"}`, now)
	if vec, ok := v.(model.Vector); err != nil || !ok || len(vec) != 1 || vec[0].Value < 2 {
		t.Errorf("query: %v (error %v)", v, err)
	}
	m, _, _, err := a.QueryRange(ctx, "test_scrapes_total", apiv1.Range{Start: now.Add(-time.Minute), End: now, Step: time.Second})
	if mat, ok := m.(model.Matrix); err != nil || !ok || len(mat) != 1 {
		t.Errorf("range query: %v (error %v)", m, err)
	}
	targets, err := a.Targets(ctx)
	if err != nil || len(targets.Active) != 1 || targets.Active[0].Health != apiv1.HealthGood {
		t.Errorf("targets: %v (error %v)", targets, err)
	}
	if names, _, _, err := a.LabelValues(ctx, "job", nil, time.Time{}, time.Time{}); err != nil || fmt.Sprint(names) != "[test]" {
		t.Errorf("jobs: %v (error %v)", names, err)
	}
	if md, err := a.Metadata(ctx, "test_scrapes_total", ""); err != nil || md["test_scrapes_total"][0].Help != "Scrapes." {
		t.Errorf("metadata: %v (error %v)", md, err)
	}
	if b, err := a.Buildinfo(ctx); err != nil || !strings.HasPrefix(b.Version, "3.") {
		t.Errorf("build: %v (error %v)", b, err)
	}
	if r, err := a.Runtimeinfo(ctx); err != nil || r.StorageRetention != "1d" || !r.ReloadConfigSuccess {
		t.Errorf("runtime: %v (error %v)", r, err)
	}
	if st, err := a.TSDB(ctx); err != nil || st.HeadStats.NumSeries == 0 {
		t.Errorf("TSDB: %v (error %v)", st, err)
	}
	if c, err := a.Config(ctx); err != nil || !strings.Contains(c.YAML, "job_name: test") {
		t.Errorf("config: %v (error %v)", c, err)
	}
	if r, err := a.Rules(ctx, nil); err != nil || len(r.Groups) != 0 {
		t.Errorf("rules: %v (error %v)", r, err)
	}
	if am, err := a.AlertManagers(ctx); err != nil || len(am.Active) != 0 {
		t.Errorf("Alertmanagers: %v (error %v)", am, err)
	}
}

func TestAPIChangesNothing(t *testing.T) {
	t.Parallel()
	s, _ := start(t, testOptions(t), &exporter{text: counting})
	result(t, s, "test_scrapes_total")
	base := serveAPI(t, s)
	for _, path := range []string{
		"/write",
		"/otlp/v1/metrics",
		"/admin/tsdb/delete_series?match[]=test_scrapes_total",
		"/admin/tsdb/clean_tombstones",
		"/admin/tsdb/snapshot",
	} {
		r, err := http.Post(base+"/api/v1"+path, "application/x-protobuf", nil)
		if err != nil {
			t.Fatal(err)
		}
		if text := body(t, r); r.StatusCode < 400 {
			t.Errorf("POST %s: %s: %s", path, r.Status, text)
		}
	}
	result(t, s, "test_scrapes_total")
}

func TestEveryEndpointAnswersWithoutPanic(t *testing.T) {
	t.Parallel()
	s, _ := start(t, testOptions(t), &exporter{text: counting})
	result(t, s, "test_scrapes_total")
	base := serveAPI(t, s)
	for path, status := range map[string]int{
		"/query?query=up": 200,
		"/query_range?query=up&start=1&end=2&step=1": 200,
		"/query_exemplars?query=up&start=1&end=2":    200,
		"/format_query?query=up":                     200,
		"/parse_query?query=up":                      200,
		"/labels":                                    200,
		"/series?match[]=up":                         200,
		"/scrape_pools":                              200,
		"/targets":                                   200,
		"/targets/metadata":                          200,
		"/alertmanagers":                             200,
		"/metadata":                                  200,
		"/status/config":                             200,
		"/status/runtimeinfo":                        200,
		"/status/buildinfo":                          200,
		"/status/flags":                              200,
		"/status/tsdb":                               200,
		"/status/tsdb/blocks":                        200,
		"/status/self_metrics":                       200,
		"/status/walreplay":                          200,
		"/features":                                  200,
		"/notifications":                             200,
		"/notifications/live":                        204,
		"/alerts":                                    200,
		"/rules":                                     200,
		"/openapi.yaml":                              200,
		"/nothing":                                   404,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "http://elsewhere.example")
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if text := body(t, r); r.StatusCode != status {
			t.Errorf("%s: %s, want %d: %.300s", path, r.Status, status, text)
		}
		if o := r.Header.Get("Access-Control-Allow-Origin"); o != "" {
			t.Errorf("%s may be read by pages of other origins (%q)", path, o)
		}
	}
}
