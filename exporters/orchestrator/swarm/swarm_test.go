package swarm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/state"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/dockerclient/dockertest"
	"github.com/loadline-exporters/loadline/internal/source"
)

// manager is a Swarm's manager that says what it is told to.
type manager struct {
	*dockertest.Daemon
	source *Source
	events []string
	oom    map[string]bool
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{Daemon: dockertest.Start(t), oom: map[string]bool{}}
	client, err := dockerclient.New(m.Host, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	m.source = New(Options{
		Client: client, Counts: state.NewCounts(), Owner: func(labels map[string]string) string { return labels["team"] },
		OOMKilled: func(id string) bool { return m.oom[id] },
		Event: func(r model.Ref, c model.Class, _ model.EventType) {
			m.events = append(m.events, strings.TrimSpace(r.Name+" "+string(c)))
		},
	})
	m.Answer("/info", `{"Swarm":{"LocalNodeState":"active","ControlAvailable":true,"NodeID":"n1"}}`)
	m.says("nodes", []swarm.Node{aNode("n1", "host1", swarm.NodeStateReady), aNode("n2", "host2", swarm.NodeStateReady)})
	m.says("services", []swarm.Service{})
	m.says("tasks", []swarm.Task{})
	return m
}

func (m *manager) says(what string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	m.Answer("/"+what, string(text))
}

func (m *manager) lists(t *testing.T) *model.Lists {
	t.Helper()
	l, _, err := m.source.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// told are the events since it was last called.
func (m *manager) told() string {
	text := strings.Join(m.events, ", ")
	m.events = nil
	return text
}

func aNode(id, host string, s swarm.NodeState) swarm.Node {
	return swarm.Node{
		ID: id, Description: swarm.NodeDescription{Hostname: host}, Status: swarm.NodeStatus{State: s},
		Spec: swarm.NodeSpec{Role: swarm.NodeRoleWorker, Availability: swarm.NodeAvailabilityActive},
	}
}

func aService(name string, replicas uint64) swarm.Service {
	return swarm.Service{ID: name, Spec: swarm.ServiceSpec{
		Annotations:  swarm.Annotations{Name: name},
		TaskTemplate: swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: "web:1@sha256:abc"}},
		Mode:         swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &replicas}},
	}}
}

var began = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// aTask is the n-th of a service's slot.
func aTask(service string, slot, n int, is, desired swarm.TaskState, node string) swarm.Task {
	return swarm.Task{
		ID: fmt.Sprintf("%s.%d.%d", service, slot, n), ServiceID: service, Slot: slot, NodeID: node, DesiredState: desired,
		Meta:   swarm.Meta{CreatedAt: began.Add(time.Duration(n) * time.Minute)},
		Spec:   swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: "web:1@sha256:abc"}},
		Status: swarm.TaskStatus{State: is, Timestamp: began.Add(time.Duration(n)*time.Minute + time.Second)},
	}
}

func after(t swarm.Task, err string, container string, code int) swarm.Task {
	t.Status.Err = err
	if container != "" {
		t.Status.ContainerStatus = &swarm.ContainerStatus{ContainerID: container, ExitCode: code}
	}
	return t
}

const (
	running  = swarm.TaskStateRunning
	shutdown = swarm.TaskStateShutdown
)

func TestATaskOnANodeThatIsDownDoesNotRun(t *testing.T) {
	m := newManager(t)
	m.says("services", []swarm.Service{aService("web", 3)})
	m.says("tasks", []swarm.Task{
		aTask("web", 1, 0, running, running, "n1"), aTask("web", 2, 0, running, running, "n2"), aTask("web", 3, 0, running, running, "gone"),
	})
	m.says("nodes", []swarm.Node{aNode("n1", "host1", swarm.NodeStateReady), aNode("n2", "host2", swarm.NodeStateDown)})
	l := m.lists(t)
	r := l.Workloads[0].Replicas
	if r.Desired.N != 3 || r.Current.N != 3 || r.Ready.N != 1 || r.Available.N != 1 {
		t.Errorf("got %+v", r)
	}
	phases := ""
	for _, p := range l.Pods {
		phases += p.Pod + "=" + string(p.Phase) + "@" + p.Node + " "
	}
	if want := "web.1=running@host1 web.2=unknown@host2 web.3=unknown@gone "; phases != want {
		t.Errorf("got %s, want %s", phases, want)
	}
	if e := l.Services[0].Endpoints; e.Ready.N != 1 || e.NotReady.N != 2 {
		t.Errorf("endpoints %+v", e)
	}
	if n := l.Nodes[1]; n.Node != "host2" || n.Ready.N != 0 || !n.Ready.Known {
		t.Errorf("node %+v", n)
	}
}

func TestWhatWasThereBeforeTheExporterIsNotCounted(t *testing.T) {
	m := newManager(t)
	service := aService("web", 1)
	at := began
	service.UpdateStatus = &swarm.UpdateStatus{State: swarm.UpdateStateRollbackCompleted, StartedAt: &at}
	m.says("services", []swarm.Service{service})
	old := after(aTask("web", 1, 0, swarm.TaskStateFailed, shutdown, "n2"), "task: non-zero exit (1)", "c0", 1)
	m.says("tasks", []swarm.Task{old, aTask("web", 1, 1, running, running, "n2")})
	for range 3 {
		m.lists(t)
	}
	if got := m.told(); got != "" {
		t.Errorf("told %s", got)
	}
}

func TestWhatBecomesOfATaskIsToldOnce(t *testing.T) {
	m := newManager(t)
	m.says("services", []swarm.Service{aService("web", 2)})
	m.lists(t)
	first := aTask("web", 1, 0, running, running, "n2")
	m.says("tasks", []swarm.Task{first})
	m.lists(t)
	m.lists(t)
	if got := m.told(); got != "web container_started" {
		t.Errorf("told %s", got)
	}
	first = after(aTask("web", 1, 0, swarm.TaskStateFailed, shutdown, "n2"), "task: non-zero exit (2)", "c0", 2)
	homeless := aTask("web", 2, 0, swarm.TaskStatePending, running, "")
	homeless.Status.Err = "no suitable node (insufficient resources on 1 node; host-mode port already in use on 1 node)"
	m.says("tasks", []swarm.Task{first, aTask("web", 1, 1, running, running, "n2"), homeless})
	l := m.lists(t)
	m.lists(t)
	if got := m.told(); got != "web container_started, web container_died, web scheduling_failed_resource" {
		t.Errorf("told %s", got)
	}
	if n := l.Pods[0].Containers[0].Restarts; n.N != 1 {
		t.Errorf("the slot was started again %v times", n)
	}
	if w := l.Pods[1].Containers[0].Waiting; w != model.WaitingNode {
		t.Errorf("it waits for %s", w)
	}
	m.says("tasks", []swarm.Task{aTask("web", 1, 1, running, running, "n2")})
	m.lists(t)
	if len(m.source.tasks.told) != 1 {
		t.Errorf("%d tasks are remembered", len(m.source.tasks.told))
	}
}

func TestAnEngineTellsOfItsOwnContainersItself(t *testing.T) {
	m := newManager(t)
	m.says("services", []swarm.Service{aService("web", 1)})
	m.lists(t)
	rejected := aTask("web", 1, 0, swarm.TaskStateRejected, shutdown, "n1")
	rejected.Status.Err = "No such image: web:1"
	died := after(aTask("web", 1, 1, swarm.TaskStateFailed, shutdown, "n1"), "task: non-zero exit (2)", "c1", 2)
	m.says("tasks", []swarm.Task{rejected, died, aTask("web", 1, 2, running, running, "n1")})
	m.lists(t)
	if got := m.told(); got != "web pull_failed_other" {
		t.Errorf("told %s", got)
	}
}

func TestReasonsOfFailuresAreToldApart(t *testing.T) {
	m := newManager(t)
	m.oom["killed"] = true
	broke := func(err, container string, code int) swarm.Task {
		return after(aTask("web", 1, 0, swarm.TaskStateFailed, shutdown, "n2"), err, container, code)
	}
	rejected := func(err string) swarm.Task {
		return after(aTask("web", 1, 0, swarm.TaskStateRejected, shutdown, "n2"), err, "", 0)
	}
	for want, task := range map[string]swarm.Task{
		"non_zero_exit": broke("task: non-zero exit (1)", "c", 1),
		"oom_killed":    broke("task: non-zero exit (137)", "killed", 137),
		"unhealthy":     broke("task: non-zero exit (143): dockerexec: unhealthy container", "c", 143),
		"start_failed":  broke("starting container failed: OCI runtime create failed", "c", 127),
		"other":         broke("No such container: web.1.x", "", 0),
		"no_such_image": rejected("No such image: web:2"),
		"rejected":      rejected("invalid mount config for type \"bind\": bind source path does not exist: /x"),
		"orphaned":      aTask("web", 1, 0, swarm.TaskStateOrphaned, shutdown, "n2"),
	} {
		got := ""
		f := newFailures(state.NewCounts(), func(id string) bool { return m.oom[id] }, func(h happened) {
			if h.what == failed {
				got = h.why
			}
		})
		f.begun = true
		f.count(newCluster([]swarm.Service{aService("web", 1)}, []swarm.Task{task}, nil))
		if got != want {
			t.Errorf("%s: told %q", want, got)
		}
	}
}

func TestSchedulingFailuresHaveTheirCause(t *testing.T) {
	for err, want := range map[string]model.Class{
		"no suitable node (scheduling constraints not satisfied on 3 nodes)":                      model.UnscheduledAffinity,
		"no suitable node (1 node not available for new tasks; insufficient resources on 1 node)": model.UnscheduledCordon,
		"no suitable node (host-mode port already in use on 1 node)":                              model.UnscheduledPort,
		"no suitable node (max replicas per node limit exceed)":                                   model.UnscheduledSpread,
		"no suitable node (unsupported platform on 1 node)":                                       model.UnscheduledPlatform,
		"no suitable node (missing plugin on 1 node)":                                             model.UnscheduledOther,
		"no suitable node": model.UnscheduledOther,
	} {
		if got := unscheduled(err); got != want {
			t.Errorf("%s: %s, want %s", err, got, want)
		}
	}
}

func TestRolloutsComeToOneResultEach(t *testing.T) {
	m := newManager(t)
	service := aService("web", 1)
	say := func(s swarm.UpdateState, at int) {
		began, done := began.Add(time.Duration(at)*time.Minute), began.Add(time.Duration(at)*time.Minute+time.Second)
		service.UpdateStatus = &swarm.UpdateStatus{State: s, StartedAt: &began, CompletedAt: &done}
		m.says("services", []swarm.Service{service})
		m.lists(t)
		m.lists(t)
	}
	say(swarm.UpdateStateCompleted, 0)
	say(swarm.UpdateStateUpdating, 1)
	say(swarm.UpdateStateCompleted, 1)
	say(swarm.UpdateStateCompleted, 2) // faster than it was looked at
	service.UpdateStatus = nil         // scaled
	m.says("services", []swarm.Service{service})
	m.lists(t)
	say(swarm.UpdateStatePaused, 3)
	say(swarm.UpdateStateUpdating, 4)
	say(swarm.UpdateStateRollbackStarted, 5)
	say(swarm.UpdateStateRollbackCompleted, 5)
	want := strings.ReplaceAll("rollout_started, rollout_completed, rollout_started, rollout_completed, rollout_started, rollout_failed, rollout_started, rolled_back", "rol", "web rol")
	if got := m.told(); got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
}

func TestNodesOfOneNameAreToldApart(t *testing.T) {
	m := newManager(t)
	m.says("nodes", []swarm.Node{aNode("n1", "host", swarm.NodeStateReady), aNode("n2", "host", swarm.NodeStateReady), aNode("n3", "", swarm.NodeStateReady)})
	names := ""
	for _, n := range m.lists(t).Nodes {
		names += n.Node + " "
	}
	if names != "n1 n2 n3 " {
		t.Errorf("got %s", names)
	}
}

func TestWhatHappensToNodesIsTold(t *testing.T) {
	m := newManager(t)
	m.lists(t)
	drained := aNode("n2", "host2", swarm.NodeStateDown)
	drained.Spec.Availability = swarm.NodeAvailabilityDrain
	m.says("nodes", []swarm.Node{aNode("n1", "host1", swarm.NodeStateReady), drained})
	l := m.lists(t)
	if got := m.told(); got != "node_not_ready, node_cordoned" || l.Nodes[1].Availability != model.Drained {
		t.Errorf("told %s of %+v", got, l.Nodes[1])
	}
	m.says("nodes", []swarm.Node{aNode("n2", "host2", swarm.NodeStateReady), aNode("n3", "host3", swarm.NodeStateReady)})
	m.lists(t)
	if got := m.told(); !strings.Contains(got, "node_joined") || !strings.Contains(got, "node_left") || !strings.Contains(got, "node_ready") || !strings.Contains(got, "node_uncordoned") {
		t.Errorf("told %s", got)
	}
}

func TestAnEngineThatIsNoManagerHasItsReason(t *testing.T) {
	for name, test := range map[string]struct {
		code   int
		info   string
		reason source.Reason
	}{
		"in no Swarm":    {http.StatusOK, `{"Swarm":{"LocalNodeState":"inactive"}}`, source.Absent},
		"of no version":  {http.StatusOK, `{}`, source.Absent},
		"locked":         {http.StatusOK, `{"Swarm":{"LocalNodeState":"locked"}}`, source.Absent},
		"a worker":       {http.StatusOK, `{"Swarm":{"LocalNodeState":"active","ControlAvailable":false}}`, source.Forbidden},
		"behind a proxy": {http.StatusForbidden, `{"message":"no"}`, source.Forbidden},
	} {
		m := newManager(t)
		m.Fail("/info", test.code, test.info)
		if _, _, err := m.source.Fetch(t.Context()); source.ReasonOf(err) != test.reason {
			t.Errorf("%s: %s (%v), want %s", name, source.ReasonOf(err), err, test.reason)
		}
	}
	for _, list := range []string{"/services", "/tasks", "/nodes"} {
		m := newManager(t)
		m.Answer(list, "[{")
		if _, _, err := m.source.Fetch(t.Context()); source.ReasonOf(err) != source.Invalid {
			t.Errorf("%s: %v", list, err)
		}
	}
}

func FuzzClusters(f *testing.F) {
	for _, seed := range []string{
		`{"S":[{"ID":"s","Spec":{"Name":"web","Mode":{"Replicated":{}}}}],"T":[{"ID":"t","ServiceID":"s","Slot":1,"Status":{"State":"failed"}}],"N":[{"ID":"n"}]}`,
		`{"S":[{"ID":"s","Spec":{"Name":"job","Mode":{"ReplicatedJob":{}}},"JobStatus":{}}],"T":[{"ID":"t","ServiceID":"s","JobIteration":{},"Status":{"State":"complete"}}]}`,
		`{"S":[{"ID":"s","Spec":{"Name":"odd"},"UpdateStatus":{"State":"?"}}],"T":[{"ID":"t","ServiceID":"s","NodeID":"gone","Status":{"State":"?","Err":"no suitable node ("}}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var in struct {
			S []swarm.Service
			T []swarm.Task
			N []swarm.Node
		}
		if json.Unmarshal([]byte(text), &in) != nil {
			return
		}
		s := New(Options{
			Counts: state.NewCounts(), Owner: func(map[string]string) string { return "" },
			OOMKilled: func(string) bool { return true }, Event: func(model.Ref, model.Class, model.EventType) {},
		})
		for range 2 {
			c := newCluster(in.S, in.T, in.N)
			s.count(c)
			pods := map[string]bool{}
			for _, p := range s.lists(c).Pods {
				if k := p.Name + " " + p.Pod; pods[k] {
					t.Errorf("%s is there twice", k)
				} else {
					pods[k] = true
				}
			}
		}
	})
}

// BenchmarkListing is what is made of a thousand services of two tasks each, with four
// ended ones a slot.
func BenchmarkListing(b *testing.B) {
	var services []swarm.Service
	var tasks []swarm.Task
	for i := range 1000 {
		name := fmt.Sprint("service", i)
		services = append(services, aService(name, 2))
		for slot := range 2 {
			for n := range 4 {
				tasks = append(tasks, after(aTask(name, slot+1, n, swarm.TaskStateFailed, shutdown, "n1"), "task: non-zero exit (1)", "c", 1))
			}
			tasks = append(tasks, aTask(name, slot+1, 4, running, running, "n1"))
		}
	}
	s := New(Options{
		Counts: state.NewCounts(), Owner: func(map[string]string) string { return "" },
		OOMKilled: func(string) bool { return false }, Event: func(model.Ref, model.Class, model.EventType) {},
	})
	b.ReportAllocs()
	for b.Loop() {
		c := newCluster(services, tasks, []swarm.Node{aNode("n1", "host1", swarm.NodeStateReady)})
		s.count(c)
		s.lists(c)
	}
}
