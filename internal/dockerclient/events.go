package dockerclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

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

// UnknownExitCode is the exit code of a container that nobody can tell.
const UnknownExitCode = -1

// Events are a daemon's events from the first call of Watch on. They belong to one
// goroutine at a time.
type Events struct {
	client *Client

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

// NewEvents returns a daemon's events.
func NewEvents(c *Client) *Events {
	return &Events{client: c, told: map[occurrence]struct{}{}, running: map[string]bool{}}
}

// Watch calls on with the daemon's events that pass the filters until the stream
// breaks, and returns why. connected is called once the daemon answers.
//
// What happened since the last call is told first as far as the daemon remembers
// it, and nothing is told twice; nothing is told from before the first call.
func (e *Events) Watch(ctx context.Context, filters client.Filters, connected func(detail string), on func(context.Context, events.Message)) error {
	if e.since.IsZero() {
		e.since = time.Now()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A stream is silent for as long as nothing happens, but it begins at once.
	silence := time.AfterFunc(answerDeadline, func() { cancel(context.DeadlineExceeded) })
	defer silence.Stop()
	ctx = onAnswer(ctx, func() {
		if silence.Stop() {
			connected(e.client.Host)
		}
	})
	result := e.client.Events(ctx, client.EventsListOptions{Since: e.from(), Filters: filters})
	for {
		select {
		case m := <-result.Messages:
			if m.Actor.ID != "" && e.isNew(m) {
				on(ctx, m)
			}
		case err := <-result.Err:
			if cause := context.Cause(ctx); errors.Is(cause, context.DeadlineExceeded) {
				err = cause
			}
			return e.broke(err)
		}
	}
}

// from is the time from which on the stream is asked for, in the API's form.
func (e *Events) from() string {
	from := e.last.Add(-overlap)
	if from.Before(e.since) {
		from = e.since
	}
	return fmt.Sprintf("%d.%09d", from.Unix(), from.Nanosecond())
}

// broke says why the stream broke.
func (e *Events) broke(err error) error {
	err = Because(fmt.Errorf("reading the events of %s: %w", e.client.Host, err))
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return source.Because(source.Absent, err)
	case source.ReasonOf(err) == source.Invalid:
		// It would break at the same event for as long as the daemon remembers it.
		e.since = time.Now()
	}
	return err
}

// isNew says whether an event was not told yet, and notes it.
func (e *Events) isNew(m events.Message) bool {
	o := occurrence{m.Actor.ID, m.Action, m.TimeNano}
	if _, told := e.told[o]; told {
		return false
	}
	switch at := time.Unix(0, m.TimeNano); {
	case at.After(e.last):
		e.last = at
	case e.last.Sub(at) > overlap: // the daemon's clock was set back
		e.since, e.last = at, at
	}
	e.told[o] = struct{}{}
	e.order = append(e.order, o)
	if len(e.order) > overlapCount {
		delete(e.told, e.order[0])
		e.order = e.order[1:]
	}
	return true
}

// Attributes that the daemon mixes with a container's labels. It sets the name and
// the image over labels of those names, but labels over its own exit code.
const (
	AttributeName     = "name"
	AttributeImage    = "image"
	attributeExitCode = "exitCode"
)

// Started notes whether what the daemon will say of the container's end can be
// believed: at its start all attributes but name and image are labels.
func (e *Events) Started(m events.Message) {
	if len(e.running) >= runningCount {
		clear(e.running) // their exit codes are asked for
	}
	_, e.running[m.Actor.ID] = m.Actor.Attributes[attributeExitCode]
}

// ExitCode is that of a container whose end an event tells, UnknownExitCode where
// nobody knows it any more. Where a label may hide it the daemon is asked.
func (e *Events) ExitCode(ctx context.Context, m events.Message) int {
	hidden, seen := e.running[m.Actor.ID]
	delete(e.running, m.Actor.ID)
	if seen && !hidden {
		if code, err := strconv.ParseUint(m.Actor.Attributes[attributeExitCode], 10, 8); err == nil {
			return int(code)
		}
		return UnknownExitCode
	}
	ctx, cancel := context.WithTimeout(ctx, inspectDeadline)
	defer cancel()
	answer, err := e.client.ContainerInspect(ctx, m.Actor.ID, client.ContainerInspectOptions{})
	if state := answer.Container.State; err == nil && state != nil && !state.Running {
		return state.ExitCode
	}
	return UnknownExitCode // it is gone, or was started again
}
