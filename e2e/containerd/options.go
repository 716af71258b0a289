package containerd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/need"
)

// settings are what options set.
type settings struct {
	cri     bool
	sandbox string
	subnet  string
	mirrors string
	inside  int
	ledger  *ledger.Ledger
	driver  cgroup.Driver
}

// Option changes how Start configures containerd.
type Option func(*settings)

// WithCRI enables the Kubernetes plugin. sandbox names the pause image, which
// must be imported into the namespace k8s.io before the first pod starts (RunPod
// imports Pause); CNI configuration is looked for in cni/net.d below containerd's
// root, programs in /usr/lib/cni. Pods of RunPod share the node's network and need
// neither.
func WithCRI(sandbox string) Option {
	return func(s *settings) { s.cri, s.sandbox = true, sandbox }
}

// WithPodNetworks gives pods that ask for it a network of their own, with eth0 and
// its peer on the node, as CNI's plugin ptp makes it. It goes with WithCRI.
func WithPodNetworks() Option {
	return WithPodSubnet("10.253.0.0/16")
}

// WithPodSubnet does so with addresses of a subnet.
func WithPodSubnet(subnet string) Option {
	return func(s *settings) { s.subnet = subnet }
}

// WithRegistries has a directory with a hosts.toml for each registry, as containerd
// documents it. It goes with WithCRI.
func WithRegistries(dir string) Option {
	return func(s *settings) { s.mirrors = dir }
}

// Inside starts containerd in the mount and network namespaces of a process. Paths
// of its directories must be the same there.
func Inside(pid int) Option {
	return func(s *settings) { s.inside = pid }
}

// InLedger has it and all of its containers in a ledger that is open already.
func InLedger(l *ledger.Ledger) Option {
	return func(s *settings) { s.ledger = l }
}

// networks writes the configuration of pods' networks. What programs of CNI keep in
// fixed places is checked for at the end like everything else.
func (c *Containerd) networks(subnet string) {
	need.Program(c.t, "/usr/lib/cni/ptp", "containernetworking-plugins")
	c.ledger.Shared("/var/lib/cni/results", "/var/lib/cni/cache/results", "/var/lib/cni/cache", "/var/lib/cni/networks", "/var/lib/cni", "/run/netns")
	dir := filepath.Join(c.dir, "root", "cni", "net.d")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		c.t.Fatal(err)
	}
	config := fmt.Sprintf(`{
  "cniVersion": "0.4.0", "name": %q,
  "plugins": [{
    "type": "ptp", "ipMasq": false,
    "ipam": {"type": "host-local", "subnet": %q, "dataDir": %q, "routes": [{"dst": "0.0.0.0/0"}]}
  }]
}`, filepath.Base(c.dir), subnet, filepath.Join(c.dir, "addresses"))
	if err := os.WriteFile(filepath.Join(dir, "10-pods.conflist"), []byte(config), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// WithDriver has control groups made by another driver than cgroupfs. Systemd must
// be the machine's init process.
func WithDriver(driver cgroup.Driver) Option {
	return func(s *settings) { s.driver = driver }
}

// config is the configuration file. What containerd would put outside of dir
// by default is put into it.
func (s settings) config(dir string) string {
	disabled := []string{
		"io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
		"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
		"io.containerd.internal.v1.opt", // makes /opt/containerd
	}
	if !s.cri {
		disabled = append(disabled, "io.containerd.grpc.v1.cri")
	}
	config := fmt.Sprintf(`version = 2
root = "%[1]s/root"
state = "%[1]s/state"
disabled_plugins = ["%[2]s"]
[grpc]
  address = "%[1]s/c.sock"
[ttrpc]
  address = "%[1]s/c.ttrpc"
`, dir, strings.Join(disabled, `", "`))
	if !s.cri {
		return config
	}
	// restrict_oom_score_adj: without CAP_SYS_RESOURCE runc may not lower
	// oom_score_adj to the -998 that a pod's sandbox asks for.
	// netns_mounts_under_state_dir: pods' networks go with the directory, even if the
	// test is killed.
	return config + fmt.Sprintf(`[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %[1]q
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "%[2]s/root/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = %[4]q
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "%[2]s/runc"
      SystemdCgroup = %[3]t
`, s.sandbox, dir, s.driver == cgroup.Systemd, s.mirrors)
}
