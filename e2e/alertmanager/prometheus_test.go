package alertmanager

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/prometheus"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// hurried is a file of the suite's rules in a hurry: what waits or looks back minutes
// does so for seconds.
func hurried(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("../../rules/" + name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for pattern, replacement := range map[string]string{
		`(?m)^( +(?:for|keep_firing_for): "\d+)m"$`: `${1}s"`,
		`(?m)^([ -]+interval: )"\d+[sm]"$`:          `${1}"1s"`,
		`(\[|offset )(\d+)m\b`:                      `${1}${2}s`,
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, replacement)
	}
	return text
}

// scraping has Prometheus scrape an address, evaluate rules and send alerts.
const scraping = `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%s/*.yaml]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
- job_name: orchestrator
  static_configs: [{targets: [%q], labels: {cluster: eu}}]
`

// exposition is what the orchestrator exporter says of 30 pods of ten workloads behind
// ten services, all on the node a, and of a node b that has none. ready is how many of
// three of each are.
func exposition(ready int) string {
	var b strings.Builder
	phase, rollout := "running", "complete"
	if ready == 0 {
		phase, rollout = "unknown", "stalled"
	}
	for node, ready := range map[string]int{"a": min(ready, 1), "b": 1} {
		fmt.Fprintf(&b, "loadline_orchestrator_node_ready{node=%q} %d\nloadline_orchestrator_node_schedulable{node=%q} 1\n", node, ready, node)
	}
	for i := range 10 {
		workload := fmt.Sprintf(`namespace="shop",workload="web-%d",workload_type="deployment"`, i)
		service := fmt.Sprintf(`namespace="shop",service="web-%d"`, i)
		for state, replicas := range map[string]int{"desired": 3, "current": 3, "updated": 3, "ready": ready, "available": ready} {
			fmt.Fprintf(&b, "loadline_workload_replicas_%s{%s} %d\n", state, workload, replicas)
		}
		fmt.Fprintf(&b, "loadline_workload_rollout_state{%s,state=%q} 1\n", workload, rollout)
		fmt.Fprintf(&b, "loadline_service_endpoints{%s,state=\"ready\"} %d\n", service, ready)
		fmt.Fprintf(&b, "loadline_service_endpoints{%s,state=\"not_ready\"} %d\n", service, 3-ready)
		for j := range 3 {
			pod := fmt.Sprintf(`pod="web-%d-%d"`, i, j)
			fmt.Fprintf(&b, "loadline_pod_info{%s,%s,node=\"a\"} 1\n", workload, pod)
			fmt.Fprintf(&b, "loadline_pod_phase{%s,%s,phase=%q} 1\n", workload, pod, phase)
			fmt.Fprintf(&b, "loadline_service_pod{%s,%s} 1\n", service, pod)
		}
	}
	return b.String()
}

func TestAnOutageThatPrometheusSeesIsOneMessage(t *testing.T) {
	var ready atomic.Int64
	ready.Store(3)
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, exposition(int(ready.Load())))
	}))
	t.Cleanup(exporter.Close)

	r := Receive(t)
	rendered := Render(t, quick(r, "{}"))
	s := Start(t, rendered)
	rules := t.TempDir()
	for name, text := range map[string]string{
		"orchestrator.yaml": hurried(t, "loadline-orchestrator.yaml"),
		"owners.yaml":       hurried(t, "loadline-owners.yaml"),
		"marks.yaml":        rendered.Marks,
	} {
		if err := os.WriteFile(filepath.Join(rules, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host := func(url string) string { return strings.Trim(strings.TrimPrefix(url, "http://"), "/") }
	p := prometheus.Start(t, fmt.Sprintf(scraping, rules, host(s.Address), host(exporter.URL)))
	wait.For(t, soon, "what rules know of ten workloads", func() error {
		// With its history: what a workload should have is the least of a while.
		wanted, err := p.Vector("workload:replicas_wanted:min10m", time.Time{})
		if err == nil && len(wanted) != 10 {
			err = fmt.Errorf("there are %d", len(wanted))
		}
		return err
	})

	ready.Store(0)
	follows := map[string]int{"ServiceHasNoReadyEndpoint": 10, "WorkloadIsStalled": 10}
	wait.For(t, soon, "all that follows from the outage", func() error {
		alerts, err := s.Alerts()
		if err != nil {
			return err
		}
		muted := map[string]int{}
		for _, a := range alerts {
			if len(a.Status.InhibitedBy) > 0 {
				muted[a.Labels["alertname"]]++
			}
		}
		for name, want := range follows {
			if muted[name] != want {
				return fmt.Errorf("muted of %d alerts are %v, want %v", len(alerts), muted, follows)
			}
		}
		return nil
	})
	came(t, settle(t, s, r, "First"), "default-page firing [NodeIsGone]")

	ready.Store(3)
	wait.For(t, soon, "the end of the outage", func() error {
		if all := r.Notifications(); !slices.ContainsFunc(all, func(n Notification) bool { return n.Status == "resolved" && n.Names()[0] == "NodeIsGone" }) {
			return fmt.Errorf("there are %d messages", len(all))
		}
		return nil
	})
	came(t, settle(t, s, r, "Second"), "default-page firing [NodeIsGone]", "default-page resolved [NodeIsGone]")
}
