//go:build e2e

// Package rules proves the recording rules and alerts on what real exporters say of a
// real cluster: two replicas of each, two published Prometheus, one of which tells
// clusters apart, and the kubelet's own series beside.
package rules

import (
	_ "embed" // testdata
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/peers"
	"github.com/loadline-exporters/loadline/e2e/program"
	"github.com/loadline-exporters/loadline/e2e/prometheus"
)

// limit bounds what is waited for: what should be there is known a minute after it was
// asked for, a tenth of the ten that rules wait for elsewhere.
const limit = 4 * time.Minute

// scraping is a Prometheus' configuration, as the shipped ones have it: rules, the
// orchestrator exporter's replicas, the resource exporter's.
const scraping = `
global: {scrape_interval: %[1]s, scrape_timeout: %[1]s, evaluation_interval: %[1]s}
rule_files: [%[2]q]
scrape_configs:
- job_name: orchestrator
  honor_labels: true
  static_configs: [{targets: [%[3]s], labels: {%[5]s}}]
- job_name: resource
  honor_labels: true
  static_configs: [{targets: [%[4]s], labels: {node: node-1, %[5]s}}]
`

// scrapingKubelet adds one of the kubelet's paths, whose families have names of ours.
const scrapingKubelet = `- job_name: kubelet%[1]s
  scheme: https
  metrics_path: %[1]s
  honor_labels: true
  honor_timestamps: false
  authorization: {credentials: %[2]q}
  tls_config: {insecure_skip_verify: true}
  static_configs: [{targets: [%[3]q], labels: {node: node-1, %[4]s}}]
`

// manifests are what runs. Their readiness is asked of a server of the test, by its
// address and port.
//
//go:embed testdata/manifests.yaml
var manifests string

// world is a cluster with what looks at it.
type world struct {
	*cluster.Cluster
	t       *testing.T
	servers []server
	// ready is whether the pods of workload down say that they are.
	ready atomic.Bool
}

// server is a Prometheus, with the name that it gives the cluster.
type server struct {
	prometheus.API
	cluster string
}

// newWorld starts the cluster, its workloads and what looks at them.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, Cluster: cluster.Start(t)}
	w.ready.Store(true)
	node := w.Nodes[0]
	resource, orchestrator := program.Own(t, "cmd/resource-exporter"), program.Own(t, "cmd/orchestrator-exporter")
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(w.Config.BearerToken), 0o600); err != nil {
		t.Fatal(err)
	}
	var resources, orchestrators []string
	for range 2 {
		resources = append(resources, address(peers.ExporterAt(t, resource, node.Containerd.Address, "--kubelet-url="+node.Kubelet.URL,
			"--kubelet-token-file="+token, "--kubelet-insecure-skip-verify", "--node-name="+node.Name, "--kubeconfig="+w.Kubeconfig)))
		orchestrators = append(orchestrators, address(peers.OrchestratorAt(t, orchestrator, w.Kubeconfig, "--docker-host=unix:///nowhere/docker.sock")))
	}
	rules := hurried(t)
	for _, name := range []string{"", "real"} {
		label := ""
		if name != "" {
			label = "cluster: " + name
		}
		config := fmt.Sprintf(scraping, interval, rules, strings.Join(orchestrators, ", "), strings.Join(resources, ", "), label)
		for _, path := range []string{"/metrics/resource", "/metrics/cadvisor"} {
			config += fmt.Sprintf(scrapingKubelet, path, w.Config.BearerToken, strings.TrimPrefix(node.Kubelet.URL, "https://"), label)
		}
		w.servers = append(w.servers, server{cluster: name, API: prometheus.Start(t, config)})
	}
	host, port := w.serveReadiness()
	w.Create(t.Context(), fmt.Sprintf(manifests, host, port))
	return w
}

func address(p *peers.Program) string { return fmt.Sprintf("%q", strings.TrimPrefix(p.URL, "http://")) }

// serveReadiness answers the kubelet's question whether the pods of down are ready,
// where the node reaches it: beside the API server.
func (w *world) serveReadiness() (host, port string) {
	w.t.Helper()
	api, err := url.Parse(w.Config.Host)
	if err != nil {
		w.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(api.Hostname(), "0"))
	if err != nil {
		w.t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		if !w.ready.Load() {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	done := make(chan error)
	go func() { done <- s.Serve(listener) }()
	w.t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	host, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	return host, port
}
