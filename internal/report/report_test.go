package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/internal/up"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// run runs the command and returns what it wrote.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	c := &Command{Now: func() time.Time { return end.Add(25 * time.Second) }}
	if !strings.Contains(strings.Join(args, " "), "--timezone") {
		args = append(args, "--timezone=UTC")
	}
	code = up.Main(t.Context(), &up.Command{}, append([]string{"report"}, args...), &out, &errs, c)
	return out.String(), errs.String(), code
}

// made returns the report of a Prometheus.
func made(t *testing.T, address string, args ...string) Report {
	t.Helper()
	stdout, stderr, code := run(t, append([]string{"--prometheus", address, "--format=json"}, args...)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r Report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// aWeek is a week with some of everything, and the one before it.
func aWeek(t *testing.T) *history {
	h := newHistory(t)
	h.scraped(2*week, 0)
	shop := []string{"cluster", "prod", "namespace", "shop", "owner", "checkout-team", "level", "service"}
	web := append([]string{"service", "web"}, shop...)
	pay := append([]string{"service", "pay"}, shop...)
	for _, replica := range []string{"a", "b"} { // a pair of evaluators
		of := append([]string{"prometheus_replica", replica}, web...)
		h.alert(6*day+22*time.Hour, 42*time.Minute, "ServiceHasNoReadyEndpoint", "page", of...)
		h.alert(4*day+13*time.Hour, 18*time.Minute, "ServiceHasNoReadyEndpoint", "page", of...)
		h.alert(1*day+9*time.Hour, 110*time.Minute, "ServiceHasNoReadyEndpoint", "page", of...)
		h.alert(9*day+10*time.Hour, 35*time.Minute, "ServiceHasNoReadyEndpoint", "page", of...)
	}
	h.alert(1*day+9*time.Hour, 25*time.Minute, "ServiceIsBelowCapacity", "page", pay...)
	h.alert(2*day+2*time.Hour, 8*time.Minute, "ServiceIsBelowCapacity", "page", pay...)
	h.alert(2*time.Hour, 2*time.Hour, "ServiceIsBelowCapacity", "page", append([]string{"service", "<script>alert(1)</script>"}, shop...)...)

	search := []string{"cluster", "prod", "namespace", "shop", "workload", "search", "workload_type", "deployment", "owner", "search-team", "level", "workload"}
	for i := range 40 {
		h.alert(time.Duration(i*4+1)*time.Hour, 4*time.Minute, "ContainerMemoryNearLimit", "ticket", search...)
	}
	for i := range 12 {
		h.alert(week+time.Duration(i*8+1)*time.Hour, 4*time.Minute, "ContainerMemoryNearLimit", "ticket", search...)
	}
	h.alert(9*day, 9*day, "CertificateExpiresSoon", "ticket", "cluster", "prod", "namespace", "infra", "workload", "gateway", "workload_type", "deployment", "owner", "platform-team", "level", "workload")
	for i := range 30 {
		h.alert(3*day+14*time.Hour, 20*time.Minute, "PodCannotStart", "ticket", "cluster", "prod", "namespace", "batch", "workload", "import", "workload_type", "job",
			"pod", "import-"+string(rune('a'+i%26))+string(rune('a'+i/26)), "level", "pod")
	}
	for i := range 9 {
		h.pending(time.Duration(i*15+3)*time.Hour, 3*time.Minute, "WorkloadIsStalled", "page", "cluster", "prod", "namespace", "shop", "workload", "cart", "workload_type", "statefulset", "owner", "checkout-team", "level", "workload")
	}
	h.alert(11*day, 50*time.Minute, "NodeIsGone", "page", "cluster", "prod", "node", "n7", "owner", "platform-team", "level", "node")
	h.alert(20*time.Hour, 20*time.Hour, "VolumeFillsUp", "ticket", "cluster", "prod", "namespace", "billing", "workload", "ledger", "workload_type", "statefulset", "owner", "billing-team", "level", "workload")
	for i := range 6 {
		h.alert(time.Duration(i*20+5)*time.Hour, 10*time.Minute, "WorkloadIsRolledOut", "event", search...)
	}
	h.alert(2*week, 2*week, "Watchdog", "none")
	// An alert that mutes others is told to nobody.
	h.alert(3*day, 2*day, "NodeOutageHitsWorkload", "event", "loadline_cause", "node", "level", "workload", "workload", "search", "namespace", "shop")
	counters(h)
	return h
}

func counters(h *history) {
	of := func(namespace, workload, kind string, more ...string) []string {
		return append([]string{"cluster", "prod", "namespace", namespace, "workload", workload, "workload_type", kind}, more...)
	}
	// steps is a counter that goes up by one at each of the times.
	steps := func(times ...time.Duration) func(time.Duration) float64 {
		return func(ago time.Duration) (n float64) {
			for _, at := range times {
				if ago <= at {
					n++
				}
			}
			return n
		}
	}
	h.counter(2*week, 0, series("loadline_workload_oom_kills_total", of("shop", "search", "deployment", "container", "search", "scope", "container", "victim", "init", "node", "n1", "instance", "n1:9851")...),
		steps(13*day, 6*day, 5*day, 5*day-time.Minute, 3*day))
	// Restarts are told by two replicas of the exporter, one of which began anew.
	restarts := steps(10*day, 6*day, 6*day-2*time.Minute, 2*day, day)
	begun := 4*day + 30*time.Minute
	h.counter(2*week, 0, series("loadline_workload_restarts_total", of("shop", "search", "deployment", "container", "search", "instance", "a:9852")...), restarts)
	h.counter(2*week, 0, series("loadline_workload_restarts_total", of("shop", "search", "deployment", "container", "search", "instance", "b:9852")...), func(ago time.Duration) float64 {
		if ago > begun {
			return restarts(ago)
		}
		return restarts(ago) - restarts(begun)
	})
	h.counter(2*week, 0, series("loadline_workload_rollouts_total", of("shop", "search", "deployment", "result", "completed", "instance", "a:9852")...), steps(6*day, 5*day, 4*day))
	h.counter(2*week, 0, series("loadline_workload_rollouts_total", of("shop", "cart", "statefulset", "result", "failed", "instance", "a:9852")...), steps(3*day))
	h.counter(2*week, 0, series("loadline_workload_terminations_total", of("shop", "search", "deployment", "container", "search", "reason", "oom_killed", "instance", "a:9852")...), steps(13*day, 6*day, 5*day, 3*day))
	h.counter(2*week, 0, series("loadline_workload_terminations_total", of("batch", "import", "job", "container", "import", "reason", "completed", "instance", "a:9852")...), steps(6*day, 5*day, 4*day, 3*day))
	h.counter(2*week, 0, series("loadline_events_total", of("batch", "import", "job", "class", "pull_failed_rate_limited", "type", "warning", "instance", "a:9852")...), func(ago time.Duration) float64 {
		if ago <= 3*day+14*time.Hour {
			return 1260
		}
		return 60
	})
	h.counter(2*week, 0, series("loadline_events_total", of("shop", "search", "deployment", "class", "container_started", "type", "normal", "instance", "a:9852")...), steps(6*day, 5*day))
}

func TestTheReportOfAWeekIsAsItWas(t *testing.T) {
	server := aWeek(t).serve()
	for _, format := range []string{"html", "json"} {
		output := filepath.Join(t.TempDir(), "report."+format)
		if _, stderr, code := run(t, "--prometheus", server.URL, "--output", output); code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		text, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "report."+format, bytes.ReplaceAll(text, []byte(server.URL), []byte("http://prometheus.example:9090")))
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is another: look at the difference that -update makes", file)
	}
}

func TestWhatLabelsSayIsEscapedInThePage(t *testing.T) {
	h := newHistory(t)
	h.scraped(2*day, 0)
	const hostile = `"><img src=x onerror=alert(1)></style><script>alert(1)</script>`
	h.alert(time.Hour, 10*time.Minute, hostile, "page", "service", hostile, "namespace", hostile, "owner", hostile, "workload", hostile, "long", strings.Repeat("x", 5000))
	h.counter(day, 0, series("loadline_events_total", "namespace", hostile, "workload", hostile, "class", hostile, "type", "warning"), func(ago time.Duration) float64 {
		return (day - ago).Hours()
	})
	page, stderr, code := run(t, "--prometheus", h.serve().URL, "--since=1d", "--selector", `{service!="\"<script>"}`)
	if code != 0 {
		t.Fatal(stderr)
	}
	for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", strings.Repeat("x", 300)} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %.40q", bad)
		}
	}
	if n := strings.Count(page, "</style>"); n != 1 {
		t.Errorf("the style ends %d times", n)
	}
	if !strings.Contains(page, "&lt;script&gt;") {
		t.Error("the page does not show what the label says")
	}
}

func TestRunbooksOfAlertsThatFiredAreLinkedTo(t *testing.T) {
	h := newHistory(t)
	h.alert(2*time.Hour, time.Hour, "ServiceHasNoReadyEndpoint", "page")
	h.alert(2*time.Hour, time.Hour, "PodCannotStart", "page")
	got := made(t, h.serve().URL, "--since=1d").Runbooks
	const want = "https://runbooks.example/service-has-no-ready-endpoint?a=1&b=2"
	if len(got) != 1 || got["ServiceHasNoReadyEndpoint"] != want {
		t.Errorf("runbooks are %v, want that of the one that fired and has an address of the web", got)
	}
}

func TestTheRestOfATableIsAddedUp(t *testing.T) {
	h := newHistory(t)
	h.scraped(2*day, 0)
	for i := range 7 {
		name := string(rune('A' + i))
		h.alert(20*time.Hour, time.Duration(i+1)*time.Hour, name, "page", "service", name, "namespace", "n")
	}
	r := made(t, h.serve().URL, "--since=1d", "--top=3")
	if got, want := r.Alerts.Rest, (Rest{4, 4, (1 + 2 + 3 + 4) * 3600}); len(r.Alerts.Rows) != 3 || got != want {
		t.Errorf("%d alerts and %+v, want 3 and %+v", len(r.Alerts.Rows), got, want)
	}
	if got, want := r.LongestPages.Rest, (Rest{4, 4, (1 + 2 + 3 + 4) * 3600}); got != want {
		t.Errorf("further pages are %+v, want %+v", got, want)
	}
	if r.Services.Rest != 4 || r.Services.RestSeconds != 36000 || r.Services.Rows[0].Labels["service"] != "G" {
		t.Errorf("services are %+v", r.Services)
	}
}

func TestNothingIsComparedWithWhatRetentionDoesNotReach(t *testing.T) {
	h := newHistory(t)
	h.scraped(30*time.Hour, 0)
	h.alert(27*time.Hour, time.Hour, "Old", "page")
	h.alert(2*time.Hour, time.Hour, "New", "page")
	h.counter(30*time.Hour, 0, series("loadline_workload_restarts_total", "namespace", "n", "workload", "w"), func(ago time.Duration) float64 {
		if ago < time.Hour {
			return 12
		}
		return 10
	})
	r := made(t, h.serve().URL, "--since=1d")
	if r.Comparable || *r.Before.ObservedSeconds != 6*3600 || *r.Period.ObservedSeconds != 24*3600 {
		t.Errorf("comparable %t, data of %d s, and of %d s before", r.Comparable, *r.Period.ObservedSeconds, *r.Before.ObservedSeconds)
	}
	if want := []Span{{end.Add(-2 * day), end.Add(-30 * time.Hour)}}; len(r.Before.Missing) != 1 || r.Before.Missing[0] != want[0] {
		t.Errorf("missing is %v, want %v", r.Before.Missing, want)
	}
	if row := r.Alerts.Rows[0]; row.Before != nil || row.Change != "" || len(r.Gone.Rows) > 0 {
		t.Errorf("%+v is compared, gone is %v", row, r.Gone.Rows)
	}
	for _, c := range r.Counters {
		if c.Before != nil || len(c.Workloads) > 0 && c.Workloads[0].Change != "" {
			t.Errorf("%s is compared: %+v", c.Family, c)
		}
		if want := c.Family == "loadline_workload_restarts_total"; c.Present != want || want && c.Total != 2 {
			t.Errorf("%s is there: %t, with %g", c.Family, c.Present, c.Total)
		}
	}
	if notes := strings.Join(r.Notes, " "); !strings.Contains(notes, "data of 6 h of the 1 d of the period before only") {
		t.Errorf("it says %q", notes)
	}
}

func TestAPrometheusWithoutDataHasAReportThatSaysSo(t *testing.T) {
	h := newHistory(t)
	h.append(series("other"), end.Add(-week), 1)
	r := made(t, h.serve().URL, "--since=1d")
	if len(r.Alerts.Rows) > 0 || r.Period.ObservedSeconds != nil || !strings.Contains(strings.Join(r.Notes, " "), "no data of these times") {
		t.Errorf("%d alerts, observed %v, notes %q", len(r.Alerts.Rows), r.Period.ObservedSeconds, r.Notes)
	}
}

func TestTheSelectorChoosesAlertsAndCounters(t *testing.T) {
	h := newHistory(t)
	h.scraped(2*day, 0)
	for _, cluster := range []string{"a", "b"} {
		h.alert(2*time.Hour, time.Hour, "X", "page", "cluster", cluster)
		h.alert(2*time.Hour, time.Hour, "Y", "ticket", "cluster", cluster)
		h.counter(2*day, 0, series("loadline_workload_restarts_total", "cluster", cluster), func(ago time.Duration) float64 { return (2*day - ago).Truncate(time.Hour).Hours() })
	}
	r := made(t, h.serve().URL, "--since=1d", "--selector", `cluster="b",severity="page"`)
	if len(r.Alerts.Rows) != 1 || r.Alerts.Rows[0].Episodes != 1 || r.Alerts.Rows[0].Labels["alertname"] != "X" {
		t.Errorf("alerts are %+v", r.Alerts.Rows)
	}
	if c := r.Counters[1]; c.Total != 24 || *c.Before != 23 || len(c.Workloads) != 1 || c.Workloads[0].Cluster != "b" {
		t.Errorf("restarts are %+v, want 24 of cluster b after 23", c)
	}
	if notes := strings.Join(r.Notes, " "); !strings.Contains(notes, `without severity="page"`) {
		t.Errorf("it does not say that counters have no severity: %q", notes)
	}
}
