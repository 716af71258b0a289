// Package orchestrator proves the orchestrator exporter on real orchestrators: what it
// serves is compared with what they were told to do, and with what they say.
package orchestrator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/exposition"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// limit bounds what is waited for; nothing here takes that long on an idle machine.
const limit = 60 * time.Second

// exporter is an orchestrator exporter that runs in this process.
type exporter struct {
	url  string
	logs *log
}

// startExporter starts the exporter with arguments, and waits until it has asked every
// source. The test fails unless it ends well.
func startExporter(t testing.TB, args ...string) *exporter {
	t.Helper()
	e := &exporter{logs: &log{}}
	listening := make(chan []string, 1)
	command := orchestrator.Command()
	command.Listening = func(addresses []string) { listening <- addresses }
	args = append([]string{"--web.listen-address=127.0.0.1:0", "--log.level=debug"}, args...)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- serve.Main(ctx, command, args, io.Discard, e.logs) }()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != serve.ExitOK {
			t.Errorf("the exporter ended with status %d; its log:\n%s", code, e.logs)
		}
	})
	select {
	case addresses := <-listening:
		e.url = "http://" + addresses[0]
	case code := <-ended:
		ended <- code
		t.Fatalf("the exporter did not start: %s", e.logs)
	}
	wait.For(t, limit, "the exporter to be ready", func() error {
		_, _, err := e.get("/-/ready")
		return err
	})
	return e
}

func (e *exporter) get(path string) (body []byte, contentType string, err error) {
	response, err := http.Get(e.url + path)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %.200s", path, response.Status, body)
	}
	return body, response.Header.Get("Content-Type"), err
}

// scrape scrapes once and parses the answer as Prometheus does.
func (e *exporter) scrape() (exposition.Exposition, error) {
	body, contentType, err := e.get("/metrics")
	if err != nil {
		return nil, err
	}
	return exposition.Parse(body, contentType)
}

// want is a series with its value, as Prometheus writes it: name{label="value",…} 1.
// Labels that are left out may have any value, and no value is that no such series is
// there.
type want struct {
	name   string
	labels map[string]string
	value  float64
	absent bool
	times  float64 // in place of value, the least
}

func is(value float64, name string, labels ...string) want {
	return want{name: "loadline_" + name, labels: pairs(labels), value: value}
}

func none(name string, labels ...string) want {
	return want{name: "loadline_" + name, labels: pairs(labels), absent: true}
}

// never is that a counter has counted nothing, or is not there.
func never(name string, labels ...string) want {
	return want{name: "loadline_" + name, labels: pairs(labels), times: -1}
}

// atLeast is a counter that has counted something so often, or oftener.
func atLeast(times float64, name string, labels ...string) want {
	return want{name: "loadline_" + name, labels: pairs(labels), times: times}
}

func pairs(list []string) map[string]string {
	m := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

func (w want) missing(x exposition.Exposition) error {
	found := x.With(w.name, w.labels)
	switch {
	case w.times < 0 && found.Sum() != 0:
		return fmt.Errorf("there is %v", found)
	case w.times < 0, w.times > 0 && len(found) == 1 && found[0].Value >= w.times:
		return nil
	case w.absent && len(found) > 0:
		return fmt.Errorf("there is %v", found)
	case w.absent:
		return nil
	case len(found) != 1:
		return fmt.Errorf("of %s%v there are %d: %v", w.name, w.labels, len(found), found)
	case found[0].Value != w.value:
		return fmt.Errorf("%s%v is %v, want %v", w.name, w.labels, found[0].Value, w.value)
	}
	return nil
}

// shows waits until the exporter serves all that is wanted in one scrape.
func (e *exporter) shows(t testing.TB, what string, all ...want) {
	t.Helper()
	wait.For(t, limit, what, func() error {
		x, err := e.scrape()
		if err != nil {
			return err
		}
		for _, w := range all {
			if err := w.missing(x); err != nil {
				return err
			}
		}
		return nil
	})
}

// complaints are the warnings and errors that the exporter has logged.
func (e *exporter) complaints() (lines []string) {
	for line := range strings.Lines(e.logs.String()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines = append(lines, line)
		}
	}
	return lines
}

// log is what a program writes, while it still may write more.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// within is a context with the tests' time limit.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit(limit))
	t.Cleanup(cancel)
	return ctx
}
