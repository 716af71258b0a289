package orchestrator_test

import (
	"slices"
	"testing"

	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/internal/conformance"
	"github.com/loadline-exporters/loadline/internal/family"
)

// TestTheExporterKeepsWhatAllExportersPromise runs beside an API server that has one
// of everything that the model is made of.
func TestTheExporterKeepsWhatAllExportersPromise(t *testing.T) {
	state := []string{
		metrics.CollectorWorkloads, metrics.CollectorServices, metrics.CollectorPods, metrics.CollectorContainers,
		metrics.CollectorAutoscalers, metrics.CollectorJobs, metrics.CollectorNodes,
	}
	conformance.Run(t, conformance.Subject{
		Command: orchestrator.Command, Args: []string{"--kubeconfig=" + startAPIServer(t, everyKind())}, Families: metrics.Table(),
		Exercised: func(f *family.Family) bool { return slices.Contains(state, f.Collector) },
	})
}
