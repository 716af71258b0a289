package resource

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// silent listens, accepts whoever comes, reads what they say and never answers, as
// a runtime does that hangs.
func silent(t *testing.T, network, address string) string {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(io.Discard, connection)
				_ = connection.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

// TestRuntimesThatNeverAnswer has every source hang from the start.
func TestRuntimesThatNeverAnswer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sysfs, root := ownTree(t)
	c := startChild(t, "nothing", "--path.sysfs="+sysfs,
		"--containerd-address="+silent(t, "unix", filepath.Join(dir, "containerd")),
		"--cri-address="+silent(t, "unix", filepath.Join(dir, "cri")),
		"--docker-host=unix://"+silent(t, "unix", filepath.Join(dir, "docker")),
		"--kubelet-url=https://"+silent(t, "tcp", "127.0.0.1:0"),
	)
	for _, name := range []string{"containerd", "cri", "docker", "kubelet"} {
		c.wantSource(t, name, "timeout")
	}
	// Asked again and again, they keep no more than they did.
	descriptors := c.descriptors(t)
	for i := range 3 {
		was := strings.Count(c.logs.String(), "\n")
		// A group that appears is a reason to ask.
		makeGroups(t, root, 1, func(int) string { return fmt.Sprintf("docker-%064x.scope", i) })
		x := c.mustScrape(t)
		if len(x.family("node_load1")) != 1 {
			t.Error("the node's own families are missing")
		}
		x.wantCollected(t)
		if now := strings.Count(c.logs.String(), "\n"); now > was+20 {
			t.Errorf("%d lines were logged meanwhile:\n%s", now-was, c.logs)
		}
	}
	wait.For(t, limit, "connections to be given back", func() error {
		if now := c.descriptors(t); now > descriptors+12 {
			return fmt.Errorf("%d descriptors are open, %d were", now, descriptors)
		}
		return nil
	})
}
