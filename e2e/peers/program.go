// Package peers runs the resource exporter beside what it is compared with, each
// as a program of its own on a free port of loopback: node_exporter and cAdvisor's
// library as they are published, and the floor, which reads files and does nothing
// else.
package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/program"
)

// The peers' versions: those that e2e/peers/nodeexporter/go.mod and go.mod pin.
const (
	NodeExporterVersion = "1.12.1"
	CAdvisorVersion     = "0.60.6"
)

// limit bounds the start and the end of a program.
const limit = time.Minute

// Program is a running exporter.
type Program struct {
	// Name says what it is, with the setting that distinguishes it.
	Name string
	// URL is where it serves, without a slash at its end.
	URL string
	// PID is its process, which has no children.
	PID int

	t      testing.TB
	daemon *daemon.Daemon
	groups cgroup.Groups
	clean  bool // ends with status 0 when it is told to
	ended  bool
}

// Exporter starts the resource exporter on a containerd, with everything on.
func Exporter(t testing.TB, containerd string, flags ...string) *Program {
	t.Helper()
	return ExporterAt(t, program.Own(t, "cmd/resource-exporter"), containerd, flags...)
}

// ExporterAt starts a resource exporter that is built already.
func ExporterAt(t testing.TB, path, containerd string, flags ...string) *Program {
	t.Helper()
	if !slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, "--kubelet-url=") }) {
		flags = append(flags, "--kubelet-url=http://127.0.0.1:1")
	}
	p := start(t, "resource-exporter", append([]string{path,
		"--web.listen-address=127.0.0.1:0", "--containerd-address=" + containerd, "--docker-host=unix:///nowhere/docker.sock",
	}, flags...)...)
	p.clean = true
	p.await("/-/ready")
	return p
}

// nodeExporter is node_exporter.
func nodeExporter() program.Published {
	return program.Published{
		Name: "node_exporter", Version: NodeExporterVersion,
		Module: "e2e/peers/nodeexporter", Package: "github.com/prometheus/node_exporter",
	}
}

// NodeExporter starts node_exporter with its default collectors.
func NodeExporter(t testing.TB, flags ...string) *Program {
	t.Helper()
	return start(t, "node_exporter", append([]string{nodeExporter().Path(t), "--web.listen-address=127.0.0.1:0"}, flags...)...)
}

// KubeletSets are the sets of cAdvisor's metrics that the kubelet of Kubernetes 1.36
// has on.
const KubeletSets = "cpu,memory,diskIO,disk,network,app,process,oom_event,pressure"

// CAdvisor starts cAdvisor's library on a containerd. name tells settings apart.
func CAdvisor(t testing.TB, name, containerd, sets string, flags ...string) *Program {
	t.Helper()
	return start(t, name, append([]string{program.Own(t, "e2e/peers/cadvisor"), "-containerd=" + containerd, "-sets=" + sets}, flags...)...)
}

// Floor starts the program that opens, reads and closes files at each scrape.
func Floor(t testing.TB, files []string) *Program {
	t.Helper()
	list := filepath.Join(t.TempDir(), "files")
	var text []byte
	for _, file := range files {
		text = append(append(text, file...), '\n')
	}
	if err := os.WriteFile(list, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, "floor", program.Own(t, "e2e/peers/floor"), list)
}

// address finds where a program says that it listens: as a line of its own, or in
// the log line of exporter-toolkit.
var address = regexp.MustCompile(`(?m)(?:^|Listening on.*address="?)(127\.0\.0\.1:[1-9][0-9]*)`)

// start starts a program in memory control groups of its own, so that the kernel
// counts all memory that is held for it, and waits until it serves metrics. The
// test's cleanup ends it.
func start(t testing.TB, name string, args ...string) *Program {
	t.Helper()
	l := ledger.Open(t)
	dir := l.Dir()
	path := "/loadline-peers-" + filepath.Base(dir)
	l.Cgroup(path)
	groups, err := cgroup.At(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &Program{Name: name, t: t, groups: groups}
	if err := os.Mkdir(p.memory(), 0o755); err != nil {
		t.Fatalf("make a control group for %s: %v", name, err)
	}
	log := filepath.Join(dir, "log")
	p.daemon, err = daemon.Start(daemon.Config{
		Program: "/bin/sh",
		Args:    append([]string{"-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, p.memory()}, args...),
		Log:     log,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.PID = p.daemon.PID
	t.Cleanup(p.Stop)
	err = p.daemon.Ready(limit, func() error {
		content, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		found := address.FindSubmatch(content)
		if found == nil {
			return errors.New("it did not say where it listens")
		}
		p.URL = "http://" + string(found[1])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.await("/metrics")
	return p
}

// await waits until the program answers a path.
func (p *Program) await(path string) {
	p.t.Helper()
	if err := p.daemon.Ready(limit, func() error { _, err := get(p.URL+path, "*/*", limit); return err }); err != nil {
		p.t.Fatal(err)
	}
}

// memory is the directory of the program's memory control group.
func (p *Program) memory() string { return p.groups.Dir("memory") }

// Log is the end of what the program has written.
func (p *Program) Log() string { return p.daemon.Tail() }

// Stop ends the program. The exporter must end well; others may as they do.
func (p *Program) Stop() {
	p.t.Helper()
	if p.ended {
		return
	}
	p.ended = true
	if p.clean {
		if err := p.daemon.Stop(limit); err != nil {
			p.t.Error(err)
		}
	} else if err := p.kill(); err != nil {
		p.t.Error(err)
	}
	for _, dir := range p.groups.Existing() {
		if err := cgroup.Remove(dir); err != nil {
			p.t.Error(err)
		}
	}
}

func (p *Program) kill() error {
	select {
	case <-p.daemon.Ended():
		return fmt.Errorf("%s had ended before; the end of its log:\n%s", p.Name, p.Log())
	default:
	}
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
		return fmt.Errorf("end %s: %w", p.Name, err)
	}
	<-p.daemon.Ended()
	return nil
}
