// Package containerd gives a test a containerd of its own, with real
// containers in it, and takes all of it away again.
//
// Root, state and socket lie in a directory of the test's own, so that a
// containerd that the machine runs already is not touched. Shims keep their
// sockets in /run/containerd/s whatever the configuration says; they are
// checked for at the end like everything else.
package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/client"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const (
	// packages are the Debian packages of what is run here.
	packages = "containerd runc"
	// startLimit and stopLimit bound the daemon's start and stop, which take
	// some 100 ms on an idle machine.
	startLimit = 30 * time.Second
	stopLimit  = 30 * time.Second
	// cleanLimit bounds the removal of all containers.
	cleanLimit = 60 * time.Second
	// snapshotter is the one that users have.
	snapshotter = "overlayfs"
)

// Containerd is a running containerd.
type Containerd struct {
	// Address is the path of its socket.
	Address string
	// Root and State are its directories.
	Root, State string
	// Client is connected to it and belongs to no namespace: give its calls a
	// context of namespaces.WithNamespace, or of Context.
	Client *client.Client
	// PID is the daemon's process id.
	PID int

	t        testing.TB
	dir      string
	daemon   *daemon.Daemon
	ledger   *ledger.Ledger
	workload *image.Image
	driver   cgroup.Driver
	cri      bool
	imports  sync.Mutex

	pauseOnce  sync.Once
	pauseImage *image.Image
}

// Start starts a containerd and waits until it answers. The test's cleanup
// removes all containers, whoever made them, stops it, and fails the test if
// anything stays.
func Start(t testing.TB, options ...Option) *Containerd {
	t.Helper()
	need.Root(t)
	program := need.Program(t, "containerd", packages)
	need.Program(t, "runc", packages)
	need.Program(t, "containerd-shim-runc-v2", packages)
	o := settings{driver: cgroup.Cgroupfs}
	for _, option := range options {
		option(&o)
	}
	c := &Containerd{t: t, workload: image.Workload(t, image.Spec{}), driver: o.driver, cri: o.cri}
	if c.ledger = o.ledger; c.ledger == nil {
		c.ledger = ledger.Open(t)
	}
	c.ledger.Shared("/run/containerd/s", "/run/containerd")
	c.dir = c.ledger.Dir()
	c.Address = filepath.Join(c.dir, "c.sock")
	if o.subnet != "" {
		c.networks(o.subnet)
	}
	c.Root, c.State = filepath.Join(c.dir, "root"), filepath.Join(c.dir, "state")
	config := filepath.Join(c.dir, "config.toml")
	if err := os.WriteFile(config, []byte(o.config(c.dir)), 0o600); err != nil {
		t.Fatalf("write containerd's configuration: %v", err)
	}
	var err error
	c.daemon, err = daemon.Start(daemon.Config{
		Program: program,
		Args:    []string{"--config", config},
		Log:     filepath.Join(c.dir, "log"),
		Inside:  o.inside,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.PID = c.daemon.PID
	t.Cleanup(c.stop)
	c.connect()
	return c
}

// connect makes the client and waits until the daemon answers.
func (c *Containerd) connect() {
	c.t.Helper()
	connection, err := client.New(c.Address)
	if err != nil {
		c.t.Fatalf("make a client for containerd at %s: %v", c.Address, err)
	}
	c.Client = connection
	c.ready()
}

func (c *Containerd) ready() {
	c.t.Helper()
	err := c.daemon.Ready(startLimit, func() error {
		if _, err := os.Stat(c.Address); err != nil {
			return err // else the client would back off for seconds
		}
		ctx, cancel := context.WithTimeout(context.Background(), wait.Limit(time.Second))
		defer cancel()
		serving, err := c.Client.IsServing(ctx)
		if err == nil && !serving {
			err = fmt.Errorf("containerd at %s says that it is not serving", c.Address)
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// Kill kills the daemon and leaves its sockets behind. Containers run on.
func (c *Containerd) Kill() {
	c.t.Helper()
	if err := c.daemon.Kill(); err != nil {
		c.t.Fatal(err)
	}
}

// Restart starts a daemon again that was killed, and waits until it answers.
func (c *Containerd) Restart() {
	c.t.Helper()
	if err := c.daemon.Restart(); err != nil {
		c.t.Fatal(err)
	}
	c.PID = c.daemon.PID
	c.ready()
}

// stop removes all containers and ends the daemon. The ledger, which closes
// after it, checks that nothing is left.
func (c *Containerd) stop() {
	if c.Client != nil {
		ctx, cancel := context.WithTimeout(context.Background(), wait.Limit(cleanLimit))
		defer cancel()
		if err := errors.Join(c.removePods(ctx), c.removeAll(ctx)); err != nil {
			c.t.Errorf("%v; the end of containerd's log:\n%s", err, c.daemon.Tail())
		}
		if err := c.Client.Close(); err != nil {
			c.t.Errorf("close the client of containerd: %v", err)
		}
	}
	if err := c.daemon.Stop(stopLimit); err != nil {
		c.t.Error(err)
	}
}
