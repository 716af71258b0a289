package resource

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	containerdclient "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"

	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/ledger"
)

// runInContainerd starts a container of which only Docker's containerd knows, and
// returns its cgroup's path. The ledger is opened before Docker is started.
func runInContainerd(t *testing.T, d *docker.Docker, l *ledger.Ledger, id string) string {
	t.Helper()
	from := image.Workload(t, image.Spec{})
	ctx := namespaces.WithNamespace(t.Context(), namespaces.Default)
	c, err := containerdclient.New(d.ContainerdAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Import(ctx, bytes.NewReader(from.Archive)); err != nil {
		t.Fatalf("import the image: %v", err)
	}
	found, err := c.GetImage(ctx, from.Name)
	if err == nil {
		err = found.Unpack(ctx, "overlayfs")
	}
	if err != nil {
		t.Fatalf("unpack the image: %v", err)
	}
	path := "/" + namespaces.Default + "/" + id
	l.Cgroup(path)
	made, err := c.NewContainer(ctx, id, containerdclient.WithImage(found), containerdclient.WithSnapshotter("overlayfs"),
		containerdclient.WithNewSnapshot(id, found), containerdclient.WithNewSpec(oci.WithImageConfig(found), oci.WithCgroup(path)))
	if err != nil {
		t.Fatalf("create container %s: %v", id, err)
	}
	task, err := made.NewTask(ctx, cio.NullIO)
	if err == nil {
		err = task.Start(ctx)
	}
	if err != nil {
		t.Fatalf("start container %s: %v", id, err)
	}
	t.Cleanup(func() { // before Docker, and its containerd, stops
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		c, err := containerdclient.New(d.ContainerdAddress)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		made, err := c.LoadContainer(ctx, id)
		if err == nil {
			task, err = made.Task(ctx, nil)
		}
		if err == nil {
			_, err = task.Delete(ctx, containerdclient.WithProcessKill)
		}
		if err == nil {
			err = made.Delete(ctx, containerdclient.WithSnapshotCleanup)
		}
		if err != nil {
			t.Errorf("remove containerd's container %s: %v", id, err)
		}
	})
	l.Shim(filepath.Join(d.ExecRoot, "containerd", "daemon", "io.containerd.runtime.v2.task", namespaces.Default, id))
	return path
}
