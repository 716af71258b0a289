package containerd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/errdefs"
)

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
