package sidebyside

import (
	"flag"
	"fmt"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/peers"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

var update = flag.Bool("update", false, "rewrite the lists of families that are not served yet")

const (
	mebibyte = 1 << 20
	limit    = time.Minute
	// rounds are how often the pair of scrapes is made.
	rounds = 5
)

// TestValuesAreThoseOfThePeers needs node_exporter and cAdvisor's library, which it
// builds from the module proxy.
func TestValuesAreThoseOfThePeers(t *testing.T) {
	need.Root(t)
	c := containerd.Start(t, containerd.WithCRI(containerd.Pause), containerd.WithPodNetworks())
	ids := run(t, c)
	exporter := peers.Exporter(t, c.Address)
	t.Run("node_exporter", func(t *testing.T) {
		theirs := peers.NodeExporter(t)
		r := scrapes(t, theirs, exporter)
		check(t, Peers()[0], "testdata/node_exporter.notyet", compare(nodeView(r[0].before), r), r[0].before)
	})
	t.Run("cAdvisor", func(t *testing.T) {
		theirs := peers.CAdvisor(t, "cAdvisor", c.Address, peers.KubeletSets+",cpuLoad,perf_event", "-fresh", "-groups="+strings.Join(ids.of("pod"), ","))
		shown(t, theirs, ids)
		shown(t, exporter, ids)
		counted(t, exporter, ids)
		r := scrapes(t, theirs, exporter)
		f := compare(containerView(r, ids), r)
		compareLabels(f, r[len(r)-1], ids)
		check(t, Peers()[1], "testdata/cadvisor.notyet", f, r[0].before)
	})
}

// groups are control groups by their path, with what each is: container, sandbox,
// pod or root. The word stands in keys as the label kind.
type groups map[string]string

// of are those of a kind.
func (g groups) of(kind string) (paths []string) {
	for path, k := range g {
		if k == kind {
			paths = append(paths, path)
		}
	}
	return paths
}

// run starts containers of every kind.
func run(t *testing.T, c *containerd.Containerd) groups {
	t.Helper()
	ids := groups{"/": "root"}
	for i, spec := range []containerd.ContainerSpec{
		{Name: "limited", Args: []string{"idle"}, MemoryLimit: 96 * mebibyte, CPUQuota: 50_000, CPUPeriod: 100_000, CPUShares: 512},
		{Name: "unlimited", Args: []string{"idle"}},
		{Name: "holds", Args: []string{"hold", "24MiB"}, MemoryLimit: 64 * mebibyte},
		{Name: "throttled", Args: []string{"burn", "2"}, CPUQuota: 20_000, CPUPeriod: 100_000},
		{Name: "writes", Args: []string{"write", "8MiB"}, MemoryLimit: 64 * mebibyte},
		{Name: "threads", Args: []string{"threads", "20"}},
		{Name: "spawns", Args: []string{"spawn", "5"}},
		{Name: "killed", Args: []string{"oom-child", "2"}, MemoryLimit: 32 * mebibyte},
	} {
		pod := c.RunPodOf(t.Context(), containerd.PodSpec{
			Namespace: "peers", Name: spec.Name, UID: fmt.Sprintf("%08d-77aa-4c9f-9f5e-2d1b6a4c8e01", i), OwnNetwork: true,
		})
		container := pod.RunContainer(t.Context(), spec)
		wait.For(t, limit, "the workload of "+spec.Name, func() error {
			out, err := pod.Output(spec.Name)
			if err == nil && !strings.Contains(out, "ready") {
				err = fmt.Errorf("its output is %q", out)
			}
			return err
		})
		traffic(t, pod.Address(t.Context()))
		ids[container.CgroupPath], ids[pod.CgroupPath+"/"+pod.ID], ids[pod.CgroupPath] = "container", "sandbox", "pod"
	}
	return ids
}

// traffic sends a pod what nobody in it takes.
func traffic(t *testing.T, address string) {
	t.Helper()
	connection, err := net.Dial("udp", net.JoinHostPort(address, "9"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	for range 20 {
		_, _ = connection.Write(make([]byte, 1000)) // refused by the pod, but it was there
	}
}

// shown waits until a program serves all containers, with their names.
func shown(t *testing.T, p *peers.Program, ids groups) {
	t.Helper()
	wait.For(t, limit, p.Name+" to show every container", func() error {
		named := map[string]bool{}
		for _, s := range scrape(t, p).families["container_memory_usage_bytes"] {
			named[s.labels["id"]] = s.labels["name"] != ""
		}
		for id, kind := range ids {
			if (kind == "container" || kind == "sandbox") && !named[id] {
				return fmt.Errorf("%s is not there", id)
			}
		}
		return nil
	})
}

// counted waits until the exporter has counted the processes of all containers, which
// it does twice a minute.
func counted(t *testing.T, p *peers.Program, ids groups) {
	t.Helper()
	wait.For(t, limit, p.Name+" to count processes", func() error {
		counted := map[string]bool{}
		for _, s := range scrape(t, p).families["container_processes"] {
			counted[s.labels["id"]] = true
		}
		for _, id := range ids.of("container") {
			if !counted[id] {
				return fmt.Errorf("those of %s are not there", id)
			}
		}
		return nil
	})
}

// scrapes are the rounds.
func scrapes(t *testing.T, theirs, ours *peers.Program) (out []round) {
	t.Helper()
	for range rounds {
		out = append(out, round{whole(t, theirs), scrape(t, ours), whole(t, theirs)})
	}
	return out
}

// whole scrapes until the network devices are there: node_exporter serves none when
// one goes while it reads, and pods of other tests come and go.
func whole(t *testing.T, p *peers.Program) (x exposition) {
	t.Helper()
	wait.For(t, limit, p.Name+" to collect network devices", func() error {
		x = scrape(t, p)
		for _, s := range x.families["node_scrape_collector_success"] {
			if s.value == 0 && strings.HasPrefix(s.labels["collector"], "net") {
				return fmt.Errorf("%s failed", s.labels["collector"])
			}
		}
		return nil
	})
	return x
}

// nodeView compares all that node_exporter tells of the machine. A series of ours
// may have further labels.
func nodeView(theirs exposition) view {
	known := map[string]map[string]bool{}
	for name, samples := range theirs.families {
		known[name] = map[string]bool{}
		for _, s := range samples {
			for label := range s.labels {
				known[name][label] = true
			}
		}
	}
	return view{
		prefixes: []string{"node_"},
		taken:    func(map[string]string) bool { return true },
		key: func(family string, labels map[string]string) map[string]string {
			if known[family] == nil {
				return labels
			}
			out := map[string]string{}
			for name, value := range labels {
				if known[family][name] {
					out[name] = value
				}
			}
			return out
		},
	}
}

// containerView compares the machine, and those of the test's control groups that
// both serve. Others come and go with other tests.
func containerView(r []round, ids groups) view {
	ours := idsOf(r[len(r)-1].ours)
	theirs := idsOf(r[len(r)-1].before)
	maps.DeleteFunc(ours, func(id string, _ bool) bool { return ids[id] == "" })
	return view{
		prefixes: []string{"container_", "machine_", "cadvisor_"},
		taken: func(labels map[string]string) bool {
			id, ok := labels["id"]
			return !ok || ours[id] && theirs[id]
		},
		key: func(_ string, labels map[string]string) map[string]string {
			out := map[string]string{}
			for name, value := range labels {
				switch {
				case strings.HasPrefix(name, "container_label_"), strings.HasPrefix(name, "container_env_"):
				case name == "name", name == "image", name == "namespace", name == "pod", name == "container", strings.HasPrefix(name, "workload"):
				default:
					out[name] = value
				}
			}
			out["kind"] = ids[labels["id"]]
			return out
		},
	}
}

func idsOf(x exposition) map[string]bool {
	ids := map[string]bool{}
	for name, samples := range x.families {
		if !strings.HasPrefix(name, "container_") {
			continue
		}
		for _, s := range samples {
			ids[s.labels["id"]] = true
		}
	}
	return ids
}

// compareLabels compares the texts that both put on containers, and which control
// groups are served at all.
func compareLabels(f findings, r round, ids groups) {
	const family = "container_memory_usage_bytes"
	here := map[string]map[string]string{}
	for _, s := range r.ours.families[family] {
		here[s.labels["id"]] = s.labels
	}
	for _, s := range r.before.families[family] {
		id := s.labels["id"]
		ours, ok := here[id]
		if ids[id] == "" {
			continue
		}
		if !ok {
			f.add("label id", Fewer, "id="+id, "%s", id)
			continue
		}
		delete(here, id)
		for _, label := range []string{"name", "image"} {
			if a, b := s.labels[label], ours[label]; a != b {
				f.add("label "+label, Value, "id="+id, "%s: %q there, %q here", id, a, b)
			}
		}
	}
	for id := range ids {
		if here[id] != nil {
			f.add("label id", More, "id="+id, "%s", id)
		}
	}
}
