// Package dockertest is a Docker daemon for tests that answers what it is told to,
// however odd. What a real one does is proved on real ones.
package dockertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/events"
)

// Daemon answers as Docker's API 1.41 does, by path without the version.
type Daemon struct {
	Host string

	mu      sync.Mutex
	answers map[string]http.HandlerFunc
	asked   map[string]int // requests by path, with the version
}

// Start starts a daemon on a socket of the test's own.
func Start(t testing.TB) *Daemon {
	t.Helper()
	d := &Daemon{answers: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	socket := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	d.Host = "unix://" + socket
	s := &http.Server{Handler: d}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	return d
}

// ServeHTTP answers a request.
func (d *Daemon) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1.41")
	d.mu.Lock()
	d.asked[r.URL.Path]++
	answer := d.answers[path]
	d.mu.Unlock()
	w.Header().Set("Api-Version", "1.41")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case answer != nil:
		answer(w, r)
	case path == "/_ping":
		_, _ = w.Write([]byte("OK"))
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"message":"No such thing"}`))
	}
}

// Answer has a path answered with a body.
func (d *Daemon) Answer(path, body string) { d.Fail(path, http.StatusOK, body) }

// Fail has a path answered with a status and a body.
func (d *Daemon) Fail(path string, code int, body string) {
	d.Handle(path, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	})
}

// Handle has a path answered by a function.
func (d *Daemon) Handle(path string, h http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[path] = h
}

// Times is how often a path, with the version, was asked for.
func (d *Daemon) Times(path string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked[path]
}

// Events are the events that a daemon has had, which it tells from the time on that
// it is asked for, as Docker does.
type Events struct {
	Stay bool // keep the stream open after the events

	mu    sync.Mutex
	had   []events.Message
	asked []string // since of each request
	raw   []string // told first, at each request
}

// StartEvents starts a daemon that has events.
func StartEvents(t testing.TB) (*Daemon, *Events) {
	t.Helper()
	d, e := Start(t), &Events{}
	d.Handle("/events", e.ServeHTTP)
	return d, e
}

// ServeHTTP tells the events.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	since := r.URL.Query().Get("since")
	e.asked = append(e.asked, since)
	_ = http.NewResponseController(w).Flush()
	for _, line := range e.raw {
		_, _ = io.WriteString(w, line)
	}
	for _, m := range e.had {
		if stamp := fmt.Sprintf("%d.%09d", m.TimeNano/1e9, m.TimeNano%1e9); stamp >= since {
			_ = json.NewEncoder(w).Encode(m)
		}
	}
	if e.Stay {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// Add adds an event of the container id, stamped some time from now.
func (e *Events) Add(from time.Duration, action events.Action, id string, attributes map[string]string) {
	e.AddMessage(from, events.Message{
		Type: events.ContainerEventType, Action: action, Actor: events.Actor{ID: id, Attributes: attributes},
	})
}

// AddMessage adds an event, stamped some time from now.
func (e *Events) AddMessage(from time.Duration, m events.Message) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m.TimeNano = time.Now().Add(from).UnixNano()
	e.had = append(e.had, m)
}

// Begin has something told at the beginning of each stream.
func (e *Events) Begin(raw string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.raw = []string{raw}
}

// Asked are the times since which events were asked for.
func (e *Events) Asked() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.asked...)
}
