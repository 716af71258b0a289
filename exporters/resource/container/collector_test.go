package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// reader answers by cgroup path; a path without an answer has ended.
type reader map[string]answer

type answer struct {
	stats cgroup.Stats
	err   error
}

func (a answer) Read(*cgroup.Buffer) (cgroup.Stats, error) { return a.stats, a.err }

func (r reader) containers(paths ...string) func() []*Container {
	var list []*Container
	for _, p := range paths {
		c := &Container{CgroupPath: p, Place: hierarchy.OfLabels(hierarchy.Containerd, p[1:], nil), Name: p[1:]}
		c.Render()
		c.Counters = answer{err: cgroup.ErrGone}
		if a, ok := r[p]; ok {
			c.Counters = a
		}
		list = append(list, c)
	}
	return func() []*Container { return list }
}

// collect returns the lines of the series that c adds.
func collect(ctx context.Context, t *testing.T, c *Collector) (lines []string, err error) {
	t.Helper()
	own := metrics.Table().Of("container")
	w := family.NewWriter(own, nil)
	err = c.Collect(ctx, w)
	var b bytes.Buffer
	family.Budget(own, []*family.Writer{w}, 0).Encode(&b, family.Text)
	for line := range strings.Lines(b.String()) {
		if line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines, err
}

// of are the lines of one container.
func of(lines []string, path string) (out []string) {
	for _, l := range lines {
		if strings.Contains(l, `id="`+path+`"`) {
			out = append(out, l)
		}
	}
	return out
}

var healthy = cgroup.Stats{
	CPU: cgroup.CPU{Known: true, Usage: 3, User: 2, System: 1}, Memory: cgroup.Memory{Known: true, Usage: 100, Limit: 200},
	PIDs: cgroup.PIDs{Known: true, Tasks: 5},
}

func TestAContainerThatEndsBetweenListAndReadIsLeftOut(t *testing.T) {
	c := &Collector{List: reader{"/a": {stats: healthy}, "/c": {stats: healthy}}.containers("/a", "/b", "/c"), Devices: new(Devices)}
	lines, err := collect(t.Context(), t, c)
	if err != nil {
		t.Error(err)
	}
	if n := len(of(lines, "/a")); n == 0 || n != len(of(lines, "/c")) || len(of(lines, "/b")) != 0 {
		t.Errorf("got\n%s", strings.Join(lines, ""))
	}
}

func TestWhatCannotBeReadOfOneContainerLosesNothingElse(t *testing.T) {
	broken := healthy
	broken.Memory = cgroup.Memory{}
	answers := reader{"/good": {stats: healthy}}
	paths := []string{"/good"}
	for i := range 10 {
		path := fmt.Sprint("/broken-", i)
		answers[path] = answer{broken, errors.New("reading " + path + "/memory.current")}
		paths = append(paths, path)
	}
	lines, err := collect(t.Context(), t, &Collector{List: answers.containers(paths...), Devices: new(Devices)})
	if err == nil || !strings.Contains(err.Error(), "/broken-0/memory.current") || len(err.Error()) > 200 {
		t.Errorf("the error does not name what is missing, in short: %v", err)
	}
	good, bad := strings.Join(of(lines, "/good"), ""), strings.Join(of(lines, "/broken-9"), "")
	if !strings.Contains(good, "container_memory_usage_bytes") {
		t.Errorf("lost of the good one: got\n%s", good)
	}
	if strings.Contains(bad, "container_memory") || !strings.Contains(bad, "container_cpu_usage_seconds_total") || !strings.Contains(bad, "loadline_container_info") {
		t.Errorf("of the broken one: got\n%s", bad)
	}
}

func TestCollectingEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := collect(ctx, t, &Collector{List: reader{}.containers("/a"), Devices: new(Devices)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRequestsAndLimitsAreThePodsElseTheControlGroups(t *testing.T) {
	limited := healthy
	limited.Memory.Reservation = 50
	limited.CPU.Quota, limited.CPU.Period = 50_000, 100_000
	list := reader{
		"/bare": {stats: limited}, "/pod": {stats: limited}, "/empty": {stats: limited}, "/sandbox": {stats: limited},
	}.containers("/bare", "/pod", "/empty", "/sandbox")
	list()[1].FromPod, list()[1].Requests, list()[1].Limits = true, Resources{CPU: 0.1, EphemeralStorage: 7}, Resources{Memory: 9}
	list()[2].FromPod = true
	list()[3].Sandbox = true
	lines, err := collect(t.Context(), t, &Collector{List: list, Devices: new(Devices)})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/bare":    "requests memory 50;limits cpu 0.5;limits memory 200;",
		"/pod":     "requests cpu 0.1;requests ephemeral_storage 7;limits memory 9;",
		"/empty":   "",
		"/sandbox": "",
	} {
		got := ""
		for _, l := range of(lines, path) {
			if name, rest, ok := strings.Cut(l, "{"); ok && strings.HasPrefix(name, "loadline_container_resource_") {
				_, resource, _ := strings.Cut(rest, `resource="`)
				resource, _, _ = strings.Cut(resource, `"`)
				got += strings.TrimPrefix(name, "loadline_container_resource_") + " " + resource + " " + strings.TrimSpace(l[strings.LastIndexByte(l, ' ')+1:]) + ";"
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestAContainerStartsWithItsFirstProcess(t *testing.T) {
	dir := t.TempDir()
	for path, procs := range map[string]string{
		"memory/mine": fmt.Sprintf("0\n%d\n999999999\n", os.Getpid()), "memory/ended": "999999999\n", "memory/empty": "",
	} {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path, "cgroup.procs"), []byte(procs), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := cgroup.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		t.Fatal(err)
	}
	started := StartedBy(tree, proc)
	made := cgroup.Dir{Changed: time.Unix(1000, 0)}
	if at := started("/mine", made); time.Since(at) < 0 || time.Since(at) > time.Hour {
		t.Errorf("this process started at %v", at)
	}
	for _, path := range []string{"/ended", "/empty", "/none"} {
		if at := started(path, made); at != made.Changed {
			t.Errorf("%s: got %v, want the directory's time", path, at)
		}
	}
}
