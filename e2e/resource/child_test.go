package resource

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/output"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/resource"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// child is an exporter in a process of its own, so that its memory and descriptors
// can be counted, and with mounts and a /proc of its own, so that what is mounted
// for it is seen by nobody else and goes with it.
type child struct {
	*exporter
	pid int
	// input is read by what was set up for the child.
	input io.Closer
}

// childVariable says what is set up for a child, by its name in setups.
const childVariable = "LOADLINE_E2E_CHILD"

// setups are what can be set up in a child before its exporter starts. dir is a
// directory that is its own, input ends when the test closes it.
var setups = map[string]func(dir string, input io.Reader) error{
	"nothing":     func(string, io.Reader) error { return nil },
	"many mounts": mountMany,
	"hung mount":  mountHung,
}

// startChild starts an exporter for which something was set up, and waits until it
// has asked all its sources, which are absent unless args say where they are. The
// test fails unless it ends well.
func startChild(t *testing.T, setup string, args ...string) *child {
	t.Helper()
	need.Root(t)
	nowhere := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"--web.listen-address": "127.0.0.1:0", "--containerd-address": nowhere, "--cri-address": nowhere,
		"--docker-host": "unix://" + nowhere, "--kubelet-url": "https://" + closedAddress(t),
	} {
		if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, name+"=") }) {
			args = append(args, name+"="+value)
		}
	}
	command := exec.Command("/proc/self/exe", args...)
	command.Env = append(os.Environ(), childVariable+"="+setup, "TMPDIR="+t.TempDir())
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL, Setpgid: true,
	}
	c := &child{exporter: &exporter{t: t, logs: &output.Buffer{}}}
	command.Stderr = c.logs
	var err error
	if c.input, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		// The kernel ends the child when the thread ends that started it (prctl(2)), as
		// threads do in which other tests have entered namespaces.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := command.Start()
		started <- err
		if err == nil {
			ended <- command.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatalf("start an exporter in namespaces of its own: %v", err)
	}
	c.pid = command.Process.Pid
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		// It says where it hangs if it does not end.
		hangs := time.AfterFunc(wait.Limit(limit), func() { _ = command.Process.Signal(syscall.SIGQUIT) })
		defer hangs.Stop()
		if err := <-ended; err != nil {
			t.Errorf("the exporter ended with %v; its log:\n%s", err, c.logs)
		}
	})
	address, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the exporter does not say where it listens: %v; its log:\n%s", err, c.logs)
	}
	c.url = "http://" + strings.TrimSpace(address)
	c.waitReady(t)
	return c
}

// childMain is the child's main: it returns the exit status.
func childMain(setup string, args []string) int {
	dir, err := isolate()
	if err == nil {
		err = setups[setup](dir, os.Stdin)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "set up %s: %v\n", setup, err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	command := resource.Command()
	command.Listening = func(addresses []string) { fmt.Println(addresses[0]) }
	return serve.Main(ctx, command, args, io.Discard, os.Stderr)
}

// isolate keeps mounts to this mount namespace and shows the processes of this
// process namespace alone. It returns a directory to mount in.
func isolate() (string, error) {
	if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
		return "", fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return "", fmt.Errorf("mount proc: %w", err)
	}
	return os.MkdirTemp("", "mounts")
}

// descriptors counts the child's open files.
func (c *child) descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// memory is a field of the child's status in bytes: VmRSS, or its peak VmHWM
// (proc_pid_status(5)).
func (c *child) memory(t *testing.T, field string) int {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == field+":" {
			kibibytes, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return kibibytes << 10
		}
	}
	t.Fatalf("process %d has no %s", c.pid, field)
	return 0
}
