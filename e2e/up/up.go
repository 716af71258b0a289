// Package up runs `loadline up` within a test's process, and asks its Prometheus.
package up

import (
	"context"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/output"
	"github.com/loadline-exporters/loadline/e2e/prometheus"
	"github.com/loadline-exporters/loadline/internal/up"
)

// Program is a `loadline up` that runs in this process.
type Program struct {
	// API is its Prometheus, once it listens.
	prometheus.API
	// Stdout and Stderr are what it has written.
	Stdout, Stderr *output.Buffer
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
	p := &Program{Stdout: &output.Buffer{}, Stderr: &output.Buffer{}, cancel: cancel, Ended: make(chan int, 1)}
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
