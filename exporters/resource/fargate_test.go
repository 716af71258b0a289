package resource_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/loadline-exporters/loadline/exporters/resource/fargate"
)

// serveTask answers as the metadata endpoint of an ECS task; what it answers can be
// changed.
func (m *machine) serveTask(t *testing.T, change func(string) string) {
	t.Helper()
	answers := map[string]string{}
	for path, name := range map[string]string{"/v4/id/task": "task", "/v4/id/task/stats": "stats"} {
		b, err := os.ReadFile("fargate/testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		answers[path] = change(string(b))
	}
	var others atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok || r.Method != http.MethodGet {
			others.Add(1)
		}
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(func() {
		s.Close()
		if n := others.Load(); n > 0 {
			t.Errorf("the endpoint was asked %d times for what it does not have", n)
		}
	})
	t.Setenv(fargate.URIVariable, s.URL+"/v4/id")
}

func same(s string) string { return s }

// nodeless is what a task on Fargate sees of its node: no control group, no engine,
// no kubelet.
func nodeless(t *testing.T) *machine {
	t.Helper()
	m := &machine{dir: t.TempDir(), files: map[string][]byte{"containers": []byte("3")}}
	m.write(t, "proc/stat", "btime 1700000000\n")
	m.write(t, "sys/kernel/notes", "")
	m.serve(t)
	return m
}

func TestATaskOnFargateIsServedWithoutANode(t *testing.T) {
	m := nodeless(t)
	m.serveTask(t, same)
	e := m.run(t, "container_.*|loadline_container.*|loadline_pod_.*")
	text, contentType := e.scrape(t, "text/plain")
	check(t, text, contentType)
	lint(t, e)
	for _, want := range []string{
		`container="web",workload="shop",workload_type="task",cpu="total"} 8.569211589`,
		"\n" + `container_memory_working_set_bytes{id="/ecs/cd189a933e5849daa93386466019ab50/cd189a933e5849daa93386466019ab50-1733467221"`,
		`orchestrator="ecs",kind="app"} 1`,
		"\n" + `loadline_pod_ephemeral_storage_bytes{namespace="default",pod="cd189a933e5849daa93386466019ab50",workload="shop",workload_type="task"} 294649856`,
		"\n" + `loadline_pod_resource_limits{namespace="default",pod="cd189a933e5849daa93386466019ab50",workload="shop",workload_type="task",resource="cpu",unit="core"} 0.5`,
		"\n" + `container_network_receive_bytes_total{id="/ecs/cd189a933e5849daa93386466019ab50",name="",image="",namespace="default"`,
		"\n" + `loadline_source_available{source="ecs-task",reason=""} 1`,
		"\n" + `loadline_source_available{source="cgroup",reason="absent"} 0`,
		"\n" + `loadline_source_available{source="docker",reason="absent"} 0`,
		"\n" + `loadline_source_available{source="kubelet",reason="absent"} 0`,
		"\n" + `loadline_collector_success{collector="container"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not served: %s", strings.TrimSpace(want))
		}
	}
	if t.Failed() {
		t.Log(ofInterest(text))
	}
}

// TestWhatBothTheKernelAndTheTaskTellIsServedOnce gives a container of the task the
// id of one whose control group is seen, as on an instance of one's own.
func TestWhatBothTheKernelAndTheTaskTellIsServedOnce(t *testing.T) {
	m := nodeless(t)
	id := strings.Repeat("a", 64)
	m.write(t, "sys/fs/cgroup/cgroup.controllers", "cpu\n")
	m.write(t, "sys/fs/cgroup/docker/"+id+"/cpu.stat", "usage_usec 7000000\nuser_usec 1\nsystem_usec 1\n")
	m.serveTask(t, func(s string) string { return strings.ReplaceAll(s, "cd189a933e5849daa93386466019ab50-2495160603", id) })
	e := m.run(t, "loadline_container_info|container_cpu_usage_seconds_total")
	text, contentType := e.scrape(t, "text/plain")
	check(t, text, contentType)
	if !strings.Contains(text, `container_cpu_usage_seconds_total{id="/docker/`+id) || strings.Contains(text, "/ecs/cd189a933e5849daa93386466019ab50/"+id) {
		t.Errorf("the kernel's word does not win:\n%s", ofInterest(text))
	}
}
