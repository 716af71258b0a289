package conformance

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
)

func (s Subject) lifecycle(t *testing.T) {
	before := runtime.NumGoroutine()
	r := s.start(t)
	for path, want := range map[string]int{
		"/-/healthy": 200, "/-/ready": 200, "/": 200, "/loadline/v1/sources": 200, "/nothing": 404, "/debug/pprof/": 404,
	} {
		if status, _, body := r.get(t, path, nil); status != want {
			t.Errorf("%s answers %d, want %d: %.200s", path, status, want, body)
		}
	}
	resp, err := r.client.Post(r.url+"/metrics", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /metrics answers %s", resp.Status)
	}
	if code, out := r.stop(); code != serve.ExitOK {
		t.Errorf("exit code %d after the order to stop:\n%s", code, out)
	}
	// Nothing that was started goes on. Goroutines end a little after Main.
	for deadline := time.Now().Add(limit); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines more than before:\n%s", runtime.NumGoroutine()-before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func (s Subject) table(t *testing.T) {
	r := s.start(t)
	listed := map[string]*family.Family{}
	for _, f := range append(slices.Clone(s.Families), serve.SelfFamilies()...) {
		listed[f.Name] = f
	}
	text, openMetrics := r.scrape(t, acceptText), r.scrape(t, acceptOpenMetrics)
	for name, e := range text {
		if !ours(name) {
			continue
		}
		f, ok := listed[name]
		if !ok {
			t.Errorf("%s is emitted and not in the table", name)
			continue
		}
		want := slices.Sorted(slices.Values(f.Labels))
		if !slices.Equal(e.labels, want) && f.Compat != family.Kube { // whose labels depend on objects
			t.Errorf("%s has labels %v, the table says %v", name, e.labels, want)
		}
		typ := string(f.Type)
		switch f.Type {
		case family.Untyped:
			typ = "unknown" // as Prometheus has it
		case family.Info, family.StateSet:
			typ = string(family.Gauge)
		}
		if string(e.typ) != typ {
			t.Errorf("%s is a %s, the table says %s", name, e.typ, f.Type)
		}
		if openMetrics[openMetricsName(f)] == nil {
			t.Errorf("%s is missing from OpenMetrics", name)
		}
	}
	for _, f := range listed {
		if (s.Exercised == nil || s.Exercised(f) || f.Collector == "self") && text[f.Name] == nil {
			t.Errorf("%s is in the table and not emitted", f.Name)
		}
	}
	if available := text["loadline_source_available"]; available == nil || len(available.series) == 0 {
		t.Error("no source says whether it is available")
	}
}

// openMetricsName is the name of a family's header: a counter's has no _total, but for
// kube-state-metrics'.
func openMetricsName(f *family.Family) string {
	if f.Type == family.Counter && f.Compat != family.Kube {
		return strings.TrimSuffix(f.Name, "_total")
	}
	return f.Name
}

// lint holds the families of Loadline's own to promtool's lint. Compatible ones
// keep their published names, whatever the lint says of them.
func (s Subject) lint(t *testing.T) {
	r := s.start(t)
	_, _, body := r.get(t, "/metrics", http.Header{"Accept": {acceptText}})
	problems, err := promlint.New(bytes.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "loadline_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func (s Subject) negotiation(t *testing.T) {
	r := s.start(t)
	for accept, want := range map[string]string{
		"":                "text/plain",
		"*/*":             "text/plain",
		acceptText:        "text/plain",
		acceptOpenMetrics: "application/openmetrics-text",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;q=0.5": "text/plain",
		"nonsense": "text/plain",
	} {
		status, h, body := r.get(t, "/metrics", http.Header{"Accept": {accept}})
		if status != http.StatusOK || !strings.HasPrefix(h.Get("Content-Type"), want) {
			t.Errorf("Accept %q: %d %s, want %s", accept, status, h.Get("Content-Type"), want)
		}
		if ends := bytes.HasSuffix(body, []byte("# EOF\n")); ends != (want != "text/plain") {
			t.Errorf("Accept %q: ends in # EOF: %v", accept, ends)
		}
	}
	_, h, packed := r.get(t, "/metrics", http.Header{"Accept-Encoding": {"gzip"}})
	if h.Get("Content-Encoding") != "gzip" {
		t.Fatalf("gzip was not used: %v", h)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(z); err != nil {
		t.Errorf("gzip: %v", err)
	}
	if _, h, _ := r.get(t, "/metrics", http.Header{"Accept-Encoding": {"gzip;q=0"}}); h.Get("Content-Encoding") != "" {
		t.Error("gzip was used though it was refused")
	}
}

func (s Subject) budget(t *testing.T) {
	families := s.start(t, "--series-budget=1").scrape(t, acceptText)
	sum := func(name string) (v float64) {
		for _, x := range families[name].series {
			v += x
		}
		return v
	}
	if n := sum("loadline_exporter_series"); n > 1 {
		t.Errorf("%v series were served with a budget of 1", n)
	}
	if sum("loadline_exporter_series_dropped") < 1 {
		t.Error("nothing is said to be dropped")
	}
	if families["loadline_source_available"] == nil {
		t.Error("the self-description was dropped")
	}
}

func (s Subject) flags(t *testing.T) {
	own := s.start(t, "--compat=").scrape(t, acceptText)
	for name := range own {
		if ours(name) && !strings.HasPrefix(name, "loadline_") {
			t.Errorf("%s is served with --compat=", name)
		}
	}
	few := s.start(t, "--metric-allowlist=loadline_nothing").scrape(t, acceptText)
	for _, f := range s.Families {
		if few[f.Name] != nil {
			t.Errorf("%s is served though it is not allowed", f.Name)
		}
	}
}

func (s Subject) badInput(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := filepath.Join(t.TempDir(), "web.yml")
	if err := os.WriteFile(broken, []byte("tls_server_config: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := "--web.listen-address=127.0.0.1:0"
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"an unknown flag":          {[]string{"--nonsense"}, serve.ExitUsage, "nonsense"},
		"a number that is none":    {[]string{"--series-budget=many"}, serve.ExitUsage, "many"},
		"an unknown group":         {[]string{listen, "--compat=nonsense"}, serve.ExitError, "nonsense"},
		"a bad expression":         {[]string{listen, "--metric-denylist=("}, serve.ExitError, "("},
		"a port in use":            {[]string{"--web.listen-address=" + taken.Addr().String()}, serve.ExitError, "address already in use"},
		"an address that is none":  {[]string{"--web.listen-address=nowhere"}, serve.ExitError, "nowhere"},
		"a missing web file":       {[]string{listen, "--web.config.file=/no/such/file"}, serve.ExitError, "/no/such/file"},
		"a broken web file":        {[]string{listen, "--web.config.file=" + broken}, serve.ExitError, broken},
		"a log level that is none": {[]string{"--log.level=loud"}, serve.ExitUsage, "loud"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := s.exit(t, append(slices.Clone(s.Args), test.args...)...)
			if code != test.code || !strings.Contains(stderr, test.want) {
				t.Errorf("exit code %d, want %d; standard error must name %q:\n%s", code, test.code, test.want, stderr)
			}
			if strings.Contains(stderr, "goroutine ") {
				t.Errorf("a stack trace is shown:\n%s", stderr)
			}
			lines := strings.Split(strings.TrimSpace(stderr), "\n")
			plain := slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "time=") })
			if len(plain) != 1 {
				t.Errorf("%d lines, want one:\n%s", len(plain), stderr)
			}
		})
	}
	for _, flag := range []string{"--help", "--version"} {
		if code, stdout, _ := s.exit(t, flag); code != serve.ExitOK || stdout == "" {
			t.Errorf("%s: exit code %d, %d bytes", flag, code, len(stdout))
		}
	}
}

func (s Subject) bounds(t *testing.T) {
	r := s.start(t)
	status, _, _ := r.get(t, "/metrics", http.Header{"X-Large": {strings.Repeat("x", 1<<20)}})
	if status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 1 MiB: %d", status)
	}
	// However odd the scrape's timeout is, there is an answer.
	for _, timeout := range []string{"", "10", "0.5", "-1", "NaN", "1e300", "x"} {
		status, _, body := r.get(t, "/metrics", http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {timeout}})
		if status != http.StatusOK {
			t.Errorf("timeout %q: %d %.200s", timeout, status, body)
		}
	}
}

func (s Subject) concurrency(t *testing.T) {
	r := s.start(t)
	var wg sync.WaitGroup
	errs := make(chan error, 20)
	for i := range 20 {
		wg.Go(func() {
			accept := []string{acceptText, acceptOpenMetrics}[i%2]
			req, err := http.NewRequest(http.MethodGet, r.url+"/metrics", http.NoBody)
			if err != nil {
				errs <- err
				return
			}
			req.Header.Set("Accept", accept)
			resp, err := r.client.Do(req)
			if err != nil {
				errs <- err
				return
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusOK {
				errs <- fmt.Errorf("%s, %v", resp.Status, err)
				return
			}
			families, err := parse(body, resp.Header.Get("Content-Type"))
			if err != nil {
				errs <- err
				return
			}
			for name, v := range families["loadline_collector_success"].series {
				if v != 1 {
					errs <- fmt.Errorf("%s is %v", name, v)
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}
