package docker

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/state"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/dockerclient/dockertest"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// engine is a Docker engine that says what it is told to.
type engine struct {
	*dockertest.Daemon
	had    *dockertest.Events
	source *Source
	told   []string
}

func newEngine(t *testing.T) *engine {
	t.Helper()
	e := &engine{}
	e.Daemon, e.had = dockertest.StartEvents(t)
	client, err := dockerclient.New(e.Host, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	e.source = New(Options{
		Client: client, Counts: state.NewCounts(), Owner: func(labels map[string]string) string { return labels["team"] },
		Event: func(r model.Ref, c model.Class, _ model.EventType) {
			e.told = append(e.told, strings.TrimSpace(r.Name+" "+string(c)))
		},
	})
	e.Answer("/info", `{"Name":"host","NCPU":2,"MemTotal":4096,"ServerVersion":"20.10"}`)
	e.Answer("/containers/json", `[]`)
	return e
}

// has has the engine say of containers what the list and the inspection have of them.
func (e *engine) has(containers ...string) {
	var list []string
	for i, inspected := range containers {
		id := fmt.Sprintf("id%d", i)
		e.Answer("/containers/"+id+"/json", inspected)
		var is struct {
			Name, Image string
			State       struct{ Status string }
			Config      struct{ Labels json.RawMessage }
		}
		if err := json.Unmarshal([]byte(inspected), &is); err != nil {
			panic(err)
		}
		if is.Config.Labels == nil {
			is.Config.Labels = json.RawMessage("null")
		}
		list = append(list, fmt.Sprintf(`{"Id":%q,"Names":[%q],"Image":"web:1","State":%q,"Labels":%s}`, id, "/"+is.Name, is.State.Status, is.Config.Labels))
	}
	e.Answer("/containers/json", "["+strings.Join(list, ",")+"]")
}

func (e *engine) lists(t *testing.T) *model.Lists {
	t.Helper()
	l, _, err := e.source.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// watch takes the events that were added, until the stream breaks.
func (e *engine) watch(t *testing.T) string {
	t.Helper()
	_ = e.source.Watch(t.Context(), func(string) {})
	text := strings.Join(e.told, ", ")
	e.told = nil
	return text
}

func TestContainersAreToldOnceByWhoeverRunsThem(t *testing.T) {
	e := newEngine(t)
	task := `"com.docker.swarm.service.name":"api","com.docker.swarm.task.name":"api.1.x","com.docker.swarm.task.id":"x"`
	all := []string{
		`{"Name":"web","State":{"Status":"running"}}`,
		`{"Name":"api.1.x","State":{"Status":"running"},"Config":{"Labels":{` + task + `}}}`,
		`{"Name":"k8s","State":{"Status":"running"},"Config":{"Labels":{"io.kubernetes.pod.name":"p"}}}`,
	}
	e.has(all...)
	names := func() (out string) {
		l := e.lists(t)
		for _, p := range l.Pods {
			out += p.Pod + " "
		}
		return fmt.Sprintf("%s%d nodes", out, len(l.Nodes))
	}
	if got := names(); got != "api.1 web 1 nodes" {
		t.Errorf("in no Swarm: %s", got)
	}
	e.Answer("/info", `{"Name":"host","Swarm":{"LocalNodeState":"active"}}`)
	if got := names(); got != "web 0 nodes" {
		t.Errorf("in a Swarm: %s", got)
	}
}

func TestAContainerIsInspectedWhenSomethingHappens(t *testing.T) {
	e := newEngine(t)
	e.has(`{"Name":"web","State":{"Status":"running"}}`)
	inspected := func(listings int) int {
		t.Helper()
		const path = "/v1.41/containers/id0/json"
		before := e.Times(path)
		for range listings {
			e.lists(t)
		}
		return e.Times(path) - before
	}
	if n := inspected(3); n != 3 {
		t.Errorf("while no events are told it was inspected %d times in three listings", n)
	}
	e.source.listening(true)
	if n := inspected(3); n != 1 {
		t.Errorf("once they are told it was inspected %d times in three listings", n)
	}
	e.source.take(t.Context(), events.Message{Type: events.ContainerEventType, Action: events.ActionPause, Actor: events.Actor{ID: "id0"}})
	if n := inspected(3); n != 1 {
		t.Errorf("after an event it was inspected %d times in three listings", n)
	}
	e.has(`{"Name":"web","State":{"Status":"exited","ExitCode":1,"FinishedAt":"2026-01-01T00:00:00Z"}}`)
	if n, p := inspected(3), e.lists(t).Pods[0]; n != 1 || p.Phase != model.Failed {
		t.Errorf("in another state it was inspected %d times, and is %s", n, p.Phase)
	}
}

func TestAContainerThatCannotBeInspectedIsAsTheListSays(t *testing.T) {
	e := newEngine(t)
	e.has(`{"Name":"web","State":{"Status":"running"},"RestartCount":2}`)
	e.Fail("/containers/id0/json", http.StatusInternalServerError, `{"message":"busy"}`)
	l := e.lists(t)
	if r := l.Workloads[0].Replicas; r.Desired.N != 1 || r.Ready.N != 1 {
		t.Errorf("got %+v", r)
	}
	e.has(`{"Name":"web","State":{"Status":"running"},"RestartCount":2}`)
	if l = e.lists(t); l.Pods[0].Containers[0].Restarts.N != 2 {
		t.Error("it was not asked for again")
	}
}

func TestDesiredIsWhatTheEngineKeepsUp(t *testing.T) {
	policy := func(name string, most int) string {
		return fmt.Sprintf(`"HostConfig":{"RestartPolicy":{"Name":%q,"MaximumRetryCount":%d}}`, name, most)
	}
	for name, test := range map[string]struct {
		container      string
		desired, ready int64
	}{
		"running":                   {`"State":{"Status":"running"}`, 1, 1},
		"starting to be healthy":    {`"State":{"Status":"running","Health":{"Status":"starting"}}`, 1, 0},
		"unhealthy":                 {`"State":{"Status":"running","Health":{"Status":"unhealthy"}}`, 1, 0},
		"healthy":                   {`"State":{"Status":"running","Health":{"Status":"healthy"}}`, 1, 1},
		"paused":                    {`"State":{"Status":"paused"}`, 1, 0},
		"restarting":                {`"State":{"Status":"restarting"}`, 1, 0},
		"created":                   {`"State":{"Status":"created"}`, 0, 0},
		"that could not be started": {`"State":{"Status":"created","Error":"no such file","ExitCode":127}`, 1, 0},
		"that did its work":         {`"State":{"Status":"exited","ExitCode":0}`, 0, 0},
		"stopped by hand":           {`"State":{"Status":"exited","ExitCode":143},` + policy("always", 0), 0, 0},
		"given up":                  {`"State":{"Status":"exited","ExitCode":1},"RestartCount":3,` + policy("on-failure", 3), 1, 0},
		"dead":                      {`"State":{"Status":"dead"}`, 0, 0},
		"in a state of the future":  {`"State":{"Status":"dreaming"}`, 0, 0},
	} {
		e := newEngine(t)
		e.has(`{"Name":"web",` + test.container + `}`)
		if r := e.lists(t).Workloads[0].Replicas; r.Desired.N != test.desired || r.Ready.N != test.ready || r.Available.N != test.ready {
			t.Errorf("a container %s: %+v", name, r)
		}
	}
}

func TestWaysToEndAreToldApart(t *testing.T) {
	for name, test := range map[string]struct {
		steps string // actions; die=CODE, kill=SIGNAL
		want  string
	}{
		"by itself, well":                    {"create start die=0", "container_created, container_started, container_completed"},
		"by itself, badly":                   {"create start die=1", "container_created, container_started, container_died"},
		"stopped":                            {"start kill=15 die=0", "container_started, container_stopped"},
		"stopped, too slowly":                {"start kill=15 kill=9 die=137", "container_started, container_stopped"},
		"killed":                             {"start kill=9 die=137", "container_started, killed_other"},
		"told something else":                {"start kill=1 die=1", "container_started, container_died"},
		"by the OOM killer":                  {"start oom die=137", "container_started, container_oom_killed"},
		"by the OOM killer, told late":       {"start die=137 oom", "container_started, container_oom_killed"},
		"by itself, after a child's OOM":     {"start oom die=3", "container_started, container_oom_killed, container_died"},
		"stopped later, after a child's OOM": {"start oom kill=15 die=0", "container_started, container_oom_killed, container_stopped"},
		"never started":                      {"create die=127", "container_created"},
		"started again":                      {"start die=1 start die=1", "container_started, container_died, container_started, container_died"},
		"started before the exporter":        {"die=1", "container_died"},
		"unhealthy":                          {"start health_status:_unhealthy health_status:_healthy", "container_started, unhealthy_other"},
	} {
		e := newEngine(t)
		// Started before: the daemon is asked how it ended.
		e.Answer("/containers/id/json", `{"State":{"Status":"exited","ExitCode":1}}`)
		for i, step := range strings.Fields(test.steps) {
			action, value, _ := strings.Cut(step, "=")
			attributes := map[string]string{"name": "web"}
			switch action {
			case "die":
				attributes["exitCode"] = value
			case "kill":
				attributes["signal"] = value
			}
			e.had.Add(time.Minute+time.Duration(i), events.Action(strings.ReplaceAll(action, ":_", ": ")), "id", attributes)
		}
		want := "web " + strings.ReplaceAll(test.want, ", ", ", web ")
		if got := e.watch(t); got != want {
			t.Errorf("%s: told %s\nwant %s", name, got, want)
		}
	}
}

func TestAnEndBySIGKILLWaitsForTheOOMKillersWord(t *testing.T) {
	e := newEngine(t)
	attributes := map[string]string{"name": "web", "exitCode": "137"}
	e.had.Add(time.Minute, events.ActionStart, "id", map[string]string{"name": "web"})
	e.had.Add(time.Minute+1, events.ActionDie, "id", attributes)
	if got := e.watch(t); got != "web container_started" {
		t.Errorf("told %s", got)
	}
	settled := func() bool {
		e.source.open["id"] = open{e.source.open["id"].place, e.source.open["id"].told.Add(-late)}
		return !e.source.settle()
	}
	if !settled() || e.source.settle() {
		t.Error("it is still open")
	}
	if got := strings.Join(e.told, ", "); got != "web container_died" {
		t.Errorf("told %s", got)
	}
}

func TestWhatIsRememberedOfContainersIsBounded(t *testing.T) {
	e := newEngine(t)
	for i := range 2*remembered + 100 {
		e.source.note(fmt.Sprint(i), hierarchy.Place{}, happened{action: events.ActionStart})
		e.source.note(fmt.Sprint(i), hierarchy.Place{}, happened{action: events.ActionOOM})
	}
	for i := range 2*remembered + 100 {
		e.source.note(fmt.Sprint("e", i), hierarchy.Place{}, happened{action: events.ActionDie, code: 137})
	}
	s := e.source
	if len(s.changed) > remembered || len(s.lives) > remembered || len(s.ends) > remembered || len(s.open) > remembered {
		t.Errorf("%d, %d, %d and %d are remembered", len(s.changed), len(s.lives), len(s.ends), len(s.open))
	}
	e.lists(t)
	if len(s.ends) > remembered/2 || len(s.changed) > 0 {
		t.Errorf("%d ends and %d changes of containers that are gone are remembered", len(s.ends), len(s.changed))
	}
}

func TestAContainerThatCannotBeStartedIsToldOnce(t *testing.T) {
	e := newEngine(t)
	const web, failing = `{"Name":"web","State":{"Status":"created"}}`, `{"Name":"web","State":{"Status":"created","Error":"no such file","ExitCode":127}}`
	e.has(web)
	e.lists(t)
	e.has(failing)
	for range 3 {
		e.source.changed["id0"] = true
		e.lists(t)
	}
	if got := strings.Join(e.told, ", "); got != "web start_failed" {
		t.Errorf("told %s", got)
	}
	later := newEngine(t)
	later.has(failing)
	later.lists(t)
	if len(later.told) > 0 {
		t.Errorf("told %v of what was there before", later.told)
	}
}

func TestPullsAreCounted(t *testing.T) {
	e := newEngine(t)
	e.had.AddMessage(time.Minute, events.Message{Type: events.ImageEventType, Action: events.ActionPull, Actor: events.Actor{ID: "web:1"}})
	e.had.AddMessage(time.Minute+1, events.Message{Type: events.ImageEventType, Action: events.ActionDelete, Actor: events.Actor{ID: "web:1"}})
	if got := e.watch(t); got != "pull_succeeded" {
		t.Errorf("told %s", got)
	}
}

func FuzzContainers(f *testing.F) {
	f.Add(`{"Id":"a","Names":["/web"],"State":"running"}`, `{"State":{"Status":"running","FinishedAt":"x"},"RestartCount":-1}`)
	f.Add(`{"Id":"a","Labels":{"com.docker.compose.project":"p","com.docker.compose.service":"s"},"State":"?"}`, `{"State":{"ExitCode":300,"OOMKilled":true}}`)
	f.Fuzz(func(t *testing.T, listed, inspected string) {
		var c container.Summary
		var is container.InspectResponse
		if json.Unmarshal([]byte(listed), &c) != nil || json.Unmarshal([]byte(inspected), &is) != nil || is.State == nil {
			return
		}
		o := &one{Summary: &c, known: knownOf(&c, &is), place: placeOf("a", c.Labels)}
		p := o.pod("node")
		if p.Phase == "" || p.Containers[0].Restarts.N < 0 {
			t.Errorf("got %+v", p)
		}
		_ = o.desired()
		_ = o.ready()
	})
}

func FuzzEvents(f *testing.F) {
	f.Add(`{"Type":"container","Action":"die","Actor":{"ID":"a","Attributes":{"exitCode":"137","name":"web"}},"timeNano":1}`)
	f.Add(`{"Type":"container","Action":"oom","Actor":{"ID":"a"}}`)
	f.Add(`{"Type":"image","Action":"pull","Actor":{"ID":"a"}}`)
	f.Add(`{"Type":"service","Action":"update","Actor":{"ID":"a"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var m events.Message
		if json.Unmarshal([]byte(text), &m) != nil || m.Actor.ID == "" {
			return
		}
		client, err := dockerclient.New("unix:///nothing", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		s := New(Options{Client: client, Counts: state.NewCounts(), Event: func(r model.Ref, c model.Class, of model.EventType) {
			if len(r.Name) > family.MaxLabelBytes || len(r.Namespace) > family.MaxLabelBytes || !slices.Contains(model.Classes(), c) || of == "" {
				t.Errorf("told %s, %s of %+v", c, of, r)
			}
		}})
		s.take(t.Context(), m)
		s.take(t.Context(), m)
	})
}
