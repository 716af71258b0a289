package docker

import (
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
)

func TestSwarm(t *testing.T) {
	d := Start(t, WithSwarm())
	t.Run("a service's containers carry Swarm's labels", func(t *testing.T) {
		web := d.CreateService(t.Context(), ServiceSpec{Name: "web", Stack: "shop", Replicas: 2, MemoryLimit: 32 * mebibyte})
		containers, err := web.Containers(within(t), 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range containers {
			inspected, err := c.Inspect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for label, want := range map[string]string{
				"com.docker.swarm.service.name": "shop_web",
				"com.docker.swarm.service.id":   web.ID,
				"com.docker.swarm.node.id":      d.NodeID,
				"com.docker.swarm.task.name":    c.Name,
				"com.docker.stack.namespace":    "shop",
			} {
				if got := inspected.Config.Labels[label]; got != want {
					t.Errorf("container %s has the label %s=%q, want %q", c.Name, label, got, want)
				}
			}
			v1(t, c)
			if got := value(t, c.Cgroup("memory"), "memory.limit_in_bytes"); got != 32*mebibyte {
				t.Errorf("memory limit of %s is %d, want 32 MiB", c.Name, got)
			}
		}
	})
	t.Run("a task on an overlay network runs", func(t *testing.T) {
		if _, err := d.Client.NetworkCreate(t.Context(), "backend", client.NetworkCreateOptions{Driver: "overlay"}); err != nil {
			t.Fatal(err)
		}
		service := d.CreateService(t.Context(), ServiceSpec{Name: "db", Networks: []string{"backend"}})
		if _, err := service.Containers(within(t), 1); err != nil {
			t.Error(err)
		}
	})
	t.Run("a global service runs once on the only node, with the daemon's network", func(t *testing.T) {
		service := d.CreateService(t.Context(), ServiceSpec{Name: "agent", Mode: Global, Networks: []string{"host"}})
		containers, err := service.Containers(within(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		actual, err := cgroup.Of(containers[0].PID)
		if err != nil || actual.Dir("memory") != containers[0].Cgroup("memory") {
			t.Errorf("its process is in %s (%v), the container says %s", actual.Dir("memory"), err, containers[0].Cgroup("memory"))
		}
	})
	t.Run("a job completes", func(t *testing.T) {
		job := d.CreateService(t.Context(), ServiceSpec{Name: "job", Mode: ReplicatedJob, Replicas: 2, Args: []string{"exit", "0"}})
		if _, err := job.Tasks(within(t), 2, swarm.TaskStateComplete); err != nil {
			t.Error(err)
		}
	})
	t.Run("a task that was killed is started again", func(t *testing.T) {
		service := d.CreateService(t.Context(), ServiceSpec{Name: "fails", RestartDelay: 100 * time.Millisecond})
		containers, err := service.Containers(within(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := containers[0].Kill(t.Context(), "SIGKILL"); err != nil {
			t.Fatal(err)
		}
		if _, err := service.Tasks(within(t), 1, swarm.TaskStateFailed); err != nil {
			t.Error(err)
		}
		if again, err := service.Containers(within(t), 1); err != nil || again[0].ID == containers[0].ID {
			t.Errorf("the containers are %v (%v), want one that is not %s", again, err, containers[0].ID)
		}
	})
}
