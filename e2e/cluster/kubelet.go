package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/loadline-exporters/loadline/e2e/daemon"
)

// kubeletConfig is a kubelet's configuration: the directory of its own files, the
// cluster's certificate, containerd's socket, the node's cgroup, DNS' address and the driver of
// cgroups.
// No image is collected as garbage: none can be pulled again. Of a container whose memory
// is short one process is killed, on version 2 of control groups as on version 1, where
// the kubelet would have all of its processes killed.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: %[2]q}
authorization: {mode: Webhook}
containerRuntimeEndpoint: "unix://%[3]s"
cgroupDriver: %[6]s
cgroupRoot: %[4]q
clusterDNS: [%[5]q]
clusterDomain: cluster.local
resolvConf: ""
staticPodPath: "%[1]s/manifests"
volumePluginDir: "%[1]s/volume-plugins"
protectKernelDefaults: true
failSwapOn: false
failCgroupV1: false
singleProcessOOMKill: true
makeIPTablesUtilChains: false
oomScoreAdj: 0
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {nodefs.available: "1%%", nodefs.inodesFree: "1%%", imagefs.available: "1%%", memory.available: "50Mi"}
nodeStatusUpdateFrequency: 2s
nodeLeaseDurationSeconds: 12
serializeImagePulls: false
registryPullQPS: 0
eventRecordQPS: 0
`

// startKubelet starts the node's kubelet and waits until the node is ready.
func (n *Node) startKubelet(c *Cluster) {
	n.t.Helper()
	config := filepath.Join(n.dir, "kubelet.yaml")
	content := fmt.Sprintf(kubeletConfig, n.dir, c.APIServer.authority.path("ca.crt"), n.Containerd.Address,
		n.Cgroup, c.addresses.service(dnsService), c.driver)
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		n.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(n.dir, "manifests"), 0o755); err != nil {
		n.t.Fatal(err)
	}
	user := c.APIServer.config(c.APIServer.URL, nodeUser(n.Name))
	n.Kubelet = n.Start("kubelet", "https://"+n.Address+":10250", daemon.Config{
		Program: kubernetesProgram("kubelet").Path(n.t),
		Args: []string{
			"--config=" + config, "--kubeconfig=" + c.WriteKubeconfig(n.Name, user),
			"--hostname-override=" + n.Name, "--node-ip=" + n.Address,
			"--cert-dir=" + filepath.Join(n.dir, "kubelet-pki"),
		},
	}, func(ctx context.Context) error { return n.ready(ctx, c.ControlPlane) })
}
