// Package conformance holds every exporter to what all exporters promise: that it
// starts and stops cleanly, says what it does in its table, serves both formats,
// stays within its bounds, and shows bad input to the operator in one line.
//
// Each exporter's test calls Run; nothing here knows an exporter.
package conformance

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/output"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// Subject is an exporter under test.
type Subject struct {
	// Command makes the command anew; it listens where the tests tell it to.
	Command func() serve.Command
	// Args are the arguments by which it runs on a machine made for the test, on
	// which every source is absent or answers.
	Args []string
	// Families is its table.
	Families family.Table
	// Exercised, if set, limits the check that every family of the table is
	// emitted to those it says true of: not every machine has everything.
	Exercised func(*family.Family) bool
}

// Run runs all tests on the subject.
func Run(t *testing.T, s Subject) {
	t.Run("starts, is healthy and ready, and stops", s.lifecycle)
	t.Run("emits what its table lists", s.table)
	t.Run("loadline metrics have no lint problem", s.lint)
	t.Run("serves what is asked for", s.negotiation)
	t.Run("a budget drops families and says so", s.budget)
	t.Run("flags choose families", s.flags)
	t.Run("bad input is one line and an exit code", s.badInput)
	t.Run("requests are bounded", s.bounds)
	t.Run("many scrapes at once are the same", s.concurrency)
}

// limit is how long anything may take before a test gives up.
const limit = 30 * time.Second

// running is an exporter that runs in this process.
type running struct {
	url    string
	client *http.Client
	stop   func() (code int, stderr string)
}

// start runs the subject on a free port and waits until it is ready. It is stopped
// at the end of the test.
func (s Subject) start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addresses := make(chan []string, 1)
	var out output.Buffer
	c := s.Command()
	c.Listening = func(a []string) { addresses <- a }
	exited := make(chan int, 1)
	go func() {
		exited <- serve.Main(ctx, c, append(append([]string{"--web.listen-address=127.0.0.1:0"}, s.Args...), args...), io.Discard, &out)
	}()
	r := &running{client: &http.Client{Timeout: limit, Transport: &http.Transport{DisableCompression: true}}}
	r.stop = sync.OnceValues(func() (int, string) {
		cancel()
		r.client.CloseIdleConnections()
		select {
		case code := <-exited:
			return code, out.String()
		case <-time.After(limit):
			return -1, "did not stop within " + limit.String() + "\n" + out.String()
		}
	})
	t.Cleanup(func() { r.stop() })
	select {
	case a := <-addresses:
		r.url = "http://" + a[0]
	case code := <-exited:
		t.Fatalf("exited with %d instead of serving:\n%s", code, out.String())
	case <-time.After(limit):
		t.Fatalf("does not listen:\n%s", out.String())
	}
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if status, _, _ := r.get(t, "/-/ready", nil); status == http.StatusOK {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("is not ready:\n%s", out.String())
		}
	}
}

// get answers the status, the header and the body as they came, not unpacked.
func (r *running) get(t *testing.T, path string, header http.Header) (status int, h http.Header, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return resp.StatusCode, resp.Header, body
}

// scrape scrapes in a format and returns the families by name.
func (r *running) scrape(t *testing.T, accept string) map[string]*exposed {
	t.Helper()
	status, h, body := r.get(t, "/metrics", http.Header{"Accept": {accept}})
	if status != http.StatusOK {
		t.Fatalf("/metrics answers %d: %s", status, body)
	}
	families, err := parse(body, h.Get("Content-Type"))
	if err != nil {
		t.Fatalf("the exposition can't be parsed: %v\n%s", err, body)
	}
	return families
}

// exit runs the subject with arguments by which it must not get to serve.
func (s Subject) exit(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var out, errs output.Buffer
	c := s.Command()
	c.Listening = func([]string) { cancel() } // it serves: that is wrong
	code = serve.Main(ctx, c, args, &out, &errs)
	return code, out.String(), errs.String()
}

// ours says whether a series is the exporter's: those of client_golang about the
// process are not in its table.
func ours(name string) bool {
	return !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_")
}
