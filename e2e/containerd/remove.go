package containerd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// removePods removes the pods that somebody else has left, as a kubelet that ended
// does: a pod's containers have one shim, which ends with the sandbox.
func (c *Containerd) removePods(ctx context.Context) error {
	if !c.cri {
		return nil
	}
	conn, err := c.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	client := runtimeapi.NewRuntimeServiceClient(conn)
	answer, err := client.ListPodSandbox(ctx, &runtimeapi.ListPodSandboxRequest{})
	if err != nil {
		return fmt.Errorf("list the pods that are left: %w", err)
	}
	pods, ctx := errgroup.WithContext(ctx)
	for _, sandbox := range answer.GetItems() {
		pods.Go(func() error {
			// Again where it fails: a container may be ending.
			err := wait.Until(ctx, func() error {
				_, err := client.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: sandbox.GetId()})
				if err == nil {
					_, err = client.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: sandbox.GetId()})
				}
				return err
			})
			if err != nil {
				return fmt.Errorf("remove pod %s: %w", sandbox.GetMetadata().GetName(), err)
			}
			return nil
		})
	}
	return pods.Wait()
}

// dial makes a connection for CRI.
func (c *Containerd) dial() (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("unix://"+c.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("make a CRI client for %s: %w", c.Address, err)
	}
	return conn, nil
}

// removeAll removes the containers of all namespaces.
func (c *Containerd) removeAll(ctx context.Context) error {
	names, err := c.Client.NamespaceService().List(ctx)
	if err != nil {
		return fmt.Errorf("list containerd's namespaces: %w", err)
	}
	var problems []error
	for _, name := range names {
		ctx := Context(ctx, name)
		containers, err := c.Client.Containers(ctx)
		if err != nil {
			problems = append(problems, fmt.Errorf("list the containers of namespace %s: %w", name, err))
			continue
		}
		for _, container := range containers {
			problems = append(problems, remove(ctx, container))
		}
	}
	return errors.Join(problems...)
}

// remove kills a container and removes it with its task and snapshot. What is
// gone already is no error.
func remove(ctx context.Context, container client.Container) error {
	task, err := container.Task(ctx, nil)
	if err == nil {
		_, err = task.Delete(ctx, client.WithProcessKill)
	}
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove the task of container %s: %w", container.ID(), err)
	}
	if err := container.Delete(ctx, client.WithSnapshotCleanup); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove container %s: %w", container.ID(), err)
	}
	return nil
}

// bundle is the directory in which containerd keeps a task's files.
func (c *Containerd) bundle(namespace, id string) string {
	return filepath.Join(c.State, "io.containerd.runtime.v2.task", namespace, id)
}
