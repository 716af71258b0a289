//go:build e2e

// Package events proves that what happens in Kubernetes is counted exactly: on a real
// API server that is stopped, forgets its history and gets events of every shape, and
// as the difference of counters in a real Prometheus.
package events

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/loadline-exporters/loadline/e2e/output"
	"github.com/loadline-exporters/loadline/e2e/up"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// limit bounds what is waited for; nothing here takes that long on an idle machine.
const limit = 2 * time.Minute

// exporter is an orchestrator exporter that runs in this process.
type exporter struct {
	address string
	stderr  *output.Buffer
	cancel  context.CancelFunc
	ended   chan int
}

// startExporter starts one and waits until it has listed pods and events. The test's
// cleanup ends it.
func startExporter(t *testing.T, kubeconfig string, args ...string) *exporter {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e := &exporter{stderr: &output.Buffer{}, cancel: cancel, ended: make(chan int, 1)}
	listening := make(chan []string, 1)
	command := orchestrator.Command()
	command.Listening = func(addresses []string) { listening <- addresses }
	args = append([]string{"--web.listen-address=127.0.0.1:0", "--kubeconfig=" + kubeconfig}, args...)
	go func() { e.ended <- serve.Main(ctx, command, args, io.Discard, e.stderr) }()
	t.Cleanup(func() { e.stop(t) })
	select {
	case addresses := <-listening:
		e.address = addresses[0]
	case code := <-e.ended:
		e.ended <- code
		t.Fatalf("the exporter did not start: %s", e.stderr)
	}
	e.listed(t)
	return e
}

func (e *exporter) stop(t *testing.T) {
	t.Helper()
	e.cancel()
	code := <-e.ended
	e.ended <- code
	if code != serve.ExitOK {
		t.Errorf("the exporter ended with status %d: %s", code, e.stderr)
	}
}

// listed waits until pods and events are watched.
func (e *exporter) listed(t *testing.T) {
	t.Helper()
	wait.For(t, limit, "pods and events to be listed", func() error {
		families, err := e.scrape()
		if err != nil {
			return err
		}
		for _, source := range []string{"pods", "events"} {
			if !slices.ContainsFunc(families["loadline_source_available"].GetMetric(), func(m *dto.Metric) bool {
				return label(m, "source") == source && m.GetGauge().GetValue() == 1
			}) {
				return fmt.Errorf("%s are not available", source)
			}
		}
		return nil
	})
}

func (e *exporter) scrape() (map[string]*dto.MetricFamily, error) {
	response, err := http.Get("http://" + e.address + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(response.Body)
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

// events are the counts of a namespace that are not 0, as "workload class type": n.
func (e *exporter) events(namespace string) (map[string]float64, error) {
	return e.counted("loadline_events_total", namespace, "workload", "class", "type")
}

// ends are the terminations of a namespace that are not 0, as "workload container reason": n.
func (e *exporter) ends(namespace string) (map[string]float64, error) {
	return e.counted("loadline_workload_terminations_total", namespace, "workload", "container", "reason")
}

func (e *exporter) counted(family, namespace string, labels ...string) (map[string]float64, error) {
	families, err := e.scrape()
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, m := range families[family].GetMetric() {
		if label(m, "namespace") != namespace || m.GetCounter().GetValue() == 0 {
			continue
		}
		var values []string
		for _, l := range labels {
			values = append(values, label(m, l))
		}
		out[strings.Join(values, " ")] += m.GetCounter().GetValue()
	}
	return out, nil
}

// wants waits until what is counted is what is wanted, and fails when it is more.
func wants(t *testing.T, what string, count func() (map[string]float64, error), want map[string]float64) {
	t.Helper()
	wait.For(t, limit, what, func() error {
		got, err := count()
		if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
			err = fmt.Errorf("counted are %v, want %v", got, want)
		}
		return err
	})
}

// startPrometheus scrapes the exporter each second.
func startPrometheus(t *testing.T, e *exporter) *up.Program {
	t.Helper()
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	text := fmt.Sprintf(`
scrape_configs:
- job_name: kubernetes
  scrape_interval: 1s
  scrape_timeout: 1s
  honor_labels: true
  static_configs: [{targets: [%q]}]
`, e.address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := up.Start(t, "--web.listen-address=127.0.0.1:0", "--data-dir="+t.TempDir(), "--scrape-config="+config)
	wait.For(t, limit, "Prometheus to scrape the exporter", func() error {
		n, err := p.Query(`max_over_time(up{job="kubernetes"}[1m])`, time.Time{})
		if err == nil && n != 1 {
			err = fmt.Errorf("up is %v", n)
		}
		return err
	})
	return p
}

// grown are by how much counters have grown since their first samples, those that have, as the
// values of labels: n.
func grown(p *up.Program, selector string, labels ...string) (map[string]float64, error) {
	samples, err := p.Vector(fmt.Sprintf("sum by (%s) (last_over_time(%s[1h]) - min_over_time(%s[1h]))", strings.Join(labels, ","), selector, selector), time.Time{})
	if err != nil {
		return nil, err
	}
	out := map[string]float64{}
	for _, s := range samples {
		if s.Value == 0 {
			continue
		}
		var values []string
		for _, l := range labels {
			values = append(values, s.Labels[l])
		}
		out[strings.Join(values, " ")] = s.Value
	}
	return out, nil
}
