package containerd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/errdefs"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/image"
)

// Spec says what container to run. Zero values mean no limit, or the default
// that is named.
type Spec struct {
	// Namespace is containerd's: "default" when empty.
	Namespace string
	// ID is the container's id, unique in its namespace.
	ID string
	// Labels are the container's; Annotations those of its runtime
	// specification.
	Labels, Annotations map[string]string
	// Image is the image, the workload's when nil.
	Image *image.Image
	// Args follow the image's entrypoint: a verb of the workload.
	Args []string
	// Env are further variables, NAME=value.
	Env []string
	// MemoryLimit is in bytes.
	MemoryLimit int64
	// CPUQuota is in microseconds each CPUPeriod (100,000 when zero).
	CPUQuota  int64
	CPUPeriod uint64
	// CPUShares is the weight in version 1's terms: 1024 is one CPU.
	CPUShares uint64
	// PidsLimit is a number of tasks.
	PidsLimit int64
	// CgroupsPath is the path below each controller's mount point,
	// /NAMESPACE/ID when empty; with the driver systemd it is
	// SLICE:PREFIX:NAME, system.slice:NAMESPACE:ID when empty.
	CgroupsPath string
}

// Container is a started container.
type Container struct {
	// ID and Namespace are as in its Spec, with defaults filled in.
	ID, Namespace string
	// CgroupPath is the path below each controller's mount point.
	CgroupPath string
	// PID is the id of its init process, as the test sees it.
	PID int
	// Container and Task are containerd's own, for what is not covered here.
	Container client.Container
	Task      client.Task

	exit   <-chan client.ExitStatus
	groups cgroup.Groups
	output string
}

// Context is a context for calls to the client in a namespace.
func Context(ctx context.Context, namespace string) context.Context {
	return namespaces.WithNamespace(ctx, namespace)
}

// Run starts a container and returns once its init process runs; the test
// fails when it does not.
func (c *Containerd) Run(ctx context.Context, spec Spec) *Container {
	c.t.Helper()
	container, err := c.TryRun(ctx, spec)
	if err != nil {
		c.t.Fatalf("run container %s/%s: %v; the end of containerd's log:\n%s", spec.Namespace, spec.ID, err, c.daemon.Tail())
	}
	return container
}

// TryRun is Run for goroutines that are not the test's own.
func (c *Containerd) TryRun(ctx context.Context, spec Spec) (*Container, error) {
	if spec.Namespace == "" {
		spec.Namespace = namespaces.Default
	}
	if spec.CgroupsPath == "" {
		spec.CgroupsPath = c.cgroupsPath(spec)
	}
	if spec.Image == nil {
		spec.Image = c.workload
	}
	ctx = Context(ctx, spec.Namespace)
	path := cgroup.Scope(spec.CgroupsPath)
	c.ledger.Cgroup(path)
	container, err := c.create(ctx, spec)
	if err != nil {
		return nil, err
	}
	started := &Container{
		ID: spec.ID, Namespace: spec.Namespace, CgroupPath: path, Container: container,
		output: filepath.Join(c.dir, fmt.Sprintf("%s.%s.out", spec.Namespace, spec.ID)),
	}
	return started, c.start(ctx, started)
}

// cgroupsPath is the path of a container that asks for none.
func (c *Containerd) cgroupsPath(spec Spec) string {
	if c.driver == cgroup.Systemd {
		return "system.slice:" + spec.Namespace + ":" + spec.ID
	}
	return filepath.Join("/", spec.Namespace, spec.ID)
}

// create makes the container, without a process.
func (c *Containerd) create(ctx context.Context, spec Spec) (client.Container, error) {
	unpacked, err := c.ensure(ctx, spec.Image)
	if err != nil {
		return nil, err
	}
	container, err := c.Client.NewContainer(ctx, spec.ID,
		client.WithImage(unpacked),
		client.WithSnapshotter(snapshotter),
		client.WithNewSnapshot(spec.ID, unpacked),
		client.WithRuntime(plugins.RuntimeRuncV2, &options.Options{Root: c.runcRoot(), SystemdCgroup: c.driver == cgroup.Systemd}),
		client.WithNewSpec(specOpts(spec, unpacked)...),
		client.WithAdditionalContainerLabels(spec.Labels),
	)
	if err != nil {
		return nil, fmt.Errorf("create it: %w", err)
	}
	return container, nil
}

// runcRoot keeps runc's state apart from that of other containerds, which use
// /run/containerd/runc.
func (c *Containerd) runcRoot() string { return filepath.Join(c.dir, "runc") }

func specOpts(spec Spec, from client.Image) []oci.SpecOpts {
	opts := []oci.SpecOpts{
		oci.WithImageConfigArgs(from, spec.Args),
		oci.WithEnv(spec.Env),
		oci.WithAnnotations(spec.Annotations),
		oci.WithCgroup(spec.CgroupsPath),
	}
	if spec.MemoryLimit > 0 {
		opts = append(opts, oci.WithMemoryLimit(uint64(spec.MemoryLimit)))
	}
	if spec.CPUQuota > 0 {
		period := spec.CPUPeriod
		if period == 0 {
			period = 100_000
		}
		opts = append(opts, oci.WithCPUCFS(spec.CPUQuota, period))
	}
	if spec.CPUShares > 0 {
		opts = append(opts, oci.WithCPUShares(spec.CPUShares))
	}
	if spec.PidsLimit > 0 {
		opts = append(opts, oci.WithPidsLimit(spec.PidsLimit))
	}
	return opts
}

// start starts the container's init process.
func (c *Containerd) start(ctx context.Context, container *Container) error {
	task, err := container.Container.NewTask(ctx, cio.LogFile(container.output))
	if err != nil {
		return fmt.Errorf("create its task: %w", err)
	}
	container.Task, container.PID = task, int(task.Pid())
	c.ledger.Shim(c.bundle(container.Namespace, container.ID))
	// Of the process, which waits for its start in its cgroups already: they
	// stay where they are, the process may be gone soon.
	if container.groups, err = cgroup.Of(container.PID); err != nil {
		return err
	}
	// A context that outlives the caller's: Wait has its own.
	if container.exit, err = task.Wait(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("wait for its task: %w", err)
	}
	if err := task.Start(ctx); err != nil {
		return fmt.Errorf("start its task: %w", err)
	}
	return nil
}

// Cgroup is the directory of a controller's files for this container.
func (c *Container) Cgroup(controller string) string { return c.groups.Dir(controller) }

// Cgroups are the directories of all controllers.
func (c *Container) Cgroups() cgroup.Groups { return c.groups }

// Output is what the container has written so far, both streams; empty before
// it wrote anything.
func (c *Container) Output() string {
	content, _ := os.ReadFile(c.output)
	return string(content)
}

// Wait returns the exit status once the init process has ended: 137 when it
// was killed.
func (c *Container) Wait(ctx context.Context) (uint32, error) {
	select {
	case status := <-c.exit:
		if err := status.Error(); err != nil {
			return 0, fmt.Errorf("wait for container %s/%s: %w", c.Namespace, c.ID, err)
		}
		return status.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for container %s/%s: %w", c.Namespace, c.ID, context.Cause(ctx))
	}
}

// Kill sends a signal to the init process. A process that has ended already is
// no error.
func (c *Container) Kill(ctx context.Context, signal syscall.Signal) error {
	if err := c.Task.Kill(Context(ctx, c.Namespace), signal); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("send signal %v to container %s/%s: %w", signal, c.Namespace, c.ID, err)
	}
	return nil
}

// Remove kills the container and removes it with its snapshot and its cgroup.
func (c *Container) Remove(ctx context.Context) error {
	return remove(Context(ctx, c.Namespace), c.Container)
}
