package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/events"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/dockerclient/dockertest"
	"github.com/loadline-exporters/loadline/internal/source"
)

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
	d, b := dockertest.StartEvents(t)
	labels := map[string]string{"name": "web", "image": "nginx:1", "com.docker.compose.project": "shop"}
	ended := maps.Clone(labels)
	ended["exitCode"] = "137"
	b.Add(time.Minute+0, events.ActionCreate, "a", labels)
	b.Add(time.Minute+1, events.ActionStart, "a", labels)
	b.Add(time.Minute+2, events.ActionOOM, "a", labels)
	b.Add(time.Minute+3, events.ActionDie, "a", ended)
	b.Add(time.Minute+4, events.ActionDestroy, "a", labels)
	b.Add(time.Minute+5, events.ActionCreate, "", labels)
	b.Add(time.Minute+6, "exec_die", "a", map[string]string{"exitCode": "1"})
	b.Add(time.Minute+7, events.ActionCreate, "pod", map[string]string{"io.kubernetes.docker.type": "podsandbox"})
	b.AddMessage(time.Minute, events.Message{Type: events.NetworkEventType, Action: events.ActionCreate, Actor: events.Actor{ID: "net"}})
	told, connected, err := watch(t, newSource(t, d.Host))
	if want := "created a, created a, killed a, ended a 137, created pod"; show(told) != want || connected != 1 {
		t.Errorf("connected %d times, told %s; want %s", connected, show(told), want)
	}
	if source.ReasonOf(err) != source.Absent || !strings.Contains(err.Error(), d.Host) {
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
	d, b := dockertest.StartEvents(t)
	s := newSource(t, d.Host)
	b.Add(-time.Hour, events.ActionOOM, "before the exporter", nil)
	b.Add(time.Minute, events.ActionOOM, "a", nil)
	b.Add(2*time.Minute, events.ActionOOM, "b", nil)
	if told, _, _ := watch(t, s); show(told) != "killed a, killed b" {
		t.Fatalf("told %s", show(told))
	}
	// Meanwhile; the stamp of one is older than the last that was told.
	b.Add(2*time.Minute-time.Second, events.ActionOOM, "c", nil)
	b.Add(2*time.Minute+time.Second, events.ActionOOM, "b", nil)
	if told, _, _ := watch(t, s); show(told) != "killed c, killed b" {
		t.Errorf("told %s", show(told))
	}
	for range 3 {
		if told, connected, _ := watch(t, s); len(told) > 0 || connected != 1 {
			t.Errorf("told again: %s", show(told))
		}
	}
	if asked := b.Asked(); !slices.IsSorted(asked) || asked[1] == asked[0] {
		t.Errorf("events were asked for since %v", asked)
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
			d, b := dockertest.StartEvents(t)
			if test.answer != "" {
				d.Answer("/containers/a/json", test.answer)
			}
			if test.started {
				b.Add(time.Second, events.ActionStart, "a", attributes)
			}
			b.Add(2*time.Second, events.ActionDie, "a", attributes)
			s := newSource(t, d.Host)
			told, _, _ := watch(t, s)
			if len(told) == 0 {
				t.Fatal("nothing was told")
			}
			e := told[len(told)-1]
			if e.Kind != container.Ended || e.ExitCode != test.want || e.Engine.Name != "true" || e.Engine.Image != "true:1" {
				t.Errorf("told %s %+v, want exit code %d", show(told), e.Engine, test.want)
			}
		})
	}
}

func TestAnExitCodeThatIsNoneIsUnknown(t *testing.T) {
	for _, text := range []string{"", "x", "-1", "256", "99999999999999999999", "1 "} {
		d, b := dockertest.StartEvents(t)
		b.Add(time.Second, events.ActionStart, "a", nil)
		b.Add(2*time.Second, events.ActionDie, "a", map[string]string{"exitCode": text})
		told, _, _ := watch(t, newSource(t, d.Host))
		if len(told) != 2 || told[1].ExitCode != container.UnknownExitCode {
			t.Errorf("%q: told %s", text, show(told))
		}
	}
}

// longest is the length of the longest event that is read.
const longest = 256 << 10

func TestAnEventThatIsTooLongLosesNoOther(t *testing.T) {
	d, b := dockertest.StartEvents(t)
	b.Add(time.Second, events.ActionCreate, "first", map[string]string{"x": strings.Repeat("x", 100<<10)})
	b.Add(2*time.Second, events.ActionCreate, "hostile", map[string]string{"x": strings.Repeat("x", 3*longest)})
	b.Add(3*time.Second, events.ActionCreate, "last", nil)
	told, _, err := watch(t, newSource(t, d.Host))
	if show(told) != "created first, created last" || source.ReasonOf(err) != source.Absent {
		t.Errorf("told %s, %v", show(told), err)
	}
	if len(told[0].Engine.Labels["x"]) != 100<<10 {
		t.Errorf("a label of 100 KiB has %d bytes", len(told[0].Engine.Labels["x"]))
	}
	b.Begin(strings.Repeat("{", 2*longest)) // and no end of the line
	if _, _, err := watch(t, newSource(t, d.Host)); source.ReasonOf(err) != source.Absent && source.ReasonOf(err) != source.Invalid {
		t.Errorf("a line without an end: %v", err)
	}
}

func TestAnEventThatIsNoneIsNotReadForEver(t *testing.T) {
	d, b := dockertest.StartEvents(t)
	b.Begin(`{"Type":"container","timeNano":"x"}` + "\n")
	s := newSource(t, d.Host)
	for range 2 {
		if _, _, err := watch(t, s); source.ReasonOf(err) != source.Invalid {
			t.Fatalf("got %v", err)
		}
	}
	if asked := b.Asked(); asked[0] >= asked[1] {
		t.Errorf("events were asked for since %v", asked)
	}
}

func TestAStreamThatIsNotOpenedHasItsReason(t *testing.T) {
	d := dockertest.Start(t)
	for name, test := range map[string]struct {
		host   string
		code   int
		reason source.Reason
	}{
		"nobody listens":  {d.Host + ".none", 0, source.Absent},
		"a proxy refuses": {d.Host, http.StatusForbidden, source.Forbidden},
		"it fails":        {d.Host, http.StatusInternalServerError, source.Failed},
	} {
		d.Fail("/events", test.code, `{"message":"no"}`)
		told, connected, err := watch(t, newSource(t, test.host))
		if source.ReasonOf(err) != test.reason || connected != 0 || len(told) != 0 || !strings.Contains(err.Error(), test.host) {
			t.Errorf("%s: connected %d times: %v", name, connected, err)
		}
	}
}

func TestWatchingEndsWithItsContextAndGoesBesideFetching(t *testing.T) {
	d, b := dockertest.StartEvents(t)
	b.Stay = true
	d.Answer("/containers/json", `[{"Id":"a"}]`)
	b.Add(time.Second, events.ActionCreate, "a", nil)
	s := newSource(t, d.Host)
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
		if json.Unmarshal(data, &m) != nil || m.Actor.ID == "" {
			return
		}
		s := newSource(t, "unix:///nothing")
		s.events.Started(m)
		s.take(t.Context(), m, func(e container.Event) {
			if e.ID == "" || e.Engine.Name == "" || e.ExitCode < container.UnknownExitCode || e.ExitCode > 255 {
				t.Errorf("told %+v of %+v", e, m)
			}
		})
	})
}
