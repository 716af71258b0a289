// Package cluster gives a test a Kubernetes of its own: the programs as they are
// published, built from the module proxy into the user's cache (the first time that
// takes some twenty minutes), with images made from scratch.
//
// StartControlPlane starts an API server on an etcd, with controllers when asked for,
// on loopback and without root. Start starts a whole cluster, with nodes that run
// pods, services that are reached by their addresses, and DNS. A test that uses them
// carries the build tag e2e and is run by `make e2e`.
package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/need"
)

const (
	// maxNodes is how many nodes a cluster can have.
	maxNodes = 3
	// pauseImage is the image of pods' sandboxes.
	pauseImage = "docker.io/loadline/cluster-pause:test"
	// coreDNSImage is CoreDNS'.
	coreDNSImage = "docker.io/loadline/coredns:" + CoreDNSVersion
	// criNamespace is containerd's namespace of what kubelets run.
	criNamespace = "k8s.io"
)

// Cluster is a Kubernetes with nodes. Its methods fail the test.
type Cluster struct {
	*ControlPlane
	Nodes []*Node

	ledger     *ledger.Ledger
	driver     cgroup.Driver
	network    *network
	registries string // the directory that containerd finds registries in
	images     []*image.Image
}

// Start starts a cluster, of one node unless options say otherwise, and waits until
// its nodes are ready and DNS is available. Nodes have the image of e2e/workload,
// image.DefaultName. The test's cleanup ends all of it, and fails the test if
// anything stays.
func Start(t testing.TB, options ...Option) *Cluster {
	t.Helper()
	need.Root(t)
	s := apply(options)
	s.controllers = true
	l := guarded(t)
	dir := l.Dir()
	c := &Cluster{ledger: l, driver: s.driver, network: newNetwork(t, dir), registries: filepath.Join(dir, "registries")}
	if err := os.Mkdir(c.registries, 0o755); err != nil {
		t.Fatal(err)
	}
	c.ControlPlane = startControlPlane(t, dir, c.network.addresses, s)
	c.images = []*image.Image{
		image.Workload(t, image.Spec{Name: pauseImage, Labels: map[string]string{"is": "pause"}, Env: []string{"WORKLOAD_LIFETIME=1000h"}}),
		image.Workload(t, image.Spec{}),
	}
	if s.services {
		c.images = append(c.images, dnsImage(t))
	}
	for i := range s.nodes {
		c.Nodes = append(c.Nodes, c.startNode(i))
	}
	if !s.services {
		return c
	}
	for _, node := range c.Nodes {
		node.startProxy(c)
	}
	c.startDNS(coreDNSImage)
	return c
}

// guarded is a ledger whose entries go even if the test is killed.
func guarded(t testing.TB) *ledger.Ledger {
	t.Helper()
	l := ledger.Open(t)
	l.Guard()
	return l
}

// nodeName is the name of the ith node.
func nodeName(i int) string { return fmt.Sprint("node-", i+1) }
