// Package prometheus asks a Prometheus, and gives a test one of its own as it is
// published.
package prometheus

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/program"
)

// Version is the one that e2e/prometheus/program/go.mod pins, of the module v0.316.0.
const Version = "3.16.0"

// startLimit bounds its start, stopLimit its end.
const (
	startLimit = time.Minute
	stopLimit  = time.Minute
)

// published is Prometheus with the service discoveries of files, HTTP and Kubernetes:
// those of clouds are most of what it is built of.
func published() program.Published {
	return program.Published{
		Name: "prometheus", Version: Version,
		Module: "e2e/prometheus/program", Package: "github.com/prometheus/prometheus/cmd/prometheus",
		Tags: "remove_all_sd,enable_kubernetes_sd",
	}
}

// Start starts a Prometheus on loopback with a configuration, and waits until it is
// ready. The test's cleanup ends it.
func Start(t testing.TB, config string) API {
	t.Helper()
	dir := ledger.Open(t).Dir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprint("127.0.0.1:", daemon.FreePorts(t, "127.0.0.1", 1)[0])
	d, err := daemon.Start(daemon.Config{
		Program: published().Path(t),
		Args: []string{
			"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + address,
		},
		Log: filepath.Join(t.ArtifactDir(), "prometheus.log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(stopLimit); err != nil {
			t.Error(err)
		}
	})
	api := API{Address: "http://" + address + "/"}
	if err := d.Ready(startLimit, daemon.Answers(api.Address+"-/ready")); err != nil {
		t.Fatal(err)
	}
	return api
}
