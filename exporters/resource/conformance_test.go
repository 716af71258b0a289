package resource_test

import (
	"path/filepath"
	"testing"

	"github.com/loadline-exporters/loadline/exporters/resource"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/conformance"
	"github.com/loadline-exporters/loadline/internal/family"
)

// TestTheExporterKeepsWhatAllExportersPromise runs on this machine's own kernel,
// with sockets that are not there.
func TestTheExporterKeepsWhatAllExportersPromise(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "nothing")
	conformance.Run(t, conformance.Subject{
		Command: resource.Command,
		Args: []string{
			"--containerd-address=" + nowhere, "--docker-host=unix://" + nowhere,
			"--kubelet-url=http://127.0.0.1:1", "--kubelet-token-file=" + nowhere, "--kubelet-ca-file=" + nowhere,
		},
		Families: metrics.Table(),
		Exercised: func(f *family.Family) bool {
			// What every Linux machine has.
			return f.Collector == "meminfo" && f.Name == "node_memory_MemTotal_bytes" || f.Collector == "loadavg" || f.Name == "node_cpu_seconds_total"
		},
	})
}
