package cluster

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/loadline-exporters/loadline/e2e/daemon"
)

// proxyConfig is a proxy's configuration: its kubeconfig, the node's name and address,
// and pods' addresses. It changes nothing of connection tracking, which is the
// machine's.
const proxyConfig = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: %[1]q}
hostnameOverride: %[2]q
bindAddress: %[3]q
healthzBindAddress: "%[3]s:10256"
metricsBindAddress: "%[3]s:10249"
clusterCIDR: %[4]q
detectLocalMode: ClusterCIDR
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
nftables: {minSyncPeriod: 100ms, syncPeriod: 30s}
`

// startProxy starts the node's proxy, which makes services' addresses those of pods.
func (n *Node) startProxy(c *Cluster) {
	n.t.Helper()
	config := filepath.Join(n.dir, "proxy.yaml")
	kubeconfig := c.WriteKubeconfig("kube-proxy", c.APIServer.config(c.APIServer.URL, proxy))
	content := fmt.Sprintf(proxyConfig, kubeconfig, n.Name, n.Address, c.addresses.pods)
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		n.t.Fatal(err)
	}
	url := "http://" + n.Address + ":10249"
	n.Proxy = n.Start("kube-proxy", url, daemon.Config{
		Program: kubernetesProgram("kube-proxy").Path(n.t),
		Args:    []string{"--config=" + config},
	}, func(ctx context.Context) error {
		return ok(ctx, http.DefaultClient, "http://"+n.Address+":10256/healthz")
	})
}
