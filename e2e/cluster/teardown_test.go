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

// ownDirectory is the variable by which a test tells a process that it starts that it
// is to start a cluster, whose directories are all in TMPDIR.
const ownDirectory = "LOADLINE_E2E_INTERRUPTED"

func TestAClusterThatIsInterruptedLeavesNothing(t *testing.T) {
	if os.Getenv(ownDirectory) != "" {
		Start(t)
		select {} // until it is interrupted
	}
	need.Root(t)
	for when, there := range map[string]func(place) bool{
		"while the API server starts": func(p place) bool { return p.names("kube-apiserver") },
		"while the node starts":       func(p place) bool { return p.names("kubelet.yaml") },
		"while pods run":              func(p place) bool { return p.names("containerd-shim") && p.names("/etc/coredns/Corefile") },
	} {
		t.Run(when, func(t *testing.T) { interrupt(t, there) })
	}
}

// interrupt starts a cluster in a process of its own, interrupts it once it has what
// there says, and looks for what is left.
func interrupt(t *testing.T, there func(place) bool) {
	dir, err := os.MkdirTemp("", "in") // short, for sockets
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	p := place{dir: dir}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run=^TestAClusterThatIsInterruptedLeavesNothing$", "-test.v")
	child.Env = append(os.Environ(), ownDirectory+"=yes", "TMPDIR="+dir)
	log, err := os.Create(filepath.Join(t.ArtifactDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	child.Stdout, child.Stderr = log, log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill() // where it was not interrupted
	wait.For(t, 3*time.Minute, "the cluster to be that far", func() error {
		p.remember()
		if !there(p) {
			return errors.New("it is not")
		}
		return nil
	})
	if err := child.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was interrupted
	wait.For(t, limit, "all of the cluster to go", p.left)
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
	p.own = p.own[:0]
	for _, dir := range dirs {
		p.own = append(p.own, filepath.Base(dir))
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
