package oom

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/up"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const (
	containers = 100 // that are killed, of each engine
	batch      = 10  // at a time
)

func TestOOMKills(t *testing.T) {
	m := startMachine(t)
	for _, test := range []struct {
		behaviour string
		run       func(*testing.T)
	}{
		{"100 containers of containerd that are killed and gone before the next scrape are 100", m.ofContainerd},
		{"100 containers of Docker that are killed and gone before the next scrape are 100", m.ofDocker},
		{"children that are killed are counted one by one while the container lives on", m.children},
		{"a limit above the container is the pod's, one above that the node's", m.above},
		{"what another exporter has seen is not counted again", m.again},
	} {
		t.Run(test.behaviour, test.run)
	}
}

// hex64 is an id as CRI and Docker make them.
func hex64(n int) string { return fmt.Sprintf("%064x", 0xabc000+n) }

func composeLabels(project, service string) map[string]string {
	return map[string]string{"com.docker.compose.project": project, "com.docker.compose.service": service}
}

// ofContainerd kills containers of one Compose service, and of one pod's container
// that its restarts replace, each other one.
func (m *machine) ofContainerd(t *testing.T) {
	shop, pod := unique("shop"), unique("pod")
	atOnce(t, m.Program, containers, batch, func(ctx context.Context, i int) error {
		spec := containerd.Spec{ID: fmt.Sprintf("%s-%d", shop, i), Labels: composeLabels(shop, "web"), MemoryLimit: memory, Args: []string{"oom"}}
		if i%2 == 1 {
			spec.Namespace, spec.ID = "k8s.io", hex64(i)
			spec.CgroupsPath = "/kubepods/burstable/pod5a5a5a5a-0000-4000-8000-00000000000a/" + spec.ID
			spec.Labels = map[string]string{
				"io.cri-containerd.kind": "container", "io.kubernetes.container.name": "app",
				"io.kubernetes.pod.name": pod, "io.kubernetes.pod.namespace": shop,
			}
		}
		return m.runContainerd(ctx, spec)
	})
	wantKills(t, m.Program, shop, tally{"web container init": containers / 2, pod + " container init": containers / 2})
	logSeen(t, m.Program, shop)
}

// ofDocker kills containers of two Compose services, of which one's are removed by
// Docker at their end.
func (m *machine) ofDocker(t *testing.T) {
	shop := unique("shop")
	atOnce(t, m.Program, containers, batch, func(ctx context.Context, i int) error {
		spec := docker.Spec{Name: fmt.Sprintf("%s-%d", shop, i), Labels: composeLabels(shop, "kept"), MemoryLimit: memory, Args: []string{"oom"}}
		if i%2 == 1 {
			spec.Labels, spec.AutoRemove = composeLabels(shop, "removed"), true
		}
		return m.runDocker(ctx, spec)
	})
	wantKills(t, m.Program, shop, tally{"kept container init": containers / 2, "removed container init": containers / 2})
	logSeen(t, m.Program, shop)
}

// logSeen says how many of the containers a scrape happened to see.
func logSeen(t *testing.T, p *up.Program, namespace string) {
	t.Helper()
	series := fmt.Sprintf(`container_cpu_usage_seconds_total{namespace=%q}[1h]`, namespace)
	seen, err := p.Vector(`count by (id) (count_over_time(`+series+`))`, time.Time{})
	t.Logf("%d of %d containers were there at a scrape (%v)", len(seen), containers, err)
}

// ready waits until a container's workload has done what it was told.
func ready(t *testing.T, output func() (string, error)) {
	t.Helper()
	wait.For(t, limit, "the workload", func() error {
		out, err := output()
		if err == nil && !strings.Contains(out, "ready") {
			err = fmt.Errorf("its output is %q", out)
		}
		return err
	})
}

func (m *machine) children(t *testing.T) {
	shop := unique("shop")
	inContainerd := m.containerd.Run(within(t), containerd.Spec{ID: shop, Labels: composeLabels(shop, "five"), MemoryLimit: memory, Args: []string{"oom-child", "5"}})
	inDocker := m.docker.Run(within(t), docker.Spec{Name: shop, Labels: composeLabels(shop, "seven"), MemoryLimit: memory, Args: []string{"oom-child", "7"}})
	ready(t, func() (string, error) { return inContainerd.Output(), nil })
	ready(t, func() (string, error) { return inDocker.Output(t.Context()) })
	want := tally{"five container child": 5, "seven container child": 7}
	wantKills(t, m.Program, shop, want)
	// The end of a container after its children's adds nothing to them.
	if err := inContainerd.Remove(within(t)); err != nil {
		t.Error(err)
	}
	if err := inDocker.Remove(within(t)); err != nil {
		t.Error(err)
	}
	wantKills(t, m.Program, shop, want)
}

// limitMemory sets the limit of a control group that exists.
func limitMemory(t *testing.T, path string, bytes int) {
	t.Helper()
	groups, err := cgroup.At(path)
	if err != nil {
		t.Fatal(err)
	}
	dir, file := groups.Dir("memory"), "memory.limit_in_bytes"
	if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
		file = "memory.max"
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte(fmt.Sprint(bytes)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// above has a container without a limit in a pod that has one, and in a pod without
// one below a group that has one. A second container in each keeps the groups, and
// is none of the victims.
func (m *machine) above(t *testing.T) {
	shop := unique("shop")
	for i, level := range []string{"pod", "node"} {
		top := fmt.Sprintf("/%s-%s/kubepods", shop, level)
		pod := fmt.Sprintf("%s/pod5a5a5a5a-0000-4000-8000-00000000000%d", top, i)
		labels := func(name string) map[string]string {
			return map[string]string{
				"io.cri-containerd.kind": "container", "io.kubernetes.container.name": name,
				"io.kubernetes.pod.name": level, "io.kubernetes.pod.namespace": shop,
			}
		}
		stays := m.containerd.Run(within(t), containerd.Spec{ID: hex64(1000 + i), Labels: labels("stays"), CgroupsPath: pod + "/" + hex64(1000+i)})
		limitMemory(t, map[string]string{"pod": pod, "node": top}[level], 2*memory)
		for n := range 3 {
			id := hex64(1100 + 10*i + n)
			if err := m.runContainerd(within(t), containerd.Spec{ID: id, Labels: labels("app"), CgroupsPath: pod + "/" + id, Args: []string{"oom"}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := stays.Remove(within(t)); err != nil {
			t.Error(err)
		}
	}
	wantKills(t, m.Program, shop, tally{"pod pod init": 3, "node node init": 3})
}

// again starts a second exporter after kills in a container that lives on, and
// kills further processes in it.
func (m *machine) again(t *testing.T) {
	shop := unique("shop")
	c := m.docker.Run(within(t), docker.Spec{Name: shop, Labels: composeLabels(shop, "web"), MemoryLimit: memory, Args: []string{"oom-child", "4"}})
	ready(t, func() (string, error) { return c.Output(t.Context()) })
	if err := m.runDocker(within(t), docker.Spec{Name: shop + "-gone", Labels: composeLabels(shop, "web"), MemoryLimit: memory, Args: []string{"oom"}}); err != nil {
		t.Fatal(err)
	}
	wantKills(t, m.Program, shop, tally{"web container child": 4, "web container init": 1})
	later := m.startUp(t)
	wait.For(t, limit, "the container", func() error {
		_, err := later.Query(fmt.Sprintf(`container_oom_events_total{namespace=%q}`, shop), time.Time{})
		return err
	})
	wantKills(t, later, shop, tally{})
	m.exec(t, c, "/workload", "oom-child", "2")
	wantKills(t, later, shop, tally{"web container child": 2})
	wantKills(t, m.Program, shop, tally{"web container child": 6, "web container init": 1})
}

// exec runs a program in a container of Docker, until its children were killed.
func (m *machine) exec(t *testing.T, c *docker.Container, command ...string) {
	t.Helper()
	created, err := m.docker.Client.ExecCreate(within(t), c.ID, client.ExecCreateOptions{Cmd: command, AttachStdout: true})
	if err != nil {
		t.Fatal(err)
	}
	attached, err := m.docker.Client.ExecAttach(within(t), created.ID, client.ExecAttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer attached.Close()
	line, err := attached.Reader.ReadString('\n')
	if err != nil || !strings.Contains(line, "ready") {
		t.Fatalf("the program in the container said %q, %v", line, err)
	}
}
