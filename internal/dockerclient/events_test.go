package dockerclient

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/internal/dockerclient/dockertest"
)

func TestTheMemoryOfEventsIsBounded(t *testing.T) {
	d, had := dockertest.StartEvents(t)
	n := max(overlapCount, runningCount) + 100
	for i := range n {
		had.Add(time.Minute+time.Duration(i), events.ActionStart, fmt.Sprint(i), nil)
	}
	c, err := New(d.Host, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e, told := NewEvents(c), 0
	_ = e.Watch(t.Context(), client.Filters{}, func(string) {}, func(_ context.Context, m events.Message) {
		told++
		e.Started(m)
	})
	if told != n {
		t.Errorf("%d of %d were told", told, n)
	}
	if n := len(e.told); n != overlapCount || len(e.order) != n || len(e.running) > runningCount {
		t.Errorf("%d, %d and %d are remembered", n, len(e.order), len(e.running))
	}
}

func TestAClockThatIsSetBackHidesNothing(t *testing.T) {
	d, had := dockertest.StartEvents(t)
	c, err := New(d.Host, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e := NewEvents(c)
	told := func() (ids string) {
		_ = e.Watch(t.Context(), client.Filters{}, func(string) {}, func(_ context.Context, m events.Message) { ids += m.Actor.ID })
		return ids
	}
	had.Add(time.Hour, events.ActionStart, "a", nil)
	if got := told(); got != "a" {
		t.Errorf("told are %q", got)
	}
	e.since = e.since.Add(time.Hour) // it was started before the clock was set back
	// What happens is told whatever was asked for.
	had.Begin(fmt.Sprintf(`{"Type":"container","Action":"start","Actor":{"ID":"b"},"timeNano":%d}`, time.Now().UnixNano()))
	if got := told(); got != "b" {
		t.Errorf("told are %q when the clock is set back", got)
	}
	had.Add(time.Second, events.ActionStart, "c", nil)
	if got := told(); got != "c" {
		t.Errorf("told are %q after the stream broke", got)
	}
}

func TestAnEndedContainerIsForgotten(t *testing.T) {
	d := dockertest.Start(t)
	c, err := New(d.Host, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	e := NewEvents(c)
	for _, hidden := range []bool{false, true} {
		m := events.Message{Actor: events.Actor{ID: "a", Attributes: map[string]string{}}}
		if hidden {
			m.Actor.Attributes[attributeExitCode] = "0"
		}
		e.Started(m)
		m.Actor.Attributes[attributeExitCode] = "3"
		want := 3
		if hidden {
			want = UnknownExitCode // the daemon knows it no more
		}
		if got := e.ExitCode(t.Context(), m); got != want || len(e.running) != 0 {
			t.Errorf("hidden %v: exit code %d, want %d; %v are remembered", hidden, got, want, e.running)
		}
	}
}
