// Package up runs `loadline up` within a test's process, and asks its Prometheus.
package up

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/internal/up"
)

// limit bounds what is waited for; nothing here takes that long on an idle
// machine.
const limit = 30 * time.Second

// Program is a `loadline up` that runs in this process.
type Program struct {
	// Address is its URL, http://127.0.0.1:PORT/, once it listens.
	Address string
	// Stdout and Stderr are what it has written.
	Stdout, Stderr *Output
	// Ended has its status once it has ended.
	Ended chan int

	cancel context.CancelFunc
}

// Start runs `loadline up` with the arguments and waits until it listens. The
// test's cleanup ends it, and fails the test unless it ends well.
func Start(t testing.TB, args ...string) *Program {
	t.Helper()
	listening := make(chan []string, 1)
	p := Launch(listening, args...)
	t.Cleanup(func() {
		if code := p.Stop(); code != 0 {
			t.Errorf("loadline up ended with status %d: %s", code, p.Stderr)
		}
	})
	select {
	case addresses := <-listening:
		p.Address = "http://" + addresses[0] + "/"
	case code := <-p.Ended:
		p.Ended <- code
		t.Fatalf("loadline up did not start: %s", p.Stderr)
	}
	return p
}

// Launch runs `loadline up` with the arguments; listening is told its addresses.
func Launch(listening chan<- []string, args ...string) *Program {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Program{Stdout: &Output{}, Stderr: &Output{}, cancel: cancel, Ended: make(chan int, 1)}
	command := &up.Command{Listening: func(addresses []string) { listening <- addresses }}
	go func() { p.Ended <- up.Main(ctx, command, append([]string{"up"}, args...), p.Stdout, p.Stderr) }()
	return p
}

// Stop ends it, if it has not ended yet, and returns its status.
func (p *Program) Stop() int {
	p.cancel()
	code := <-p.Ended
	p.Ended <- code
	return code
}

// Sample is a series at one time.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Vector asks Prometheus' API for the value of an expression at a time, or now
// when it is zero.
func (p *Program) Vector(expression string, at time.Time) ([]Sample, error) {
	parameters := url.Values{"query": {expression}}
	if !at.IsZero() {
		parameters.Set("time", at.UTC().Format(time.RFC3339Nano))
	}
	response, err := http.Get(p.Address + "api/v1/query?" + parameters.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("query %s: %w: %.200s", expression, err, body)
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("query %s: %s", expression, answer.Error)
	}
	var samples []Sample
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", expression, err)
		}
		samples = append(samples, Sample{r.Metric, value})
	}
	return samples, nil
}

// Query is Vector for an expression that yields one series.
func (p *Program) Query(expression string, at time.Time) (float64, error) {
	samples, err := p.Vector(expression, at)
	if err != nil {
		return 0, err
	}
	if len(samples) != 1 {
		return 0, fmt.Errorf("query %s: %d series", expression, len(samples))
	}
	return samples[0].Value, nil
}

// Value waits for such an answer.
func (p *Program) Value(t testing.TB, expression string) float64 {
	t.Helper()
	var v float64
	wait.For(t, limit, expression, func() (err error) {
		v, err = p.Query(expression, time.Time{})
		return err
	})
	return v
}

// Output is what a program has written so far.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to it.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

// String is all of it.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
