package network

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// machine is a /proc of the test's, and the containers whose processes are in it.
type machine struct {
	t      testing.TB
	procfs string
	list   []*container.Container
	pids   map[string][]int // by cgroup path
}

func newMachine(t testing.TB) *machine {
	m := &machine{t: t, procfs: t.TempDir(), pids: map[string][]int{}}
	m.write("2/comm", "kthreadd\n")
	m.process(1, "host")
	return m
}

func (m *machine) write(name, content string) {
	m.t.Helper()
	path := filepath.Join(m.procfs, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// process makes the files of a process in a network namespace. Namespaces are told
// apart by the inode of their files, so that all processes of one have the same.
func (m *machine) process(pid int, namespace string) {
	m.t.Helper()
	m.leave(pid)
	for name, content := range map[string]string{
		"netstat": "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 9 7 8\n",
		"snmp":    "Ip: Forwarding\nIp: 1\nTcp: MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts\nTcp: -1 10 11 12 13 14 15 16 17 18 19\n",
		"dev":     heading + "    lo: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0\n  eth0: 100 10 1 2 0 0 0 0 200 20 3 4 0 0 0 0\n",
	} {
		shared := filepath.Join("namespaces", namespace, name)
		if _, err := os.Stat(filepath.Join(m.procfs, shared)); err != nil {
			m.write(shared, content)
		}
		dir := filepath.Join(m.procfs, fmt.Sprint(pid), "net")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			m.t.Fatal(err)
		}
		if err := os.Link(filepath.Join(m.procfs, shared), filepath.Join(dir, name)); err != nil {
			m.t.Fatal(err)
		}
	}
}

// leave ends a process: what is held of its directory is empty then.
func (m *machine) leave(pid int) {
	m.t.Helper()
	if err := os.RemoveAll(filepath.Join(m.procfs, fmt.Sprint(pid))); err != nil {
		m.t.Fatal(err)
	}
}

// kubernetes is a container of the pod shop/NAME; the sandbox when it has no name.
func (m *machine) kubernetes(pod, name string, pids ...int) *container.Container {
	c := &container.Container{
		CgroupPath: "/kubepods/" + pod + "/" + name, Started: time.Unix(int64(1000+len(m.list)), 0), Sandbox: name == "",
		Place: hierarchy.Place{
			Namespace: "shop", Pod: pod, Container: name, Workload: hierarchy.Workload{Name: pod, Type: hierarchy.Deployment},
			Orchestrator: hierarchy.Kubernetes,
		},
	}
	return m.add(c, pids)
}

func (m *machine) plain(name string, pids ...int) *container.Container {
	return m.add(&container.Container{
		CgroupPath: "/docker/" + name, Started: time.Unix(int64(1000+len(m.list)), 0), Place: hierarchy.OfLabels(hierarchy.Docker, name, nil),
	}, pids)
}

func (m *machine) add(c *container.Container, pids []int) *container.Container {
	c.Name = c.CgroupPath[1:]
	c.Render()
	m.list = append(m.list, c)
	m.pids[c.CgroupPath] = pids
	return c
}

func (m *machine) remove(c *container.Container) {
	m.list = slices.DeleteFunc(slices.Clone(m.list), func(other *container.Container) bool { return other == c })
	delete(m.pids, c.CgroupPath)
}

func (m *machine) namespaces() *Namespaces {
	n := NewNamespaces(func() []*container.Container { return m.list }, m.procfs, func(path string) []int { return m.pids[path] })
	m.t.Cleanup(func() { _ = n.Close() })
	return n
}

// show names the namespaces by their pod and by who answers.
func show(t *testing.T, n *Namespaces) string {
	t.Helper()
	list, err := n.Current()
	if err != nil {
		t.Error(err)
	}
	out := map[string]bool{}
	for _, ns := range list {
		out[ns.Pod.Namespace+"/"+ns.Pod.Name+" "+ns.process.path] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(out)), "\n")
}

// collect returns the lines of the series that a collector adds.
func collect(ctx context.Context, t testing.TB, collector string, run func(context.Context, *family.Writer) error) (lines []string, err error) {
	t.Helper()
	own := metrics.Table().Of(collector)
	w := family.NewWriter(own, nil)
	err = run(ctx, w)
	var b bytes.Buffer
	family.Budget(own, []*family.Writer{w}, 0).Encode(&b, family.Text)
	for line := range strings.Lines(b.String()) {
		if line[0] != '#' {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines, err
}
