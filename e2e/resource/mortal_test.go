package resource

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	containerdclient "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// mortal is a Docker daemon, with a containerd of its own, that can be killed and
// started again while its containers run on (live-restore).
type mortal struct {
	host, containerdAddress string

	config daemon.Config
	daemon *daemon.Daemon
	client *client.Client
	ledger *ledger.Ledger
	image  *image.Image
	exec   string // its exec root
}

// startMortal starts one. The test's cleanup removes its containers and stops it.
func startMortal(t *testing.T) *mortal {
	t.Helper()
	const packages = "docker.io containerd runc"
	program := need.Program(t, "dockerd", packages)
	need.Program(t, "containerd", packages)
	need.Program(t, "runc", packages)
	m := &mortal{ledger: ledger.Open(t), image: image.Workload(t, image.Spec{})}
	m.ledger.SharedCgroup("/docker")
	m.ledger.Shared("/run/docker/plugins", "/run/docker", "/run/containerd/s", "/run/containerd",
		"/opt/containerd/bin", "/opt/containerd/lib", "/opt/containerd")
	dir := m.ledger.Dir()
	m.host, m.exec = "unix://"+filepath.Join(dir, "d.sock"), filepath.Join(dir, "exec")
	m.containerdAddress = filepath.Join(m.exec, "containerd", "containerd.sock")
	file := filepath.Join(dir, "daemon.json")
	content := fmt.Sprintf(`{"deprecated-key-path": %q}`, filepath.Join(dir, "key.json"))
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	m.config = daemon.Config{
		Program: program, Log: filepath.Join(dir, "log"),
		Args: []string{
			"--config-file", file, "--data-root", filepath.Join(dir, "root"), "--exec-root", m.exec,
			"--pidfile", filepath.Join(dir, "pid"), "--host", m.host, "--group", "root", "--live-restore",
			"--exec-opt", "native.cgroupdriver=cgroupfs", "--storage-driver", "overlay2", "--oom-score-adjust=0",
			"--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false", "--userland-proxy=false",
		},
	}
	var err error
	if m.client, err = client.New(client.WithHost(m.host)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.end(t) })
	m.start(t)
	answer, err := m.client.ImageLoad(t.Context(), bytes.NewReader(m.image.Archive), client.ImageLoadWithQuiet(true))
	if err != nil {
		t.Fatalf("load the image: %v", err)
	}
	defer answer.Close()
	if _, err := io.Copy(io.Discard, answer); err != nil {
		t.Fatalf("load the image: %v", err)
	}
	return m
}

// start starts the daemon and waits until it answers.
func (m *mortal) start(t *testing.T) {
	t.Helper()
	var err error
	if m.daemon, err = daemon.Start(m.config); err != nil {
		t.Fatal(err)
	}
	err = m.daemon.Ready(2*limit, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), wait.Limit(time.Second))
		defer cancel()
		_, err := m.client.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// kill kills the daemon and its containerd, which ends with it, and leaves their
// sockets behind.
func (m *mortal) kill(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(m.daemon.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-m.daemon.Ended()
	wait.For(t, limit, "containerd to end", func() error {
		if pid, err := os.ReadFile(filepath.Join(m.exec, "containerd", "containerd.pid")); err == nil {
			if _, err := os.Stat(filepath.Join("/proc", strings.TrimSpace(string(pid)))); err == nil {
				return fmt.Errorf("process %s is there", pid)
			}
		}
		return nil
	})
}

// run starts a container and returns its cgroup's path.
func (m *mortal) run(t *testing.T, name string) string {
	t.Helper()
	created, err := m.client.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Name:       name,
		Config:     &container.Config{Image: m.image.Name},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	if err != nil {
		t.Fatalf("create container %s: %v; the end of dockerd's log:\n%s", name, err, m.daemon.Tail())
	}
	path := "/docker/" + created.ID
	m.ledger.Cgroup(path)
	if _, err := m.client.ContainerStart(t.Context(), created.ID, client.ContainerStartOptions{}); err != nil {
		t.Fatalf("start container %s: %v; the end of dockerd's log:\n%s", name, err, m.daemon.Tail())
	}
	m.ledger.Shim(filepath.Join(m.exec, "containerd", "daemon", "io.containerd.runtime.v2.task", "moby", created.ID))
	return path
}

// runInContainerd starts a container of which only containerd knows.
func (m *mortal) runInContainerd(t *testing.T, id string) string {
	t.Helper()
	ctx := namespaces.WithNamespace(t.Context(), namespaces.Default)
	c, err := containerdclient.New(m.containerdAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Import(ctx, bytes.NewReader(m.image.Archive)); err != nil {
		t.Fatalf("import the image: %v", err)
	}
	found, err := c.GetImage(ctx, m.image.Name)
	if err == nil {
		err = found.Unpack(ctx, "overlayfs")
	}
	if err != nil {
		t.Fatalf("unpack the image: %v", err)
	}
	path := "/" + namespaces.Default + "/" + id
	m.ledger.Cgroup(path)
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
	m.ledger.Shim(filepath.Join(m.exec, "containerd", "daemon", "io.containerd.runtime.v2.task", namespaces.Default, id))
	return path
}

// end removes the containers and stops the daemon.
func (m *mortal) end(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), wait.Limit(2*limit))
	defer cancel()
	if m.daemon == nil {
		return
	}
	if err := m.removeAll(ctx); err != nil {
		t.Errorf("%v; the end of dockerd's log:\n%s", err, m.daemon.Tail())
	}
	if err := m.daemon.Stop(2 * limit); err != nil {
		t.Error(err)
	}
	// dockerd leaves the network namespace that it keeps for the host's, and one
	// that was killed the mount of its data directory on itself.
	_ = syscall.Unmount(filepath.Join(m.exec, "netns", "default"), 0)
	_ = syscall.Unmount(filepath.Join(filepath.Dir(m.exec), "root"), 0)
}

func (m *mortal) removeAll(ctx context.Context) error {
	list, err := m.client.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return fmt.Errorf("list the containers: %w", err)
	}
	for _, c := range list.Items {
		if _, err := m.client.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true}); err != nil {
			return fmt.Errorf("remove container %s: %w", c.ID, err)
		}
	}
	ctx = namespaces.WithNamespace(ctx, namespaces.Default)
	c, err := containerdclient.New(m.containerdAddress)
	if err != nil {
		return err
	}
	defer c.Close()
	containers, err := c.Containers(ctx)
	if err != nil {
		return fmt.Errorf("list containerd's containers: %w", err)
	}
	for _, made := range containers {
		task, err := made.Task(ctx, nil)
		if err == nil {
			_, err = task.Delete(ctx, containerdclient.WithProcessKill)
		}
		if err == nil {
			err = made.Delete(ctx, containerdclient.WithSnapshotCleanup)
		}
		if err != nil {
			return fmt.Errorf("remove containerd's container %s: %w", made.ID(), err)
		}
	}
	return nil
}

// group is a control group that no container has. That it appears wakes whoever
// watches the tree.
type group struct{ dir string }

func newCgroup(t *testing.T) group {
	t.Helper()
	groups, err := cgroup.At(fmt.Sprintf("/loadline-e2e-%d", time.Now().UnixNano()))
	if err != nil {
		t.Fatal(err)
	}
	g := group{groups.Dir("memory")}
	t.Cleanup(func() { _ = syscall.Rmdir(g.dir) })
	g.again(t)
	return g
}

// again makes it anew.
func (g group) again(t *testing.T) {
	t.Helper()
	_ = syscall.Rmdir(g.dir)
	if err := os.Mkdir(g.dir, 0o700); err != nil {
		t.Fatal(err)
	}
}
