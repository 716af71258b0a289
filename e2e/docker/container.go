package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// Spec says what container to run. Zero values mean no limit, or the default
// that is named.
type Spec struct {
	// Name is the container's name; Docker invents one when empty.
	Name string
	// Labels are the container's; Compose gives its project and service as
	// com.docker.compose.project and com.docker.compose.service.
	Labels map[string]string
	// Image is a loaded image's name, the workload's when empty.
	Image string
	// Args follow the image's entrypoint: a verb of the workload.
	Args []string
	// Env are further variables, NAME=value.
	Env []string
	// MemoryLimit and MemoryReservation are in bytes.
	MemoryLimit, MemoryReservation int64
	// CPUQuota is in microseconds each CPUPeriod (100,000 when zero).
	CPUQuota, CPUPeriod int64
	// CPUShares is the weight in version 1's terms: 1024 is one CPU.
	CPUShares int64
	// PidsLimit is a number of tasks.
	PidsLimit int64
	// CgroupParent is the cgroup path that the container's own is made in,
	// /docker when empty; with the driver systemd it is a slice's name,
	// system.slice when empty.
	CgroupParent string
	// Network is the network mode, "none" when empty.
	Network string
	// AutoRemove has Docker remove the container at its end.
	AutoRemove bool
	// PIDs is the mode of the PID namespace, such as "container:ID"; one of its own
	// when empty.
	PIDs string
	// CgroupNamespace is "host" or "private"; Docker's default when empty.
	CgroupNamespace string
	// Health is the health check, none when nil.
	Health *container.HealthConfig
	// Restart is the restart policy, "no" when its name is empty.
	Restart container.RestartPolicy
}

// Container is a started container.
type Container struct {
	// ID is the full id; Name the name without the API's leading slash.
	ID, Name string
	// PID is the id of its init process, as the test sees it; 0 when it had
	// ended before it could be asked for.
	PID int
	// CgroupPath is the path below each controller's mount point.
	CgroupPath string

	groups cgroup.Groups
	docker *client.Client
}

// Run starts a container and returns once its init process was started; the
// test fails when it does not.
func (d *Docker) Run(ctx context.Context, spec Spec) *Container {
	d.t.Helper()
	started, err := d.TryRun(ctx, spec)
	if err != nil {
		d.fatal(fmt.Errorf("run container %s: %w", spec.Name, err))
	}
	return started
}

// TryRun is Run for goroutines that are not the test's own.
func (d *Docker) TryRun(ctx context.Context, spec Spec) (*Container, error) {
	if spec.Image == "" {
		spec.Image = d.workload.Name
	}
	if spec.Network == "" {
		spec.Network = "none"
	}
	created, err := d.Client.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name:       spec.Name,
		Config:     &container.Config{Image: spec.Image, Cmd: spec.Args, Env: spec.Env, Labels: spec.Labels, Healthcheck: spec.Health},
		HostConfig: hostConfig(spec),
	})
	if err != nil {
		return nil, fmt.Errorf("create it: %w", err)
	}
	d.ledger.Cgroup(d.cgroupPath(spec.CgroupParent, created.ID))
	if _, err := d.Client.ContainerStart(ctx, created.ID, client.ContainerStartOptions{}); err != nil {
		return nil, fmt.Errorf("start it: %w", err)
	}
	c, err := d.container(ctx, created.ID)
	if spec.AutoRemove && errdefs.IsNotFound(err) {
		return &Container{ID: created.ID, Name: spec.Name, CgroupPath: filepath.Join(spec.CgroupParent, created.ID), docker: d.Client}, nil
	}
	return c, err
}

func hostConfig(spec Spec) *container.HostConfig {
	config := &container.HostConfig{
		NetworkMode: container.NetworkMode(spec.Network),
		AutoRemove:  spec.AutoRemove, RestartPolicy: spec.Restart,
		PidMode:      container.PidMode(spec.PIDs),
		CgroupnsMode: container.CgroupnsMode(spec.CgroupNamespace),
		Resources: container.Resources{
			Memory:            spec.MemoryLimit,
			MemoryReservation: spec.MemoryReservation,
			CPUQuota:          spec.CPUQuota,
			CPUPeriod:         spec.CPUPeriod,
			CPUShares:         spec.CPUShares,
			CgroupParent:      spec.CgroupParent,
		},
	}
	if spec.PidsLimit > 0 {
		config.PidsLimit = &spec.PidsLimit
	}
	return config
}

// container describes a container that exists, and notes what it may leave.
func (d *Docker) container(ctx context.Context, id string) (*Container, error) {
	inspected, err := d.Client.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, fmt.Errorf("inspect container %s: %w", id, err)
	}
	found := inspected.Container
	c := &Container{
		ID: found.ID, Name: filepath.Base(found.Name), PID: found.State.Pid,
		CgroupPath: d.cgroupPath(found.HostConfig.CgroupParent, found.ID), docker: d.Client,
	}
	d.ledger.Cgroup(c.CgroupPath)
	d.ledger.Shim(filepath.Join(d.ExecRoot, "containerd", "daemon", "io.containerd.runtime.v2.task", "moby", c.ID))
	c.groups, err = cgroup.At(c.CgroupPath)
	return c, err
}

// cgroupPath is the path of a container's group, with the driver's parent when it
// asks for none.
func (d *Docker) cgroupPath(parent, id string) string {
	if d.driver == cgroup.Systemd {
		if parent == "" {
			parent = cgroupSlice
		}
		return cgroup.Scope(parent + ":docker:" + id)
	}
	if parent == "" {
		parent = cgroupParent
	}
	return filepath.Join(parent, id)
}

// Cgroup is the directory of a controller's files for this container.
func (c *Container) Cgroup(controller string) string { return c.groups.Dir(controller) }

// Cgroups are the directories of all controllers.
func (c *Container) Cgroups() cgroup.Groups { return c.groups }

// Inspect is what Docker says of the container now.
func (c *Container) Inspect(ctx context.Context) (container.InspectResponse, error) {
	answer, err := c.docker.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if err != nil {
		return container.InspectResponse{}, fmt.Errorf("inspect container %s: %w", c.Name, err)
	}
	return answer.Container, nil
}

// Output is what the container has written so far, both streams.
func (c *Container) Output(ctx context.Context) (string, error) {
	logs, err := c.docker.ContainerLogs(ctx, c.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true})
	if err != nil {
		return "", fmt.Errorf("read the logs of container %s: %w", c.Name, err)
	}
	defer logs.Close()
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, logs); err != nil {
		return "", fmt.Errorf("read the logs of container %s: %w", c.Name, err)
	}
	return out.String(), nil
}

// Wait returns the exit status once the init process has ended: 137 when it
// was killed.
func (c *Container) Wait(ctx context.Context) (int64, error) {
	answer := c.docker.ContainerWait(ctx, c.ID, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case status := <-answer.Result:
		if status.Error != nil {
			return 0, fmt.Errorf("wait for container %s: %s", c.Name, status.Error.Message)
		}
		return status.StatusCode, nil
	case err := <-answer.Error:
		return 0, fmt.Errorf("wait for container %s: %w", c.Name, err)
	}
}

// WaitRemoved returns once the container is removed, or has ended and Docker gave up
// removing it, as it does when something holds the file system. It asks again and again:
// the engine's own wait misses a removal that happens while it begins.
func (c *Container) WaitRemoved(ctx context.Context) error {
	err := wait.Until(ctx, func() error {
		answer, err := c.docker.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
		switch {
		case errdefs.IsNotFound(err):
			return nil
		case err != nil:
			return err
		}
		if state := answer.Container.State; !state.Dead {
			return fmt.Errorf("it is %s", state.Status)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("wait until container %s is removed: %w", c.Name, err)
	}
	return nil
}

// Kill sends a signal, such as "SIGTERM", to the init process.
func (c *Container) Kill(ctx context.Context, signal string) error {
	if _, err := c.docker.ContainerKill(ctx, c.ID, client.ContainerKillOptions{Signal: signal}); err != nil {
		return fmt.Errorf("send %s to container %s: %w", signal, c.Name, err)
	}
	return nil
}

// Remove kills the container and removes it with its volumes.
func (c *Container) Remove(ctx context.Context) error {
	return remove(ctx, c.docker, c.ID)
}

// remove takes a container that is gone, or that Docker removes just now, for
// removed.
func remove(ctx context.Context, docker *client.Client, id string) error {
	_, err := docker.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
		return fmt.Errorf("remove container %s: %w", id, err)
	}
	return nil
}

// removeAll leaves the Swarm, which removes its tasks, and removes all other
// containers.
func (d *Docker) removeAll(ctx context.Context) error {
	all := client.ContainerListOptions{All: true}
	found, err := d.Client.ContainerList(ctx, all)
	if err != nil {
		return fmt.Errorf("list Docker's containers: %w", err)
	}
	for _, c := range found.Items {
		// Not found: a task that ends just now.
		if _, err := d.container(ctx, c.ID); err != nil && !errdefs.IsNotFound(err) {
			return err
		}
	}
	var problems []error
	if d.NodeID != "" {
		if _, err := d.Client.SwarmLeave(ctx, client.SwarmLeaveOptions{Force: true}); err != nil {
			problems = append(problems, fmt.Errorf("leave the Swarm: %w", err))
		}
	}
	err = wait.Until(ctx, func() error {
		left, err := d.Client.ContainerList(ctx, all)
		if err == nil && len(left.Items) > 0 {
			err = fmt.Errorf("%d containers are left", len(left.Items))
		}
		for _, c := range left.Items {
			err = errors.Join(err, remove(ctx, d.Client, c.ID))
		}
		return err
	})
	if err != nil {
		problems = append(problems, fmt.Errorf("remove Docker's containers: %w", err))
	}
	return errors.Join(problems...)
}
