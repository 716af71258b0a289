package resource

import (
	"fmt"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

func (m *machine) counters(t *testing.T) {
	c := m.docker.Run(t.Context(), docker.Spec{
		Name: "held", Args: []string{"hold", "32MiB"}, MemoryLimit: 64 * mebibyte, CPUQuota: 50_000,
	})
	ready(t, dockerOutput(t, c))
	m.exporter.shows(t, soon, c.CgroupPath)

	before := readKernel(t, c.Cgroups())
	scraped := m.exporter.mustScrape(t).of(c.CgroupPath)
	wantBetween(t, scraped, before, readKernel(t, c.Cgroups()))
	if got := scraped.value("container_memory_rss"); got < 32*mebibyte || got > 44*mebibyte {
		t.Errorf("a container that holds 32 MiB has an RSS of %v bytes", got)
	}
	if got := scraped.value("container_spec_memory_limit_bytes"); got != 64*mebibyte {
		t.Errorf("a limit of 64 MiB is said to be %v bytes", got)
	}
	if got := scraped.value("container_cpu_usage_seconds_total"); got <= 0 {
		t.Errorf("a container that has started has used %v s of processor time", got)
	}

	crowd := m.containerd.Run(t.Context(), containerd.Spec{ID: "crowd", Args: []string{"spawn", "5"}, MemoryLimit: 64 * mebibyte})
	ready(t, containerdOutput(crowd))
	m.exporter.shows(t, soon, crowd.CgroupPath)
	before = readKernel(t, crowd.Cgroups())
	scraped = m.exporter.mustScrape(t).of(crowd.CgroupPath)
	after := readKernel(t, crowd.Cgroups())
	if got := scraped.value("container_threads"); got < 6 || got < min(before["container_threads"], after["container_threads"]) {
		t.Errorf("six processes have %v threads, the kernel says %v", got, after["container_threads"])
	}
}

func (m *machine) startTime(t *testing.T) {
	ofDocker := m.docker.Run(t.Context(), docker.Spec{Name: "young"})
	ofContainerd := m.containerd.Run(t.Context(), containerd.Spec{ID: "young"})
	for path, pid := range map[string]int{ofDocker.CgroupPath: ofDocker.PID, ofContainerd.CgroupPath: ofContainerd.PID} {
		m.exporter.wantStarted(t, path, processStarted(t, pid))
	}
}

// wantStarted waits until a container's start time is right within 2 s.
func (e *exporter) wantStarted(t *testing.T, path string, want time.Time) {
	t.Helper()
	wait.For(t, soon, "the start time of "+path, func() error {
		x, err := e.scrape()
		if err != nil {
			return err
		}
		got := x.of(path).value("container_start_time_seconds")
		if off := got - float64(want.UnixMilli())/1000; !(off > -2 && off < 2) {
			return fmt.Errorf("it is %.2f, %.2f s off", got, off)
		}
		return nil
	})
}

func (m *machine) throttling(t *testing.T) {
	c := m.containerd.Run(t.Context(), containerd.Spec{ID: "busy", Args: []string{"burn", "2"}, CPUQuota: 10_000, MemoryLimit: 32 * mebibyte})
	first := m.exporter.shows(t, soon, c.CgroupPath).of(c.CgroupPath)
	var last exposition
	wait.For(t, limit, "ten more throttled periods", func() error {
		before := readKernel(t, c.Cgroups())
		x, err := m.exporter.scrape()
		if err != nil {
			return err
		}
		after := readKernel(t, c.Cgroups())
		last = x.of(c.CgroupPath)
		wantBetween(t, last, before, after)
		const name = "container_cpu_cfs_throttled_periods_total"
		if grown := last.value(name) - first.value(name); !(grown >= 10) {
			return fmt.Errorf("%s has grown by %v", name, grown)
		}
		return nil
	})
	for _, name := range []string{
		"container_cpu_cfs_periods_total", "container_cpu_cfs_throttled_seconds_total", "container_cpu_usage_seconds_total",
	} {
		if a, b := first.value(name), last.value(name); !(b > a) {
			t.Errorf("%s went from %v to %v", name, a, b)
		}
	}
	// A tenth of a processor, and what periods overran, which they do further where
	// processors are emulated.
	const usage = "container_cpu_usage_seconds_total"
	if last.value("container_cpu_cfs_throttled_periods_total") > last.value("container_cpu_cfs_periods_total") {
		t.Error("more periods were throttled than there were")
	}
	if used, periods := last.value(usage), last.value("container_cpu_cfs_periods_total"); used > (periods+2)*0.010*float64(wait.Limit(3)) {
		t.Errorf("%v s were used in %v periods of 10 ms", used, periods)
	}
	if err := c.Remove(t.Context()); err != nil { // it would slow down the tests that follow
		t.Error(err)
	}
}

func (m *machine) oomKills(t *testing.T) {
	c := m.docker.Run(t.Context(), docker.Spec{Name: "leaky", MemoryLimit: 24 * mebibyte})
	ready(t, dockerOutput(t, c))
	const name = "container_oom_events_total"
	if got := m.exporter.shows(t, soon, c.CgroupPath).of(c.CgroupPath).value(name); got != 0 {
		t.Errorf("before anything was killed %s is %v", name, got)
	}
	for kills := range 3 {
		m.oomWithin(t, c)
		x := m.exporter.mustScrape(t).of(c.CgroupPath)
		if got := x.value(name); got != float64(kills+1) {
			t.Errorf("after %d kills %s is %v", kills+1, name, got)
		}
		if got := x.value("container_memory_failcnt"); got <= 0 {
			t.Errorf("the limit was hit, and container_memory_failcnt is %v", got)
		}
	}
	state, err := c.Inspect(t.Context())
	if err != nil || !state.State.Running || state.State.Pid != c.PID {
		t.Errorf("the container is %+v (%v), want it to run on", state.State, err)
	}

	parent := m.containerd.Run(t.Context(), containerd.Spec{ID: "oom-child", Args: []string{"oom-child", "2"}, MemoryLimit: 24 * mebibyte})
	ready(t, containerdOutput(parent))
	if got := m.exporter.shows(t, soon, parent.CgroupPath).of(parent.CgroupPath).value(name); got != 2 {
		t.Errorf("two children were killed, and %s is %v", name, got)
	}
}

// oomWithin runs a process in a container that the kernel kills.
func (m *machine) oomWithin(t *testing.T, c *docker.Container) {
	t.Helper()
	created, err := m.docker.Client.ExecCreate(within(t), c.ID, client.ExecCreateOptions{Cmd: []string{"/workload", "oom"}})
	if err != nil {
		t.Fatalf("make a process in container %s: %v", c.Name, err)
	}
	if _, err := m.docker.Client.ExecStart(within(t), created.ID, client.ExecStartOptions{Detach: true}); err != nil {
		t.Fatalf("start a process in container %s: %v", c.Name, err)
	}
	wait.For(t, limit, "the kernel to kill a process", func() error {
		state, err := m.docker.Client.ExecInspect(t.Context(), created.ID, client.ExecInspectOptions{})
		if err != nil {
			return err
		}
		if state.Running {
			return fmt.Errorf("process %d runs", state.PID)
		}
		if state.ExitCode != 137 {
			t.Fatalf("it ended with status %d, not by SIGKILL", state.ExitCode)
		}
		return nil
	})
}

func (m *machine) oomOfInit(t *testing.T) {
	// The quota makes it slow enough to be seen alive, on a slow machine too.
	quota := 5_000 * int64(wait.Limit(time.Second)/time.Second)
	c := m.docker.Run(t.Context(), docker.Spec{Name: "doomed", Args: []string{"oom"}, MemoryLimit: 400 * mebibyte, CPUQuota: quota})
	m.exporter.shows(t, soon, c.CgroupPath)
	if code, err := c.Wait(within(t)); err != nil || code != 137 {
		t.Fatalf("exit status is %d (%v), want 137", code, err)
	}
	m.exporter.wantGone(t, c.CgroupPath)
}

// wantGone checks that the next scrape, which is whole, reads nothing of a container,
// and that what was polled of it goes too.
func (e *exporter) wantGone(t *testing.T, path string) {
	t.Helper()
	x := e.mustScrape(t)
	if left := x.of(path).readNow(); len(left) > 0 {
		t.Errorf("%s has ended and still has %d series, such as %v", path, len(left), left[0])
	}
	x.wantCollected(t)
	wait.For(t, soon, "what was polled of "+path+" to go", func() error {
		if left := e.mustScrape(t).of(path); len(left) > 0 {
			return fmt.Errorf("it has %d series, such as %v", len(left), left[0])
		}
		return nil
	})
}

// wantCollected checks that no collector failed.
func (x exposition) wantCollected(t *testing.T) {
	t.Helper()
	for collector, success := range x.byLabel("loadline_collector_success", "collector") {
		if success != 1 {
			t.Errorf("the collector %s failed", collector)
		}
	}
}
