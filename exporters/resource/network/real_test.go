package network

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/internal/source"
)

// pausedIn starts a process in a network namespace of its own and returns its PID.
func pausedIn(t testing.TB) string {
	t.Helper()
	need.Root(t)
	c := exec.Command("sleep", "600")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return strconv.Itoa(c.Process.Pid)
}

// realPods are pods that exist as no more than a process each, in a network namespace
// with a loopback device.
type realPods struct {
	*machine
	pid map[string]string // by the pod's name
}

func newRealPods(t testing.TB, names ...string) *realPods {
	r := &realPods{machine: &machine{t: t, procfs: "/proc", pids: map[string][]int{}}, pid: map[string]string{}}
	for _, name := range names {
		pid := pausedIn(t)
		number, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		r.kubernetes(name, "", number)
		r.pid[name] = pid
		r.in(name, loopbackUp)
	}
	return r
}

// in runs f in a pod's namespace: what it opens belongs there.
func (r *realPods) in(name string, f func() error) {
	r.t.Helper()
	done := make(chan error)
	go func() {
		done <- visit(func(v *visitor) error {
			if err := v.enterOf(unix.AT_FDCWD, filepath.Join("/proc", r.pid[name], "ns/net")); err != nil {
				return err
			}
			return f()
		})
	}()
	if err := <-done; err != nil {
		r.t.Fatalf("in pod %s: %v", name, err)
	}
}

// ip runs iproute2's program in the network namespace of a process.
func ip(t testing.TB, pid string, args ...string) {
	t.Helper()
	program := need.Program(t, "ip", "iproute2")
	c := exec.Command("nsenter", append([]string{"--net=/proc/" + pid + "/ns/net", program}, args...)...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// listen listens in a pod.
func (r *realPods) listen(name, address string) (l net.Listener) {
	r.t.Helper()
	r.in(name, func() (err error) {
		l, err = (&net.ListenConfig{}).Listen(r.t.Context(), "tcp", address)
		return err
	})
	r.t.Cleanup(func() { l.Close() })
	return l
}

// connect connects in a pod over a loopback address and returns both ends.
func (r *realPods) connect(name string, l net.Listener) (client, server net.Conn) {
	r.t.Helper()
	to := l.Addr().(*net.TCPAddr)
	if to.IP.IsUnspecified() {
		to.IP = net.IPv4(127, 0, 0, 1)
	}
	r.in(name, func() (err error) {
		client, err = (&net.Dialer{}).DialContext(r.t.Context(), "tcp", to.String())
		return err
	})
	server, err := l.Accept()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, server
}

func (r *realPods) connections() *Connections {
	return &Connections{Namespaces: r.namespaces(), Source: source.New("sockets")}
}

// listenShort listens on loopback with a queue of one, and never accepts.
func (r *realPods) listenShort(name string) (port int) {
	r.t.Helper()
	r.in(name, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		r.t.Cleanup(func() { _ = unix.Close(fd) })
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			return err
		}
		at, err := unix.Getsockname(fd)
		if err != nil {
			return err
		}
		port = at.(*unix.SockaddrInet4).Port
		return unix.Listen(fd, 1)
	})
	return port
}

// begin begins to connect to a port of loopback, and does not wait.
func (r *realPods) begin(name string, port int) {
	r.t.Helper()
	r.in(name, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		r.t.Cleanup(func() { _ = unix.Close(fd) })
		if err := unix.Connect(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != unix.EINPROGRESS {
			return fmt.Errorf("connect: %w", err)
		}
		return nil
	})
}
