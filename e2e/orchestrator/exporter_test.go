package orchestrator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/exposition"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// scrape scrapes once and parses the answer as Prometheus does.
func (e *Exporter) scrape() (exposition.Exposition, error) {
	body, err := e.get("/metrics")
	if err != nil {
		return nil, err
	}
	return exposition.Parse(body, "text/plain;version=0.0.4")
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
func (e *Exporter) shows(t testing.TB, what string, all ...want) {
	t.Helper()
	wait.For(t, Limit, what, func() error {
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

// oomTold waits until a workload's only container was killed, and says whether its
// engine told that it was the OOM killer. On a loaded machine containerd's shim may
// have let go of the container before it hears of that.
func (e *Exporter) oomTold(t testing.TB, workload []string) (told bool) {
	t.Helper()
	wait.For(t, Limit, "a container to be killed for memory", func() error {
		x, err := e.scrape()
		if err != nil {
			return err
		}
		of := func(class string) float64 {
			return x.With("loadline_events_total", pairs(append(slices.Clone(workload), "class", class, "type", "warning"))).Sum()
		}
		oom, died := of("container_oom_killed"), of("container_died")
		if told = oom == 1; oom+died != 1 {
			return fmt.Errorf("%v OOM kills and %v other ends are counted", oom, died)
		}
		return nil
	})
	return told
}

// complaints are the warnings and errors that the exporter has logged.
func (e *Exporter) complaints() (lines []string) {
	for line := range strings.Lines(e.logs.String()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines = append(lines, line)
		}
	}
	return lines
}

// within is a context with the tests' time limit.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit(Limit))
	t.Cleanup(cancel)
	return ctx
}
