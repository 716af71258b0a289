//go:build e2e

package cluster

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// child is the variable by which a test tells a process that it starts to start a
// cluster, whose directories are all in TMPDIR, and what then: to end, or to wait until
// it is interrupted.
const child = "LOADLINE_E2E_CHILD"

func TestAClusterLeavesNothing(t *testing.T) {
	switch os.Getenv(child) {
	case "ends":
		Start(t, WithNodes(2))
		return
	case "waits":
		Start(t)
		select {}
	}
	need.Root(t)
	t.Run("when the test ends", ends)
	for when, there := range map[string]func(place) bool{
		"interrupted while the API server starts": func(p place) bool { return p.names("kube-apiserver") },
		"interrupted while the node starts":       func(p place) bool { return p.names("kubelet.yaml") },
		"interrupted while pods run":              func(p place) bool { return p.names("containerd-shim") && p.names("/etc/coredns/Corefile") },
	} {
		t.Run(when, func(t *testing.T) { interrupt(t, there) })
	}
}

// ends starts a cluster in a process of its own, which ends it, and looks for what is
// left.
func ends(t *testing.T) {
	p, process := launch(t, "ends")
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	wait.For(t, 5*time.Minute, "the process to end", func() error {
		p.remember()
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			return nil
		default:
			return errors.New("it runs")
		}
	})
	wait.For(t, limit, "all of the cluster to go", p.left)
}

// interrupt starts one, interrupts it once it has what there says, and looks for what
// is left.
func interrupt(t *testing.T, there func(place) bool) {
	p, process := launch(t, "waits")
	wait.For(t, 3*time.Minute, "the cluster to be that far", func() error {
		p.remember()
		if !there(*p) {
			return errors.New("it is not")
		}
		return nil
	})
	if err := process.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait() // it was interrupted
	wait.For(t, limit, "all of the cluster to go", p.left)
}

// launch starts this test in a process of its own.
func launch(t *testing.T, what string) (*place, *exec.Cmd) {
	t.Helper()
	dir, err := os.MkdirTemp("", "in") // short, for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(self, "-test.run=^TestAClusterLeavesNothing$", "-test.v")
	process.Env = append(os.Environ(), child+"="+what, "TMPDIR="+dir)
	log, err := os.Create(filepath.Join(t.ArtifactDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill() }) // where the test failed
	return &place{dir: dir}, process
}

// place is what a cluster has on the machine whose directories are below one.
type place struct {
	dir string
	// own are the names of its directories, which control groups and a device have
	// as well.
	own []string
}

// processes are the command lines that name the directory.
func (p place) processes() (lines []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		content, _ := os.ReadFile(file)
		line := strings.ReplaceAll(string(content), "\x00", " ")
		group, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cgroup"))
		mine := strings.Contains(line, p.dir+"/")
		for _, name := range p.own {
			mine = mine || strings.Contains(string(group), "/"+name+"/")
		}
		if mine {
			lines = append(lines, line)
		}
	}
	return lines
}

// names says whether such a process names something.
func (p place) names(text string) bool {
	for _, line := range p.processes() {
		if strings.Contains(line, text) {
			return true
		}
	}
	return false
}

// remember notes what has another name than the directory while it is there.
func (p *place) remember() {
	dirs, _ := filepath.Glob(filepath.Join(p.dir, "ll*"))
	for _, dir := range dirs {
		if name := filepath.Base(dir); !slices.Contains(p.own, name) {
			p.own = append(p.own, name)
		}
	}
}

// left says what there still is.
func (p place) left() error {
	var problems []error
	for _, line := range p.processes() {
		problems = append(problems, fmt.Errorf("a process: %s", line))
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), p.dir) {
		problems = append(problems, fmt.Errorf("mounts below %s (%v)", p.dir, err))
	}
	for _, name := range p.own {
		groups, err := cgroup.At("/" + name)
		if err != nil || len(groups.Existing()) > 0 {
			problems = append(problems, fmt.Errorf("control groups %v (%v)", groups.Existing(), err))
		}
	}
	dirs, _ := filepath.Glob(filepath.Join(p.dir, "ll*"))
	for _, dir := range dirs {
		problems = append(problems, fmt.Errorf("the directory %s", dir))
	}
	devices, err := net.Interfaces()
	if err != nil {
		problems = append(problems, err)
	}
	for _, device := range devices {
		if slices.Contains(p.own, device.Name) {
			problems = append(problems, fmt.Errorf("the device %s", device.Name))
		}
	}
	return errors.Join(problems...)
}
