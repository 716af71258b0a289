package orchestrator_test

import (
	"slices"
	"testing"

	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/kube"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/internal/conformance"
	"github.com/loadline-exporters/loadline/internal/dockerclient/dockertest"
	"github.com/loadline-exporters/loadline/internal/family"
)

// TestTheExporterKeepsWhatAllExportersPromise runs beside an API server that has one
// of everything that the model is made of, and a Swarm's manager.
func TestTheExporterKeepsWhatAllExportersPromise(t *testing.T) {
	engine := dockertest.Start(t)
	engine.Answer("/info", `{"Swarm":{"LocalNodeState":"active","ControlAvailable":true}}`)
	engine.Answer("/nodes", `[{"ID":"n","Spec":{"Role":"manager","Availability":"active"},"Status":{"State":"ready"},"ManagerStatus":{"Leader":true}}]`)
	for _, none := range []string{"/containers/json", "/services", "/tasks"} {
		engine.Answer(none, "[]")
	}
	state := []string{
		metrics.CollectorWorkloads, metrics.CollectorServices, metrics.CollectorPods, metrics.CollectorContainers,
		metrics.CollectorAutoscalers, metrics.CollectorJobs, metrics.CollectorNodes,
	}
	kubeStateMetrics, err := kube.Table()
	if err != nil {
		t.Fatal(err)
	}
	conformance.Run(t, conformance.Subject{
		Command: orchestrator.Command, Families: slices.Concat(metrics.Table(), kubeStateMetrics),
		Args:      []string{"--kubeconfig=" + startAPIServer(t, everyKind()), "--docker-host=" + engine.Host},
		Exercised: func(f *family.Family) bool { return slices.Contains(state, f.Collector) },
	})
}
