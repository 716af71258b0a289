package bench

import (
	"fmt"
	"sync"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/containerd"
)

// A pod is a sandbox that waits, as pause does, and a container that works a little.
const containersOfPod = 2

// cluster is this machine as a node: a containerd with pods that were started by
// CRI, each in a network of its own.
type cluster struct {
	*containerd.Containerd
	pods int
}

func newCluster(b *testing.B) *cluster {
	return &cluster{Containerd: containerd.Start(b, containerd.WithCRI(containerd.Pause), containerd.WithPodNetworks())}
}

func (c *cluster) containers() int { return c.pods * containersOfPod }

// grow starts pods until there are so many.
func (c *cluster) grow(b *testing.B, pods int) {
	b.Helper()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i := c.pods; i < pods; i++ {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c.pod(b, i)
		})
	}
	wg.Wait()
	c.pods = pods
	b.Logf("%d containers run", c.containers())
}

func (c *cluster) pod(b *testing.B, i int) {
	pod := c.RunPodOf(b.Context(), containerd.PodSpec{
		Namespace: fmt.Sprintf("team-%d", i%6), Name: fmt.Sprintf("web-%d", i), UID: fmt.Sprintf("%08d-6d0b-4c9f-9f5e-2d1b6a4c8e01", i),
		Labels:     map[string]string{"app.kubernetes.io/name": "web", "app.kubernetes.io/part-of": "shop"},
		OwnNetwork: true,
	})
	pod.RunContainer(b.Context(), containerd.ContainerSpec{
		Name: "app", Args: []string{"pulse", "1"}, Env: map[string]string{"WORKLOAD_LIFETIME": "2h"},
		MemoryLimit: 64 << 20, CPUQuota: 50_000, CPUPeriod: 100_000, CPUShares: 256,
	})
}
