//go:build e2e

package cluster

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

var (
	keep  = flag.Bool("keep", false, "leave a cluster up until it is interrupted, and print where its kubeconfig is")
	nodes = flag.Int("nodes", 1, "the number of nodes of the cluster that is left up")
)

func TestTheClusterStaysUpUntilItIsInterrupted(t *testing.T) {
	if !*keep {
		t.Skip("run by make cluster")
	}
	c := Start(t, WithNodes(*nodes))
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(interrupted)
	fmt.Printf("\nexport KUBECONFIG=%s\n", c.Kubeconfig)
	for _, node := range c.Nodes {
		fmt.Printf("# %s: containerd at unix://%s, nsenter --target %d --mount --net\n", node.Name, node.Containerd.Address, node.daemon.PID)
	}
	fmt.Println("# Ctrl-C ends it.")
	<-interrupted
}
