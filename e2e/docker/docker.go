// Package docker gives a test a Docker daemon of its own, with real containers
// and, when asked for, a real Swarm of one node, and takes all of it away
// again.
//
// Data, state and socket lie in a directory of the test's own, and the host's
// network is not touched: no bridge, no iptables, no forwarding.
package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const (
	// packages are the Debian packages of what is run here.
	packages = "docker.io containerd runc"
	// startLimit and stopLimit bound the daemon's start and stop.
	startLimit = 60 * time.Second
	stopLimit  = 60 * time.Second
	// cleanLimit bounds the removal of all containers.
	cleanLimit = 60 * time.Second
	// cgroupParent is where Docker puts containers that say nothing else, with
	// its cgroup driver cgroupfs, and cgroupSlice with systemd.
	cgroupParent = "/docker"
	cgroupSlice  = "system.slice"
)

// Docker is a running Docker daemon.
type Docker struct {
	// Host is its address, unix://PATH, as in DOCKER_HOST.
	Host string
	// DataRoot is what is /var/lib/docker elsewhere, ExecRoot /var/run/docker.
	DataRoot, ExecRoot string
	// ContainerdAddress is the socket of the containerd that it manages; its
	// containers are in the namespace moby.
	ContainerdAddress string
	// Client is connected to it.
	Client *client.Client
	// PID is the daemon's process id.
	PID int
	// NodeID is the Swarm node's id, empty without WithSwarm.
	NodeID string

	t        testing.TB
	daemon   *daemon.Daemon
	ledger   *ledger.Ledger
	workload *image.Image
	driver   cgroup.Driver
}

// Start starts a Docker daemon that has the workload image, and waits until
// it answers. The test's cleanup leaves the Swarm, removes all containers,
// whoever made them, stops the daemon, and fails the test if anything stays.
func Start(t testing.TB, options ...Option) *Docker {
	t.Helper()
	need.Root(t)
	program := need.Program(t, "dockerd", packages)
	need.Program(t, "containerd", packages)
	need.Program(t, "runc", packages)
	o := settings{driver: cgroup.Cgroupfs}
	for _, option := range options {
		option(&o)
	}
	d := &Docker{t: t, workload: image.Workload(t, image.Spec{}), ledger: ledger.Open(t), driver: o.driver}
	if d.driver == cgroup.Cgroupfs {
		d.ledger.SharedCgroup(cgroupParent)
	}
	d.ledger.Shared("/run/docker/plugins", "/run/docker", "/run/containerd/s", "/run/containerd",
		"/opt/containerd/bin", "/opt/containerd/lib", "/opt/containerd")
	dir := d.ledger.Dir()
	d.Host = "unix://" + filepath.Join(dir, "d.sock")
	d.DataRoot, d.ExecRoot = filepath.Join(dir, "root"), filepath.Join(dir, "exec")
	d.ContainerdAddress = filepath.Join(d.ExecRoot, "containerd", "containerd.sock")
	d.launch(program, dir, o)
	d.connect()
	d.LoadImage(t.Context(), d.workload)
	if o.swarm {
		d.initSwarm()
	}
	return d
}

// launch starts the program.
func (d *Docker) launch(program, dir string, o settings) {
	d.t.Helper()
	// Without a file dockerd reads /etc/docker/daemon.json; without this key
	// it writes /etc/docker/key.json.
	config := filepath.Join(dir, "daemon.json")
	content := fmt.Sprintf(`{"deprecated-key-path": %q}`, filepath.Join(dir, "key.json"))
	if err := os.WriteFile(config, []byte(content), 0o600); err != nil {
		d.t.Fatalf("write dockerd's configuration: %v", err)
	}
	args := []string{
		"--config-file", config, "--data-root", d.DataRoot, "--exec-root", d.ExecRoot,
		"--pidfile", filepath.Join(dir, "pid"), "--host", d.Host, "--group", "root",
		"--exec-opt", "native.cgroupdriver=" + string(o.driver), "--storage-driver", "overlay2",
		"--bridge=none", "--iptables=false", "--ip-forward=false", "--ip-masq=false", "--userland-proxy=false",
		// The default, -500, is refused without CAP_SYS_RESOURCE.
		"--oom-score-adjust=0",
	}
	if o.liveRestore {
		args = append(args, "--live-restore")
	}
	var err error
	d.daemon, err = daemon.Start(daemon.Config{Program: program, Args: args, Log: filepath.Join(dir, "log"), OwnNetwork: o.ownNetwork})
	if err != nil {
		d.t.Fatal(err)
	}
	d.PID = d.daemon.PID
	d.t.Cleanup(d.stop)
}

// connect makes the client and waits until the daemon answers.
func (d *Docker) connect() {
	d.t.Helper()
	connection, err := client.New(client.WithHost(d.Host))
	if err != nil {
		d.t.Fatalf("make a client for Docker at %s: %v", d.Host, err)
	}
	d.Client = connection
	d.ready()
}

func (d *Docker) ready() {
	d.t.Helper()
	err := d.daemon.Ready(startLimit, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := d.Client.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// Kill kills the daemon and, with it, its containerd, and leaves their sockets
// behind. Containers run on with WithLiveRestore alone.
func (d *Docker) Kill() {
	d.t.Helper()
	if err := d.daemon.Kill(); err != nil {
		d.t.Fatal(err)
	}
	wait.For(d.t, stopLimit, "dockerd's containerd to end", func() error {
		if pid, err := os.ReadFile(filepath.Join(filepath.Dir(d.ContainerdAddress), "containerd.pid")); err == nil {
			if _, err := os.Stat(filepath.Join("/proc", strings.TrimSpace(string(pid)))); err == nil {
				return fmt.Errorf("process %s is there", pid)
			}
		}
		return nil
	})
}

// Restart starts a daemon again that was killed, and waits until it answers.
func (d *Docker) Restart() {
	d.t.Helper()
	if err := d.daemon.Restart(); err != nil {
		d.t.Fatal(err)
	}
	d.PID = d.daemon.PID
	d.ready()
}

// stop removes all containers and ends the daemon. The ledger, which closes
// after it, checks that nothing is left.
func (d *Docker) stop() {
	if d.Client != nil {
		ctx, cancel := context.WithTimeout(context.Background(), wait.Limit(cleanLimit))
		defer cancel()
		if err := d.removeAll(ctx); err != nil {
			d.t.Errorf("%v; the end of dockerd's log:\n%s", err, d.daemon.Tail())
		}
		if err := d.Client.Close(); err != nil {
			d.t.Errorf("close the client of Docker: %v", err)
		}
	}
	if err := d.daemon.Stop(stopLimit); err != nil {
		d.t.Error(err)
	}
	if err := d.unmountNamespaces(); err != nil {
		d.t.Error(err)
	}
	// One that was killed leaves the mount of its data directory on itself.
	_ = syscall.Unmount(d.DataRoot, 0)
}

// unmountNamespaces unmounts the network namespaces that dockerd itself
// leaves: the host's always, once a container had it, and those of overlay
// networks when it stops before it has noticed that it left the Swarm.
func (d *Docker) unmountNamespaces() error {
	dir := filepath.Join(d.ExecRoot, "netns")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list dockerd's network namespaces: %w", err)
	}
	for _, entry := range entries {
		// EINVAL: not mounted, as most are by then.
		if err := syscall.Unmount(filepath.Join(dir, entry.Name()), 0); err != nil && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("unmount the network namespace %s of %s: %w", entry.Name(), dir, err)
		}
	}
	return nil
}

// fatal fails the test with the end of the daemon's log.
func (d *Docker) fatal(err error) {
	d.t.Helper()
	d.t.Fatalf("%v; the end of dockerd's log:\n%s", err, d.daemon.Tail())
}
