package cluster

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/daemon"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// readyLimit bounds the start of a part, which takes some ten seconds at most on an
// idle machine; askLimit one question whether it is ready.
const (
	readyLimit = 3 * time.Minute
	askLimit   = 5 * time.Second
)

// Part is a program of a cluster.
type Part struct {
	// Name is the program's.
	Name string
	// URL is where it serves, without a slash at its end.
	URL string

	t      testing.TB
	daemon *daemon.Daemon
	ready  func(context.Context) error
}

// start starts a program that serves at a URL, and waits until it is ready. It logs to
// a file of its name among the test's artifacts, which -artifacts keeps. The test's
// cleanup kills it.
func start(t testing.TB, name, url string, config daemon.Config, ready func(context.Context) error) *Part {
	t.Helper()
	config.Log = filepath.Join(t.ArtifactDir(), name+".log")
	began := time.Now()
	d, err := daemon.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	p := &Part{Name: name, URL: url, t: t, daemon: d, ready: ready}
	t.Cleanup(p.Stop)
	p.await()
	t.Logf("%s is ready after %v", name, time.Since(began).Round(time.Second/10))
	return p
}

func (p *Part) await() {
	p.t.Helper()
	err := p.daemon.Ready(readyLimit, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), wait.Limit(askLimit))
		defer cancel()
		return p.ready(ctx)
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// Stop ends the program at once, as a crash does; its data stays. One that has ended
// stays so.
func (p *Part) Stop() {
	p.t.Helper()
	if !p.running() {
		return
	}
	if err := p.daemon.Kill(); err != nil {
		p.t.Fatal(err)
	}
}

// Start starts a program again that was stopped, with the same ports and data, and
// waits until it is ready.
func (p *Part) Start() {
	p.t.Helper()
	if err := p.daemon.Restart(); err != nil {
		p.t.Fatal(err)
	}
	p.await()
}

// PID is the program's process.
func (p *Part) PID() int { return p.daemon.PID }

// Log is the end of what the program has written.
func (p *Part) Log() string { return p.daemon.Tail() }

func (p *Part) running() bool {
	select {
	case <-p.daemon.Ended():
		return false
	default:
		return true
	}
}

// ok asks for a path that answers 200 when a program is well.
func ok(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
