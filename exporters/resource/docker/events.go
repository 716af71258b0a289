package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
)

const (
	// overlap is how far before the last event that was told a stream is opened
	// again: the daemon stamps events before it puts them into order.
	overlap = 5 * time.Second
	// overlapCount bounds what is remembered of the overlap. The daemon itself
	// keeps its last 256 events.
	overlapCount = 1024
	// runningCount bounds the containers of which the start was seen.
	runningCount = 4096
	// answerDeadline bounds waiting for a stream to begin: a daemon that hangs
	// accepts connections and says nothing.
	answerDeadline = 10 * time.Second
	// inspectDeadline bounds asking for one exit code, which holds up the stream.
	inspectDeadline = 2 * time.Second
)

// stream is what is known of the events so far. It belongs to Watch.
type stream struct {
	since time.Time // what the daemon's stamp must be at least, for an event to be told
	last  time.Time // the latest stamp
	told  map[occurrence]struct{}
	order []occurrence // of told, oldest first
	// running has the containers whose start was told, and says whether a label of
	// theirs hides the exit code.
	running map[string]bool
}

// occurrence tells an event from all others.
type occurrence struct {
	id     string
	action events.Action
	nano   int64
}

// Watch calls on with the events of the daemon's containers until the stream
// breaks, and returns why. connected is called once the daemon answers.
//
// What happened since the last call is told first as far as the daemon remembers
// it, and nothing is told twice; nothing is told from before the first call. It may
// be called beside Fetch, by one goroutine at a time.
func (s *Source) Watch(ctx context.Context, connected func(detail string), on func(container.Event)) error {
	if s.stream.since.IsZero() {
		s.stream = stream{since: time.Now(), told: map[occurrence]struct{}{}, running: map[string]bool{}}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A stream is silent for as long as nothing happens, but it begins at once.
	silence := time.AfterFunc(answerDeadline, func() { cancel(context.DeadlineExceeded) })
	defer silence.Stop()
	ctx = onAnswer(ctx, func() {
		if silence.Stop() {
			connected(s.host)
		}
	})
	filters := client.Filters{}.Add("type", string(events.ContainerEventType))
	for _, a := range []events.Action{events.ActionCreate, events.ActionStart, events.ActionOOM, events.ActionDie} {
		filters.Add("event", string(a))
	}
	result := s.client.Events(ctx, client.EventsListOptions{Since: s.stream.from(), Filters: filters})
	for {
		select {
		case m := <-result.Messages:
			s.take(ctx, m, on)
		case err := <-result.Err:
			if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
				err = cause
			}
			return s.broke(err)
		}
	}
}

// from is the time from which on the stream is asked for, in the API's form.
func (t *stream) from() string {
	from := t.last.Add(-overlap)
	if from.Before(t.since) {
		from = t.since
	}
	return fmt.Sprintf("%d.%09d", from.Unix(), from.Nanosecond())
}

// broke says why the stream broke.
func (s *Source) broke(err error) error {
	err = because(fmt.Errorf("reading the events of %s: %w", s.host, err))
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return source.Because(source.Absent, err)
	case source.ReasonOf(err) == source.Invalid:
		// It would break at the same event for as long as the daemon remembers it.
		s.stream.since = time.Now()
	}
	return err
}

// take tells an event unless it was told before.
func (s *Source) take(ctx context.Context, m events.Message, on func(container.Event)) {
	if m.Type != events.ContainerEventType || m.Actor.ID == "" || !s.stream.isNew(m) {
		return
	}
	e := container.Event{Key: m.Actor.ID, ID: m.Actor.ID, Engine: engineOf(m)}
	switch m.Action {
	case events.ActionCreate:
		e.Kind = container.Created
	case events.ActionStart:
		e.Kind = container.Created
		s.stream.started(m)
	case events.ActionOOM:
		e.Kind = container.OOMKilled
	case events.ActionDie:
		e.Kind, e.ExitCode = container.Ended, s.exitCode(ctx, m)
		delete(s.stream.running, m.Actor.ID)
	default:
		return
	}
	on(e)
}

// isNew says whether an event was not told yet, and notes it.
func (t *stream) isNew(m events.Message) bool {
	o := occurrence{m.Actor.ID, m.Action, m.TimeNano}
	if _, told := t.told[o]; told {
		return false
	}
	if at := time.Unix(0, m.TimeNano); at.After(t.last) {
		t.last = at
	}
	t.told[o] = struct{}{}
	t.order = append(t.order, o)
	if len(t.order) > overlapCount {
		delete(t.told, t.order[0])
		t.order = t.order[1:]
	}
	return true
}

// Attributes that the daemon mixes with a container's labels. It sets the name and
// the image over labels of those names, but labels over its own exit code.
const (
	attributeName     = "name"
	attributeImage    = "image"
	attributeExitCode = "exitCode"
)

// engineOf is what an event says of its container. Labels that the daemon's own
// attributes hide are missing; those of an end have its own attributes among them.
func engineOf(m events.Message) *container.Engine {
	e := &container.Engine{ID: m.Actor.ID, Name: m.Actor.ID, Labels: make(map[string]string, len(m.Actor.Attributes))}
	for name, value := range m.Actor.Attributes {
		switch name {
		case attributeName:
			e.Name = nameOf([]string{value}, m.Actor.ID)
		case attributeImage:
			e.Image = value
		default:
			e.Labels[name] = value
		}
	}
	e.Sandbox = isSandbox(e.Labels)
	return e
}

// started notes whether what the daemon will say of the container's end can be
// believed: at its start all attributes but name and image are labels.
func (t *stream) started(m events.Message) {
	if len(t.running) >= runningCount {
		clear(t.running) // their exit codes are asked for
	}
	_, t.running[m.Actor.ID] = m.Actor.Attributes[attributeExitCode]
}

// exitCode is an ended container's. Where a label may hide it the daemon is asked.
func (s *Source) exitCode(ctx context.Context, m events.Message) int {
	if hidden, seen := s.stream.running[m.Actor.ID]; seen && !hidden {
		if code, err := strconv.ParseUint(m.Actor.Attributes[attributeExitCode], 10, 8); err == nil {
			return int(code)
		}
		return container.UnknownExitCode
	}
	ctx, cancel := context.WithTimeout(ctx, inspectDeadline)
	defer cancel()
	answer, err := s.client.ContainerInspect(ctx, m.Actor.ID, client.ContainerInspectOptions{})
	if state := answer.Container.State; err == nil && state != nil && !state.Running {
		return state.ExitCode
	}
	return container.UnknownExitCode // it is gone, or was started again
}
