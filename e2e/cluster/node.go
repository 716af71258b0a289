package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/ledger"
)

// Node is a machine of the cluster as far as one can be had within another: mount and
// network namespaces of its own, with a containerd, a kubelet and a proxy. What they
// keep in fixed places (/var/lib/kubelet, /var/log, /run/containerd) is the node's.
type Node struct {
	// Name is the node's, Address where it is reached.
	Name, Address string
	// Cgroup is the path of the control group that kubepods is in, / on other nodes.
	Cgroup     string
	Containerd *containerd.Containerd
	Kubelet    *Part
	Proxy      *Part

	t     testing.TB
	dir   string
	index int
	*namespaces
	network *network
}

// kernelSettings are those that a kubelet wants of the machine (its --protect-kernel-
// defaults). It finds them as it wants them, in files of its own: the machine's are
// left alone.
var kernelSettings = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// startNode starts the ith node and waits until it is ready.
func (c *Cluster) startNode(i int) *Node {
	c.t.Helper()
	l := c.ledger
	n := &Node{
		Name: nodeName(i), Address: c.network.node(i), t: c.t,
		dir: l.Dir(), index: i, network: c.network,
	}
	n.makeCgroup(l, c.driver)
	n.namespaces = newNamespaces(c.t, n.Name, n.dir, n.binds(l))
	var others []*namespaces
	for _, other := range c.Nodes {
		others = append(others, other.namespaces)
	}
	c.network.join(i, n.namespaces, others)
	n.Containerd = containerd.Start(c.t, containerd.WithCRI(pauseImage), containerd.WithPodSubnet(c.network.podsOf(i)),
		containerd.WithRegistries(c.registries), containerd.Inside(n.daemon.PID), containerd.InLedger(l), containerd.WithDriver(c.driver))
	// Where the kubelet's cAdvisor looks for it, whatever the kubelet is told.
	if err := os.Symlink(n.Containerd.Address, filepath.Join(n.own("/run/containerd"), "containerd.sock")); err != nil {
		c.t.Fatal(err)
	}
	for _, i := range c.images {
		n.Containerd.Import(context.Background(), criNamespace, i)
	}
	n.startKubelet(c)
	return n
}

// Start runs a program on the node, and waits until it is ready.
func (n *Node) Start(name, url string, config daemon.Config, ready func(context.Context) error) *Part {
	n.t.Helper()
	config.Inside = n.daemon.PID
	p := start(n.t, name+"-"+n.Name, url, config, ready)
	p.Name = name
	return p
}

// Disconnect pulls the node's cable out: nothing on it ends, nobody reaches it.
func (n *Node) Disconnect() {
	n.t.Helper()
	n.network.plug(n.index, "down")
}

// Connect puts the cable in again.
func (n *Node) Connect() {
	n.t.Helper()
	n.network.plug(n.index, "up")
}

// binds are the places that the node has for itself.
func (n *Node) binds(l *ledger.Ledger) map[string]string {
	n.t.Helper()
	binds := map[string]string{}
	for _, place := range []string{"/var/lib/kubelet", "/var/lib/cni", "/var/log", "/run/containerd"} {
		own := n.own(place)
		l.Shared(place)
		for _, dir := range []string{own, place} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				n.t.Fatal(err)
			}
		}
		binds[place] = own
	}
	for name, value := range kernelSettings {
		own := filepath.Join(n.dir, filepath.Base(name))
		if err := os.WriteFile(own, []byte(value), 0o600); err != nil {
			n.t.Fatal(err)
		}
		binds[filepath.Join("/proc/sys", name)] = own
	}
	return binds
}

// own is the directory that the node has in a place.
func (n *Node) own(place string) string {
	return filepath.Join(n.dir, strings.ReplaceAll(place[1:], "/", "-"))
}

// makeCgroup makes the control group that the kubelet has for all of its own, so that
// kubelets of one machine don't take each other's for orphans. With systemd's driver
// it is the root.
func (n *Node) makeCgroup(l *ledger.Ledger, driver cgroup.Driver) {
	n.t.Helper()
	if driver == cgroup.Systemd {
		n.Cgroup = "/"
		n.t.Cleanup(func() { run(n.t, "systemctl", "stop", "kubepods.slice") })
		return
	}
	n.Cgroup = "/" + filepath.Base(n.dir)
	l.Cgroup(n.Cgroup)
	groups, err := cgroup.At(n.Cgroup)
	if err != nil {
		n.t.Fatal(err)
	}
	for _, dir := range groups {
		if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
			n.t.Fatal(err)
		}
	}
	n.t.Cleanup(func() {
		for _, dir := range groups.Existing() {
			if err := cgroup.Remove(dir); err != nil {
				n.t.Error(err)
			}
		}
	})
}

// ready says whether the node is, as the API server has it.
func (n *Node) ready(ctx context.Context, p *ControlPlane) error {
	node, err := p.Client.CoreV1().Nodes().Get(ctx, n.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
			return nil
		}
	}
	return fmt.Errorf("node %s is not ready: %+v", n.Name, node.Status.Conditions)
}
