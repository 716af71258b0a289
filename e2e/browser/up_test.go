package browser

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/up"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// world is a part of this machine that is the test's own: a cgroup that its
// containers are made in, and a view of /sys that shows no other.
type world struct {
	parent string // as Docker's CgroupParent
	sysfs  string
	nobody string // a loopback address where nobody listens
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{parent: fmt.Sprintf("/loadline-page-%d-%d", os.Getpid(), time.Now().UnixNano()%1e6), sysfs: t.TempDir(), nobody: closedAddress(t)}
	ledger.Open(t).SharedCgroup(w.parent)
	link := func(from, to string, except ...string) {
		entries, err := os.ReadDir(from)
		if err = errors.Join(err, os.MkdirAll(to, 0o755)); err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if len(except) > 0 && e.Name() == except[0] {
				continue
			}
			if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	link("/sys", w.sysfs, "fs")
	link("/sys/fs", filepath.Join(w.sysfs, "fs"), "cgroup")
	w.linkCgroups(t, filepath.Join(w.sysfs, "fs/cgroup"))
	return w
}

// linkCgroups makes the cgroup and a directory that shows it where a machine has
// the root of the hierarchies.
func (w *world) linkCgroups(t testing.TB, dir string) {
	t.Helper()
	mounts, err := cgroup.Mounts()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, mount := range mounts {
		group := filepath.Join(mount, w.parent)
		if err := os.Mkdir(group, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
		link := filepath.Join(dir, filepath.Base(mount))
		if filepath.Base(mount) == "cgroup" { // version 2 alone: the root itself
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
			link = dir
		}
		if err := os.Symlink(group, link); err != nil && !errors.Is(err, os.ErrExist) {
			t.Fatal(err)
		}
	}
}

// closedAddress is a loopback address that refuses connections: its port is taken,
// and nobody listens.
func closedAddress(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open a socket: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatalf("take a loopback port: %v", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatalf("find the port that was taken: %v", err)
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

// args are those of a `loadline up` that sees the world alone.
func (w *world) args(t testing.TB, dataDir, docker, containerd string) []string {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	content := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: none
contexts: [{name: none, context: {cluster: none}}]
clusters: [{name: none, cluster: {server: "https://%s"}}]
`, w.nobody)
	if err := os.WriteFile(kubeconfig, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"--web.listen-address=127.0.0.1:0", "--data-dir=" + dataDir, "--scrape-interval=2s",
		"--path.sysfs=" + w.sysfs, "--docker-host=" + docker, "--containerd-address=" + containerd,
		"--kubelet-url=https://" + w.nobody, "--kubeconfig=" + kubeconfig,
	}
}

// nowhere is a socket that is not there.
func nowhere(t testing.TB) string { return filepath.Join(t.TempDir(), "no.sock") }

func TestSecondStartContinuesWithTheData(t *testing.T) {
	t.Parallel()
	w, data := newWorld(t), t.TempDir()
	args := w.args(t, data, "unix://"+nowhere(t), nowhere(t))
	const samples = `count_over_time(node_memory_MemTotal_bytes{job="resource"}[1h])`
	first := up.Start(t, args...)
	wait.For(t, limit, "two samples", func() error {
		n, err := first.Query(samples, time.Time{})
		if err == nil && n < 2 {
			err = fmt.Errorf("there are %v", n)
		}
		return err
	})
	before := first.Value(t, samples)
	at := time.Now()
	if code := first.Stop(); code != 0 {
		t.Fatalf("the first ended with status %d: %s", code, first.Stderr)
	}

	second := up.Start(t, args...)
	wait.For(t, limit, "the first run's samples", func() error {
		n, err := second.Query(samples, at)
		if err == nil && n < before {
			err = fmt.Errorf("%v of %v", n, before)
		}
		return err
	})
	wait.For(t, limit, "new samples beside them", func() error {
		n, err := second.Query(samples, time.Time{})
		if err == nil && n <= before {
			err = fmt.Errorf("%v of more than %v", n, before)
		}
		return err
	})
}

func TestSecondAtOnceIsToldWhatIsInUse(t *testing.T) {
	t.Parallel()
	w, data := newWorld(t), t.TempDir()
	args := w.args(t, data, "unix://"+nowhere(t), nowhere(t))
	first := up.Start(t, args...)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, test := range map[string]struct {
		args []string
		want string // in the message
	}{
		"the data directory": {args, data},
		"the port": {
			append(w.args(t, t.TempDir(), "unix://"+nowhere(t), nowhere(t))[1:], "--web.listen-address="+taken.Addr().String()),
			taken.Addr().String(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := up.Launch(make(chan []string, 1), test.args...)
			select {
			case code := <-p.Ended:
				p.Ended <- code
				if code != 1 {
					t.Errorf("the exit code is %d, want 1", code)
				}
			case <-time.After(limit):
				t.Errorf("it goes on")
			}
			p.Stop()
			if text := p.Stderr.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, test.want) {
				t.Errorf("it says %q, want one line that names %s", text, test.want)
			}
		})
	}
	// The first is none the worse for it.
	if v := first.Value(t, `up{job="resource"}`); v != 1 {
		t.Errorf("up is %v", v)
	}
}
