package peers

import (
	"testing"

	"github.com/loadline-exporters/loadline/e2e/program"
)

// KubeStateMetricsVersion is what e2e/peers/kubestatemetrics/go.mod pins; the
// exporter's generators are of the same.
const KubeStateMetricsVersion = "2.20.0"

// KubeStateMetrics starts kube-state-metrics on the API server that kubeconfig names,
// and waits until it serves.
func KubeStateMetrics(t testing.TB, kubeconfig string, flags ...string) *Program {
	t.Helper()
	path := program.Published{
		Name: "kube-state-metrics", Version: KubeStateMetricsVersion,
		Module: "e2e/peers/kubestatemetrics", Package: "k8s.io/kube-state-metrics/v2",
	}.Path(t)
	// Its two servers log alike: the one about itself is kept apart by its address.
	return start(t, "kube-state-metrics", append([]string{path, "--kubeconfig=" + kubeconfig,
		"--host=127.0.0.1", "--port=0", "--telemetry-host=127.0.0.2", "--telemetry-port=0",
	}, flags...)...)
}

// Orchestrator starts the orchestrator exporter on an API server.
func Orchestrator(t testing.TB, kubeconfig string, flags ...string) *Program {
	t.Helper()
	return OrchestratorAt(t, program.Own(t, "cmd/orchestrator-exporter"), kubeconfig, flags...)
}

// OrchestratorAt starts an orchestrator exporter that is built already.
func OrchestratorAt(t testing.TB, path, kubeconfig string, flags ...string) *Program {
	t.Helper()
	p := start(t, "orchestrator-exporter", append([]string{path,
		"--web.listen-address=127.0.0.1:0", "--kubeconfig=" + kubeconfig,
	}, flags...)...)
	p.clean = true
	p.await("/-/ready")
	return p
}

// ScrapeOpenMetrics asks for OpenMetrics.
func (p *Program) ScrapeOpenMetrics() (Answer, error) {
	return get(p.URL+"/metrics", "application/openmetrics-text;version=1.0.0", limit)
}
