// Package oom proves that OOM kills are counted exactly, by workload, of containers
// that are gone with their control groups before the next scrape: as the difference
// of a counter in a real Prometheus.
//
// It needs containerd, runc and dockerd, on cgroup v1, v2 or both.
package oom

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/up"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

const (
	mebibyte = 1 << 20
	// memory is a container's limit, some times what the workload takes idle.
	memory = 32 * mebibyte
	// limit bounds what is waited for; nothing here takes that long on an idle
	// machine.
	limit = time.Minute
	// killed is the status of a process that SIGKILL ended, as engines say it.
	killed = 137
)

// machine is a Docker, a containerd, and a `loadline up` that watches both.
type machine struct {
	docker     *docker.Docker
	containerd *containerd.Containerd
	*up.Program
}

func startMachine(t *testing.T) *machine {
	t.Helper()
	need.Root(t)
	m := &machine{docker: docker.Start(t), containerd: containerd.Start(t)}
	m.Program = m.startUp(t)
	return m
}

// startUp starts a `loadline up` that has no data, and waits until it hears of
// what happens.
func (m *machine) startUp(t *testing.T) *up.Program {
	t.Helper()
	nobody := filepath.Join(t.TempDir(), "kubeconfig")
	content := `{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x}}], clusters: [{name: x, cluster: {server: "https://127.0.0.1:1"}}]}`
	if err := os.WriteFile(nobody, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	p := up.Start(t,
		"--web.listen-address=127.0.0.1:0", "--log.level=info", "--data-dir="+t.TempDir(), "--scrape-interval="+interval().String(),
		"--docker-host="+m.docker.Host, "--containerd-address="+m.containerd.Address,
		"--kubelet-url=https://127.0.0.1:1", "--kubeconfig="+nobody)
	wait.For(t, limit, "the engines' events", func() error {
		n, err := p.Query(`sum(loadline_source_available{job="resource",source=~"docker|containerd|docker-events|containerd-events"})`, time.Time{})
		if err == nil && n != 4 {
			err = fmt.Errorf("%v of 4 sources are available", n)
		}
		return err
	})
	return p
}

// interval is the time between two scrapes. A slow machine needs more for one.
func interval() time.Duration { return min(wait.Limit(5*time.Second), 20*time.Second) }

// within is a context with the time limit for what one container does.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit(limit))
	t.Cleanup(cancel)
	return ctx
}

// scrapes waits for n further scrapes, each of which began after the call.
func scrapes(t *testing.T, p *up.Program, n int) {
	t.Helper()
	last := time.Now()
	for range n {
		wait.For(t, limit, "a scrape", func() error {
			at, err := p.Query(`max(timestamp(up{job="resource"}))`, time.Time{})
			if err != nil {
				return err
			}
			if next := time.UnixMilli(int64(at * 1000)); next.After(last) {
				last = next
				return nil
			}
			return fmt.Errorf("the last was at %v", at)
		})
	}
}

// unique is a name that no other test's workload has.
func unique(prefix string) string { return fmt.Sprintf("%s-%08x", prefix, rand.Uint32()) }

// tally is a number of kills by "workload scope victim"; without those that are 0.
type tally map[string]float64

// kills are the kills in a namespace as Prometheus has seen them: the differences
// of the counters between their first samples and their last.
func kills(p *up.Program, namespace string) (tally, error) {
	series := fmt.Sprintf(`loadline_workload_oom_kills_total{namespace=%q}[1h]`, namespace)
	samples, err := p.Vector(`sum by (workload, scope, victim) (last_over_time(`+series+`) - min_over_time(`+series+`))`, time.Time{})
	if err != nil {
		return nil, err
	}
	t := tally{}
	for _, s := range samples {
		if s.Value != 0 {
			t[strings.Join([]string{s.Labels["workload"], s.Labels["scope"], s.Labels["victim"]}, " ")] = s.Value
		}
	}
	return t, nil
}

// wantKills waits until the kills in a namespace are those that are wanted, and
// then for further scrapes, after which they still must be.
func wantKills(t *testing.T, p *up.Program, namespace string, want tally) {
	t.Helper()
	look := func() error {
		got, err := kills(p, namespace)
		if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
			err = fmt.Errorf("counted are %v, want %v", got, want)
		}
		return err
	}
	wait.For(t, limit, "the kills in "+namespace, look)
	scrapes(t, p, 3)
	if err := look(); err != nil {
		t.Errorf("later: %v", err)
	}
	resets := fmt.Sprintf(`sum(resets(loadline_workload_oom_kills_total{namespace=%q}[1h]))`, namespace)
	if n, err := p.Query(resets, time.Time{}); err != nil || n != 0 {
		t.Errorf("%v counters went back, %v", n, err)
	}
}

// atOnce runs f for 0 … n-1, as many at a time as told, and begins each such batch
// after a scrape.
func atOnce(t *testing.T, p *up.Program, n, batch int, f func(ctx context.Context, i int) error) {
	t.Helper()
	for first := 0; first < n; first += batch {
		scrapes(t, p, 1)
		g, ctx := errgroup.WithContext(within(t))
		for i := first; i < min(first+batch, n); i++ {
			g.Go(func() error { return f(ctx, i) })
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

// gone fails unless a container's control groups are.
func gone(groups cgroup.Groups) error {
	if left := groups.Existing(); len(left) > 0 {
		return fmt.Errorf("the control groups %v are left", left)
	}
	return nil
}

// runContainerd runs a container until it was killed, and removes it.
func (m *machine) runContainerd(ctx context.Context, spec containerd.Spec) error {
	c, err := m.containerd.TryRun(ctx, spec)
	if err != nil {
		return err
	}
	status, err := c.Wait(ctx)
	if err == nil && status != killed {
		err = fmt.Errorf("container %s ended with status %d: %s", spec.ID, status, c.Output())
	}
	if err = errors.Join(err, c.Remove(ctx)); err != nil {
		return err
	}
	return gone(c.Cgroups())
}

// runDocker is the same for Docker, which removes it itself when told so.
func (m *machine) runDocker(ctx context.Context, spec docker.Spec) error {
	c, err := m.docker.TryRun(ctx, spec)
	if err != nil {
		return err
	}
	if spec.AutoRemove {
		err = c.WaitRemoved(ctx)
	} else {
		var status int64
		if status, err = c.Wait(ctx); err == nil && status != killed {
			err = fmt.Errorf("container %s ended with status %d", spec.Name, status)
		}
		err = errors.Join(err, c.Remove(ctx))
	}
	if err != nil {
		return err
	}
	groups, err := cgroup.At(c.CgroupPath)
	if err != nil {
		return err
	}
	return gone(groups)
}
