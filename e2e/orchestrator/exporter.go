// Package orchestrator proves the orchestrator exporter on real orchestrators: Docker,
// a Swarm, and an API server with its controllers. Kubernetes' nodes are played by the
// test (Node): what the exporter serves is what the API server holds, whoever wrote it.
package orchestrator

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/loadline-exporters/loadline/e2e/output"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// Limit bounds what is waited for.
const Limit = time.Minute

// Exporter is an orchestrator exporter that runs in this process.
type Exporter struct {
	t    testing.TB
	url  string
	logs *output.Buffer
}

// Start starts the exporter with arguments, and waits until it has asked every source.
// The test fails unless it ends well.
func Start(t testing.TB, args ...string) *Exporter {
	t.Helper()
	e := &Exporter{t: t, logs: &output.Buffer{}}
	listening := make(chan []string, 1)
	command := orchestrator.Command()
	command.Listening = func(addresses []string) { listening <- addresses }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- serve.Main(ctx, command, append([]string{"--web.listen-address=127.0.0.1:0"}, args...), io.Discard, e.logs)
	}()
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
	wait.For(t, Limit, "the exporter to be ready", func() error {
		_, err := e.get("/-/ready")
		return err
	})
	return e
}

func (e *Exporter) get(path string) ([]byte, error) {
	response, err := http.Get(e.url + path)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %.200s", path, response.Status, body)
	}
	return body, err
}

// Series are those of one scrape, by their text as Prometheus writes it.
type Series map[string]float64

// Scrape scrapes.
func (e *Exporter) Scrape() (Series, error) {
	body, err := e.get("/metrics")
	if err != nil {
		return nil, err
	}
	p, err := textparse.New(body, "text/plain", labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return nil, err
	}
	out := Series{}
	for {
		entry, err := p.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if entry == textparse.EntrySeries {
			_, _, v := p.Series()
			var l labels.Labels
			p.Labels(&l)
			out[l.String()] = v
		}
	}
}

// Of are the values of a family's series that have all of the labels, given as
// `name="value"`, by the labels in which they may differ.
func (s Series) Of(family string, having ...string) []float64 {
	var keys []string
	for k := range s {
		if strings.Contains(k, fmt.Sprintf("__name__=%q", family)) && !slices.ContainsFunc(having, func(l string) bool { return !strings.Contains(k, l) }) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	out := make([]float64, 0, len(keys))
	for _, k := range keys {
		out = append(out, s[k])
	}
	return out
}

// Becomes waits until a family has exactly one series with all of the labels, and that
// has the value.
func (e *Exporter) Becomes(want float64, family string, having ...string) {
	e.t.Helper()
	e.Have([]float64{want}, family, having...)
}

// Gone waits until a family has no series with all of the labels.
func (e *Exporter) Gone(family string, having ...string) {
	e.t.Helper()
	e.Have(nil, family, having...)
}

// Have waits until a family has series with all of the labels and exactly these
// values.
func (e *Exporter) Have(want []float64, family string, having ...string) {
	e.t.Helper()
	wait.For(e.t, Limit, fmt.Sprintf("%s%v to be %v", family, having, want), func() error {
		s, err := e.Scrape()
		if err != nil {
			return err
		}
		if got := s.Of(family, having...); !slices.Equal(got, want) {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
}
