package alertmanager

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/prometheus"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// alerting are alerts as the suite has them, in a hurry. All wait for as long, and the
// node's stays until its pods are ready again.
const alerting = `
groups:
- name: alerts
  interval: 1s
  rules:
  - alert: ServiceHasNoReadyEndpoint
    expr: loadline_service_endpoints{state="ready"} == 0
    for: 3s
    labels: {severity: page, level: service}
  - alert: WorkloadIsStalled
    expr: loadline_workload_replicas_desired - loadline_workload_replicas_ready > 0
    for: 3s
    labels: {severity: page, level: workload}
  - alert: PodIsUnknown
    expr: loadline_pod_info * on (cluster, node) group_left () (loadline_orchestrator_node_ready == 0)
    for: 3s
    labels: {severity: page, level: pod}
  - alert: NodeIsGone
    expr: loadline_orchestrator_node_ready == 0
    for: 3s
    keep_firing_for: 10s
    labels: {severity: page, level: node}
`

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
// ten services, all on the node a. ready is how many of three of each are.
func exposition(ready int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "loadline_orchestrator_node_ready{node=\"a\"} %d\n", min(ready, 1))
	for i := range 10 {
		workload := fmt.Sprintf(`namespace="shop",workload="web-%d",workload_type="deployment"`, i)
		service := fmt.Sprintf(`namespace="shop",service="web-%d"`, i)
		fmt.Fprintf(&b, "loadline_workload_replicas_desired{%s} 3\nloadline_workload_replicas_ready{%s} %d\n", workload, workload, ready)
		fmt.Fprintf(&b, "loadline_service_endpoints{%s,state=\"ready\"} %d\n", service, ready)
		fmt.Fprintf(&b, "loadline_service_endpoints{%s,state=\"not_ready\"} %d\n", service, 3-ready)
		for j := range 3 {
			fmt.Fprintf(&b, "loadline_pod_info{%s,pod=\"web-%d-%d\",node=\"a\"} 1\n", workload, i, j)
			fmt.Fprintf(&b, "loadline_service_pod{%s,pod=\"web-%d-%d\"} 1\n", service, i, j)
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
	for name, text := range map[string]string{"alerts.yaml": alerting, "marks.yaml": rendered.Marks} {
		if err := os.WriteFile(filepath.Join(rules, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host := func(url string) string { return strings.Trim(strings.TrimPrefix(url, "http://"), "/") }
	p := prometheus.Start(t, fmt.Sprintf(scraping, rules, host(s.Address), host(exporter.URL)))
	wait.For(t, soon, "the series of all pods", func() error {
		pods, err := p.Vector("loadline_pod_info", time.Time{})
		if err == nil && len(pods) != 30 {
			err = fmt.Errorf("there are %d", len(pods))
		}
		return err
	})

	ready.Store(0)
	wait.For(t, soon, "all that follows from the outage", func() error {
		alerts, err := s.Alerts()
		if err != nil {
			return err
		}
		muted := 0
		for _, a := range alerts {
			if len(a.Status.InhibitedBy) > 0 {
				muted++
			}
		}
		if muted < 10+10+30 {
			return fmt.Errorf("%d of %d alerts are muted", muted, len(alerts))
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
