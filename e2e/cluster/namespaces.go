package cluster

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/need"
)

// hold makes namespaces what a node needs, says so, and keeps them. Its arguments are
// pairs: what is bound, and where.
const hold = `set -eu
mount --make-rshared /
while [ $# -gt 1 ]; do mount --bind "$1" "$2"; shift 2; done
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
echo held
exec sleep infinity`

// namespaces are a mount and a network namespace. They are kept by a process that
// does nothing else, and go with the last that runs in them: mounts and devices in
// them can't stay.
type namespaces struct {
	t      testing.TB
	daemon *daemon.Daemon
}

// newNamespaces makes them, with further mounts: what is bound, by where.
func newNamespaces(t testing.TB, name, dir string, binds map[string]string) *namespaces {
	t.Helper()
	need.Program(t, "nsenter", "util-linux")
	need.Program(t, "ip", "iproute2")
	args := []string{"--mount", "--net", "--propagation", "private", "sh", "-c", hold, filepath.Join(dir, name)}
	for place, bound := range binds {
		args = append(args, bound, place)
	}
	d, err := daemon.Start(daemon.Config{
		Program: need.Program(t, "unshare", "util-linux"), Args: args,
		Log: filepath.Join(dir, name+".log"),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Kill(); err != nil {
			t.Error(err)
		}
	})
	err = d.Ready(readyLimit, func() error {
		if !strings.HasSuffix(d.Tail(), "held") {
			return errors.New("it has not said that they are there")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return &namespaces{t: t, daemon: d}
}

// run runs a program in them.
func (n *namespaces) run(args ...string) {
	n.t.Helper()
	run(n.t, append([]string{"nsenter", "--target", strconv.Itoa(n.daemon.PID), "--mount", "--net", "--"}, args...)...)
}

// file is the network namespace's, for programs that want its path.
func (n *namespaces) file() string {
	return filepath.Join("/proc", strconv.Itoa(n.daemon.PID), "ns", "net")
}

func run(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
}
