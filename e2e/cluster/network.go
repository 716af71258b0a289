package cluster

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// network joins nodes and this machine: each has a cable to a bridge in a network
// namespace of its own. Nothing of this machine's own network changes but that it
// has one more device, by which it reaches nodes, pods and services.
type network struct {
	addresses

	t    testing.TB
	hub  *namespaces
	name string // of this machine's device
}

// Where the addresses of a cluster are in its 10.N.0.0/16: the machines', pods' by
// node, and services'.
const (
	machines = 0
	pods     = 64
	services = 240
)

// newNetwork makes a network that nobody is on.
func newNetwork(t testing.TB, dir string) *network {
	t.Helper()
	second := unused(t)
	n := &network{t: t, name: filepath.Base(dir), addresses: addresses{
		host:     fmt.Sprintf("10.%d.%d.1", second, machines),
		pods:     netip.PrefixFrom(netip.AddrFrom4([4]byte{10, second, pods}), 18),
		services: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, second, services}), 20),
	}}
	n.hub = newNamespaces(t, "network", dir, nil)
	n.hub.run("ip", "link", "add", "bridge", "type", "bridge")
	n.hub.run("ip", "link", "set", "bridge", "up")
	n.cable(n.name, n.name, nil)
	t.Cleanup(func() { run(t, "ip", "link", "delete", n.name) })
	run(t, "ip", "address", "add", n.host+"/24", "dev", n.name)
	run(t, "ip", "link", "set", n.name, "up")
	// Any node forwards to services.
	run(t, "ip", "route", "add", n.services.String(), "via", n.node(0))
	return n
}

// cable puts a device into a machine's namespace, or this machine's own, whose other
// end is a port of the bridge.
func (n *network) cable(port, device string, machine *namespaces) {
	n.t.Helper()
	namespace := fmt.Sprintf("/proc/%d/ns/net", os.Getpid())
	if machine != nil {
		namespace = machine.file()
	}
	n.hub.run("ip", "link", "add", port, "type", "veth", "peer", "name", device, "netns", namespace)
	n.hub.run("ip", "link", "set", port, "master", "bridge", "up")
}

// join gives the ith node its address, and everybody else the way to its pods.
func (n *network) join(i int, node *namespaces, others []*namespaces) {
	n.t.Helper()
	n.cable(nodeName(i), "eth0", node)
	node.run("ip", "address", "add", n.node(i)+"/24", "dev", "eth0")
	node.run("ip", "link", "set", "eth0", "up")
	node.run("ip", "route", "add", "default", "via", n.host)
	way := []string{"ip", "route", "add", n.podsOf(i), "via", n.node(i)}
	run(n.t, way...)
	for j, other := range others {
		other.run(way...)
		node.run("ip", "route", "add", n.podsOf(j), "via", n.node(j))
	}
}

// plug pulls the ith node's cable out and puts it in again.
func (n *network) plug(i int, state string) {
	n.t.Helper()
	n.hub.run("ip", "link", "set", nodeName(i), state)
}

// node is the ith node's address.
func (n *network) node(i int) string {
	a := n.pods.Addr().As4()
	return netip.AddrFrom4([4]byte{a[0], a[1], machines, byte(i + 2)}).String()
}

// podsOf are the addresses of the pods of the ith node.
func (n *network) podsOf(i int) string {
	a := n.pods.Addr().As4()
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{a[0], a[1], pods + byte(i)}), 24).String()
}

// unused is the N of a 10.N.0.0/16 that no device of this machine has.
func unused(t testing.TB) byte {
	t.Helper()
	taken, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatalf("list this machine's addresses: %v", err)
	}
	for i := range 100 {
		n := byte(128 + (os.Getpid()+i)%100) // tests that start at once try others first
		prefix := fmt.Sprintf("10.%d.", n)
		free := true
		for _, address := range taken {
			free = free && !strings.HasPrefix(address.String(), prefix)
		}
		if free {
			return n
		}
	}
	t.Fatal("find addresses for a cluster: all of 10.128.0.0/16 to 10.227.0.0/16 are taken")
	return 0
}
