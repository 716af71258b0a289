package resource

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

func (m *machine) comesAndGoes(t *testing.T) {
	ofDocker := m.docker.Run(t.Context(), docker.Spec{Name: "short"})
	m.exporter.wantPlaced(t, placed{path: ofDocker.CgroupPath, name: "short", image: image.DefaultName, namespace: "default", pod: "short",
		container: "short", workload: "short", workloadType: "container"})
	if err := ofDocker.Kill(t.Context(), "SIGTERM"); err != nil {
		t.Fatal(err)
	}
	if _, err := ofDocker.Wait(within(t)); err != nil {
		t.Fatal(err)
	}
	m.exporter.wantGone(t, ofDocker.CgroupPath)

	ofContainerd := m.containerd.Run(t.Context(), containerd.Spec{ID: "short"})
	m.exporter.shows(t, soon, ofContainerd.CgroupPath)
	if err := ofContainerd.Kill(t.Context(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := ofContainerd.Wait(within(t)); err != nil {
		t.Fatal(err)
	}
	// containerd keeps the cgroup of a task that has ended until it is deleted.
	if err := ofContainerd.Remove(within(t)); err != nil {
		t.Fatal(err)
	}
	m.exporter.wantGone(t, ofContainerd.CgroupPath)
}

func (m *machine) restart(t *testing.T) {
	c := m.docker.Run(t.Context(), docker.Spec{Name: "again"})
	began := processStarted(t, c.PID)
	m.exporter.wantStarted(t, c.CgroupPath, began)
	const name = "container_start_time_seconds"
	first := m.exporter.mustScrape(t).of(c.CgroupPath).value(name)
	wait.For(t, limit, "the container to be one second old", func() error {
		if age := time.Since(began); age < time.Second {
			return fmt.Errorf("it is %v old", age)
		}
		return nil
	})
	if _, err := m.docker.Client.ContainerRestart(within(t), c.ID, client.ContainerRestartOptions{}); err != nil {
		t.Fatal(err)
	}
	state, err := c.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	later := processStarted(t, state.State.Pid).Sub(began).Seconds()
	wait.For(t, soon, "the new start time", func() error {
		x, err := m.exporter.scrape()
		if err != nil {
			return err
		}
		if got := x.of(c.CgroupPath).value(name) - first; !(got > later-0.5 && got < later+0.5) {
			return fmt.Errorf("it is %.2f s later than the former, want %.2f", got, later)
		}
		return nil
	})
}
