//go:build e2e

package prometheus

import (
	"fmt"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cluster"
)

// discovers scrapes the pods of DNS that it finds by the API server of a kubeconfig.
const discovers = `
global: {scrape_interval: 1s}
scrape_configs:
- job_name: coredns
  kubernetes_sd_configs: [{role: pod, kubeconfig_file: %q, namespaces: {names: [kube-system]}}]
  relabel_configs:
  - {source_labels: [__meta_kubernetes_pod_container_port_name], regex: metrics, action: keep}
  - {source_labels: [__meta_kubernetes_pod_node_name], target_label: node}
`

func TestPrometheusScrapesWhatItDiscoversInACluster(t *testing.T) {
	c := cluster.Start(t)
	p := Start(t, fmt.Sprintf(discovers, c.Kubeconfig))
	if n := p.Value(t, `count(coredns_build_info{job="coredns", node="node-1", version="`+cluster.CoreDNSVersion+`"})`); n != 1 {
		t.Errorf("%v pods of DNS are scraped, want 1", n)
	}
}
