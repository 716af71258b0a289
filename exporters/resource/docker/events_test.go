package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/events"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
)

// buffer is the events that a fake daemon has had, which it tells from the time on
// that it is asked for, as Docker does.
type buffer struct {
	mu     sync.Mutex
	events []events.Message
	asked  []string // since of each request
	raw    []string // told first, at each request
	// stay keeps the stream open after the events.
	stay bool
}

func (b *buffer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	since := r.URL.Query().Get("since")
	b.asked = append(b.asked, since)
	_ = http.NewResponseController(w).Flush()
	for _, line := range b.raw {
		_, _ = io.WriteString(w, line)
	}
	for _, e := range b.events {
		if stamp := fmt.Sprintf("%d.%09d", e.TimeNano/1e9, e.TimeNano%1e9); stamp >= since {
			_ = json.NewEncoder(w).Encode(e)
		}
	}
	if b.stay {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// add adds an event of the container id, stamped some time from now.
func (b *buffer) add(from time.Duration, action events.Action, id string, attributes map[string]string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, events.Message{
		Type: events.ContainerEventType, Action: action, Actor: events.Actor{ID: id, Attributes: attributes},
		TimeNano: time.Now().Add(from).UnixNano(),
	})
}

func startEvents(t *testing.T) (*daemon, *buffer) {
	t.Helper()
	d, b := start(t), &buffer{}
	d.handle("/events", b.ServeHTTP)
	return d, b
}

// watch watches until the stream breaks.
func watch(t *testing.T, s *Source) (told []container.Event, connected int, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = s.Watch(ctx, func(string) { connected++ }, func(e container.Event) { told = append(told, e) })
	return told, connected, err
}

func show(told []container.Event) string {
	var lines []string
	for _, e := range told {
		kind := map[container.EventKind]string{container.Created: "created", container.OOMKilled: "killed", container.Ended: "ended"}[e.Kind]
		line := kind + " " + e.ID
		if e.Kind == container.Ended {
			line += fmt.Sprint(" ", e.ExitCode)
		}
		if e.Key != e.ID || e.Engine.ID != e.ID {
			line += " under another key"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}

func TestWhatHappensToContainersIsTold(t *testing.T) {
	d, b := startEvents(t)
	labels := map[string]string{"name": "web", "image": "nginx:1", "com.docker.compose.project": "shop"}
	ended := maps.Clone(labels)
	ended["exitCode"] = "137"
	b.add(time.Minute+0, events.ActionCreate, "a", labels)
	b.add(time.Minute+1, events.ActionStart, "a", labels)
	b.add(time.Minute+2, events.ActionOOM, "a", labels)
	b.add(time.Minute+3, events.ActionDie, "a", ended)
	b.add(time.Minute+4, events.ActionDestroy, "a", labels)
	b.add(time.Minute+5, events.ActionCreate, "", labels)
	b.add(time.Minute+6, "exec_die", "a", map[string]string{"exitCode": "1"})
	b.add(time.Minute+7, events.ActionCreate, "pod", map[string]string{"io.kubernetes.docker.type": "podsandbox"})
	b.events = append(b.events, events.Message{Type: events.NetworkEventType, Action: events.ActionCreate, Actor: events.Actor{ID: "net"}, TimeNano: time.Now().Add(time.Minute).UnixNano()})
	told, connected, err := watch(t, newSource(t, d.host))
	if want := "created a, created a, killed a, ended a 137, created pod"; show(told) != want || connected != 1 {
		t.Errorf("connected %d times, told %s; want %s", connected, show(told), want)
	}
	if source.ReasonOf(err) != source.Absent || !strings.Contains(err.Error(), d.host) {
		t.Errorf("the stream broke because of %v", err)
	}
	if e := told[0].Engine; e.Name != "web" || e.Image != "nginx:1" || len(e.Labels) != 1 || e.Labels["com.docker.compose.project"] != "shop" || e.Sandbox {
		t.Errorf("got %+v", e)
	}
	if e := told[4].Engine; e.Name != "pod" || !e.Sandbox {
		t.Errorf("got %+v", e)
	}
}

func TestABrokenStreamLosesAndRepeatsNothing(t *testing.T) {
	d, b := startEvents(t)
	s := newSource(t, d.host)
	b.add(-time.Hour, events.ActionOOM, "before the exporter", nil)
	b.add(time.Minute, events.ActionOOM, "a", nil)
	b.add(2*time.Minute, events.ActionOOM, "b", nil)
	if told, _, _ := watch(t, s); show(told) != "killed a, killed b" {
		t.Fatalf("told %s", show(told))
	}
	// Meanwhile; the stamp of one is older than the last that was told.
	b.add(2*time.Minute-time.Second, events.ActionOOM, "c", nil)
	b.add(2*time.Minute+time.Second, events.ActionOOM, "b", nil)
	if told, _, _ := watch(t, s); show(told) != "killed c, killed b" {
		t.Errorf("told %s", show(told))
	}
	for range 3 {
		if told, connected, _ := watch(t, s); len(told) > 0 || connected != 1 {
			t.Errorf("told again: %s", show(told))
		}
	}
	if !slices.IsSorted(b.asked) || b.asked[1] == b.asked[0] {
		t.Errorf("events were asked for since %v", b.asked)
	}
	if got, want := len(s.stream.told), 4; got != want {
		t.Errorf("%d events are remembered, want %d", got, want)
	}
}

func TestTheMemoryOfEventsIsBounded(t *testing.T) {
	d, b := startEvents(t)
	for i := range max(overlapCount, runningCount) + 100 {
		b.add(time.Minute+time.Duration(i), events.ActionStart, fmt.Sprint(i), nil)
	}
	s := newSource(t, d.host)
	if told, _, _ := watch(t, s); len(told) != len(b.events) {
		t.Errorf("%d of %d were told", len(told), len(b.events))
	}
	if n := len(s.stream.told); n != overlapCount || len(s.stream.order) != n || len(s.stream.running) > runningCount {
		t.Errorf("%d, %d and %d are remembered", n, len(s.stream.order), len(s.stream.running))
	}
}

func TestLabelsDoNotPassForWhatTheDaemonSays(t *testing.T) {
	// As Docker 20.10 tells of a container with the labels exitCode=0, name=evil and
	// image=evil that ends with status 137: labels hide the exit code, and are hidden
	// by name and image.
	attributes := map[string]string{"exitCode": "0", "name": "true", "image": "true:1"}
	inspected := func(state string) string { return `{"Id":"a","State":` + state + `}` }
	for name, test := range map[string]struct {
		started bool
		answer  string // to the inspection; without one it is gone
		want    int
	}{
		"the daemon is asked":                {true, inspected(`{"Running":false,"ExitCode":137}`), 137},
		"it is removed":                      {true, "", container.UnknownExitCode},
		"it runs again":                      {true, inspected(`{"Running":true,"ExitCode":0}`), container.UnknownExitCode},
		"it has no state":                    {true, `{"Id":"a"}`, container.UnknownExitCode},
		"it was started before the exporter": {false, inspected(`{"Running":false,"ExitCode":137}`), 137},
		"it was started before the exporter, and is gone": {false, "", container.UnknownExitCode},
	} {
		t.Run(name, func(t *testing.T) {
			d, b := startEvents(t)
			if test.answer != "" {
				d.answer("/containers/a/json", test.answer)
			}
			if test.started {
				b.add(time.Second, events.ActionStart, "a", attributes)
			}
			b.add(2*time.Second, events.ActionDie, "a", attributes)
			s := newSource(t, d.host)
			told, _, _ := watch(t, s)
			if len(told) == 0 {
				t.Fatal("nothing was told")
			}
			e := told[len(told)-1]
			if e.Kind != container.Ended || e.ExitCode != test.want || e.Engine.Name != "true" || e.Engine.Image != "true:1" {
				t.Errorf("told %s %+v, want exit code %d", show(told), e.Engine, test.want)
			}
			if len(s.stream.running) != 0 {
				t.Errorf("%v are remembered", s.stream.running)
			}
		})
	}
}

func TestAnExitCodeThatIsNoneIsUnknown(t *testing.T) {
	for _, text := range []string{"", "x", "-1", "256", "99999999999999999999", "1 "} {
		d, b := startEvents(t)
		b.add(time.Second, events.ActionStart, "a", nil)
		b.add(2*time.Second, events.ActionDie, "a", map[string]string{"exitCode": text})
		told, _, _ := watch(t, newSource(t, d.host))
		if len(told) != 2 || told[1].ExitCode != container.UnknownExitCode {
			t.Errorf("%q: told %s", text, show(told))
		}
	}
}

func TestAnEventThatIsTooLongLosesNoOther(t *testing.T) {
	d, b := startEvents(t)
	b.add(time.Second, events.ActionCreate, "first", map[string]string{"x": strings.Repeat("x", 100<<10)})
	b.add(2*time.Second, events.ActionCreate, "hostile", map[string]string{"x": strings.Repeat("x", 3*maxEvent)})
	b.add(3*time.Second, events.ActionCreate, "last", nil)
	told, _, err := watch(t, newSource(t, d.host))
	if show(told) != "created first, created last" || source.ReasonOf(err) != source.Absent {
		t.Errorf("told %s, %v", show(told), err)
	}
	if len(told[0].Engine.Labels["x"]) != 100<<10 {
		t.Errorf("a label of 100 KiB has %d bytes", len(told[0].Engine.Labels["x"]))
	}
	b.raw = []string{strings.Repeat("{", 2*maxEvent)} // and no end of the line
	if _, _, err := watch(t, newSource(t, d.host)); source.ReasonOf(err) != source.Absent && source.ReasonOf(err) != source.Invalid {
		t.Errorf("a line without an end: %v", err)
	}
}

func TestAnEventThatIsNoneIsNotReadForEver(t *testing.T) {
	d, b := startEvents(t)
	b.raw = []string{`{"Type":"container","timeNano":"x"}` + "\n"}
	s := newSource(t, d.host)
	for range 2 {
		if _, _, err := watch(t, s); source.ReasonOf(err) != source.Invalid {
			t.Fatalf("got %v", err)
		}
	}
	if b.asked[0] >= b.asked[1] {
		t.Errorf("events were asked for since %v", b.asked)
	}
}

func TestAStreamThatIsNotOpenedHasItsReason(t *testing.T) {
	d := start(t)
	for name, test := range map[string]struct {
		host   string
		code   int
		reason source.Reason
	}{
		"nobody listens":  {d.host + ".none", 0, source.Absent},
		"a proxy refuses": {d.host, http.StatusForbidden, source.Forbidden},
		"it fails":        {d.host, http.StatusInternalServerError, source.Failed},
	} {
		d.fail("/events", test.code, `{"message":"no"}`)
		told, connected, err := watch(t, newSource(t, test.host))
		if source.ReasonOf(err) != test.reason || connected != 0 || len(told) != 0 || !strings.Contains(err.Error(), test.host) {
			t.Errorf("%s: connected %d times: %v", name, connected, err)
		}
	}
}

func TestWatchingEndsWithItsContextAndGoesBesideFetching(t *testing.T) {
	d, b := startEvents(t)
	b.stay = true
	d.answer("/containers/json", `[{"Id":"a"}]`)
	b.add(time.Second, events.ActionCreate, "a", nil)
	s := newSource(t, d.host)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended, told := make(chan error), make(chan container.Event)
	go func() {
		ended <- s.Watch(ctx, func(string) {}, func(e container.Event) { told <- e })
	}()
	<-told
	if got, err := fetch(t, s); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add([]byte(`{"Type":"container","Action":"die","Actor":{"ID":"a","Attributes":{"exitCode":"1","name":"web"}},"timeNano":1}`))
	f.Add([]byte(`{"Type":"container","Action":"start","Actor":{"ID":"a"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m events.Message
		if json.Unmarshal(data, &m) != nil {
			return
		}
		s := &Source{stream: stream{told: map[occurrence]struct{}{}, running: map[string]bool{m.Actor.ID: false}}}
		told := 0
		for range 2 {
			s.take(t.Context(), m, func(e container.Event) {
				told++
				if e.ID == "" || e.Engine.Name == "" || e.ExitCode < container.UnknownExitCode || e.ExitCode > 255 {
					t.Errorf("told %+v of %+v", e, m)
				}
			})
		}
		if told > 1 {
			t.Error("told twice")
		}
	})
}
