package fargate

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/source"
)

var update = flag.Bool("update", false, "write what is served to the golden file")

// endpoint answers as the task's metadata endpoint, below the path that ECS gives.
func endpoint(t *testing.T, task, stats string) *Source {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v4/id/task":
			_, _ = w.Write([]byte(task))
		case "/v4/id/task/stats":
			_, _ = w.Write([]byte(stats))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return at(t, s.URL+"/v4/id")
}

func at(t *testing.T, uri string) *Source {
	t.Helper()
	s, err := New(uri, "node-1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func fetch(t *testing.T, s *Source) *Task {
	t.Helper()
	task, detail, err := s.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(detail, "http://127.0.0.1:") {
		t.Errorf("it was found at %q", detail)
	}
	return task
}

// exposition is all that is served of a task, without the time of the scrape.
func exposition(t *testing.T, task *Task) string {
	t.Helper()
	table := metrics.Table()
	get := func() (*Task, bool) { return task, true }
	containers := &container.Collector{List: func() []*container.Container { return task.Containers }, Devices: &container.Devices{SysFS: t.TempDir()}}
	var writers []*family.Writer
	for _, c := range []struct {
		name    string
		collect func(context.Context, *family.Writer) error
	}{
		{"container", containers.Collect}, {"task", Collector{get}.Limits}, {"network", Collector{get}.Network}, {"storage", Collector{get}.Storage},
	} {
		w := family.NewWriter(table.Of(c.name), nil)
		if err := c.collect(t.Context(), w); err != nil {
			t.Error(err)
		}
		writers = append(writers, w)
	}
	var b, out bytes.Buffer
	family.Budget(table, writers, 0).Encode(&b, family.Text)
	for line := range strings.Lines(b.String()) {
		if line[0] != '#' && !strings.HasPrefix(line, "container_last_seen{") {
			out.WriteString(line)
		}
	}
	return out.String()
}

func TestATaskIsServedAsItsEndpointTells(t *testing.T) {
	got := exposition(t, fetch(t, endpoint(t, read(t, "task.json"), read(t, "stats.json"))))
	const golden = "testdata/task.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, "task.golden"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestWhatTheEndpointDoesNotTellIsNotServedAsZero looks for what only the kernel's
// files say, and for what one of the containers lacks.
func TestWhatTheEndpointDoesNotTellIsNotServedAsZero(t *testing.T) {
	got := exposition(t, fetch(t, endpoint(t, read(t, "task.json"), read(t, "stats.json"))))
	for _, family := range []string{
		"container_oom_events_total", "container_spec_memory_swap_limit_bytes", "container_spec_memory_reservation_limit_bytes",
		"container_spec_cpu_quota", "container_memory_swap{", "container_pressure_", `container_threads{id="/ecs/cd189a933e5849daa93386466019ab50/cd189a933e5849daa93386466019ab50-2495160603"`,
		`container_fs_reads_total{id="/ecs/cd189a933e5849daa93386466019ab50/cd189a933e5849daa93386466019ab50-1733467221"`,
	} {
		if strings.Contains(got, "\n"+family) {
			t.Errorf("%s is served", family)
		}
	}
	for line := range strings.Lines(got) {
		if strings.Contains(line, "4122573662") && !strings.HasPrefix(line, "loadline_container_info{") && !strings.HasPrefix(line, "container_start_time_seconds{") {
			t.Errorf("a container without statistics has %s", line)
		}
		if strings.Contains(line, "migrate") {
			t.Errorf("a container that has ended has %s", line)
		}
	}
}

func TestOnInstancesOfOnesOwnEachContainerMayHaveItsNetwork(t *testing.T) {
	bridge := strings.ReplaceAll(read(t, "task.json"), `"awsvpc"`, `"bridge"`)
	got := exposition(t, fetch(t, endpoint(t, bridge, read(t, "stats.json"))))
	if n := strings.Count(got, "\ncontainer_network_receive_bytes_total{"); n != 2 {
		t.Errorf("%d interfaces, want one of each container", n)
	}
}

func TestTheContainerThatHoldsTheNetworkIsTheTasksSandbox(t *testing.T) {
	pause := strings.Replace(read(t, "task.json"), `"Type": "NORMAL"`, `"Type": "CNI_PAUSE"`, 1)
	task := fetch(t, endpoint(t, pause, read(t, "stats.json")))
	if c := task.Containers[0]; !c.Sandbox || c.Container != "POD" || c.Kind != container.Sandbox {
		t.Errorf("got %+v", c)
	}
}

func TestWithoutAnEndpointTheSourceIsAbsent(t *testing.T) {
	if _, _, err := at(t, "").Fetch(t.Context()); source.ReasonOf(err) != source.Absent || !strings.Contains(err.Error(), URIVariable) {
		t.Errorf("got %v", err)
	}
}

func TestAURIThatIsNoneIsRefused(t *testing.T) {
	for _, uri := range []string{"169.254.170.2/v4/id", "ftp://169.254.170.2", "http://", "%"} {
		if _, err := New(uri, ""); err == nil {
			t.Errorf("%q is taken", uri)
		}
	}
}

func TestHostileAnswersAreInvalid(t *testing.T) {
	whole, stats := read(t, "task.json"), read(t, "stats.json")
	for name, test := range map[string]struct{ task, stats string }{
		"no JSON":                       {"<html>", stats},
		"an empty answer":               {"", stats},
		"something else":                {"{}", stats},
		"cut off":                       {whole[:len(whole)/2], stats},
		"statistics cut off":            {whole, stats[:len(stats)/2]},
		"a negative counter":            {whole, strings.Replace(stats, "8569211589", "-1", 1)},
		"a counter that is no number":   {whole, strings.Replace(stats, "8569211589", `"x"`, 1)},
		"an answer without an end":      {`{"TaskARN":"` + strings.Repeat("x", maxAnswer), stats},
		"statistics without an end":     {whole, `{"x":{"name":"` + strings.Repeat("x", maxAnswer)},
		"a limit that no number can be": {strings.Replace(whole, "3072", "1e999", 1), stats},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := endpoint(t, test.task, test.stats).Fetch(t.Context())
			if source.ReasonOf(err) != source.Invalid || len(err.Error()) > 500 {
				t.Errorf("got %.600v", err)
			}
		})
	}
}

func TestContainersOfOneIDAreOne(t *testing.T) {
	task := strings.ReplaceAll(read(t, "task.json"), "-1733467221", "-2495160603")
	if n := len(fetch(t, endpoint(t, task, read(t, "stats.json"))).Containers); n != 2 {
		t.Errorf("%d containers, want web and young", n)
	}
}

func TestWhyAnEndpointDoesNotAnswerIsSaid(t *testing.T) {
	for code, want := range map[int]source.Reason{
		http.StatusForbidden: source.Forbidden, http.StatusTooManyRequests: source.Failed, http.StatusInternalServerError: source.Failed,
		http.StatusNotFound: source.Invalid, http.StatusFound: source.Invalid,
	} {
		followed := false
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			followed = followed || r.URL.Path == "/elsewhere"
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(code)
		}))
		_, _, err := at(t, s.URL).Fetch(t.Context())
		s.Close()
		if source.ReasonOf(err) != want || followed {
			t.Errorf("%d: got %v, followed: %v", code, err, followed)
		}
		if _, _, err := at(t, s.URL).Fetch(t.Context()); source.ReasonOf(err) != source.Absent {
			t.Errorf("nobody listens: got %v", err)
		}
	}
}

func TestAnEndpointThatHangsIsTimedOut(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer s.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := at(t, s.URL).Fetch(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func FuzzAnswersYieldNoSeriesTwice(f *testing.F) {
	task, err := os.ReadFile("testdata/task.json")
	stats, err2 := os.ReadFile("testdata/stats.json")
	if err := errors.Join(err, err2); err != nil {
		f.Fatal(err)
	}
	f.Add(string(task), string(stats))
	f.Add(`{"TaskARN":"/","Containers":[{"DockerId":"a","KnownStatus":"RUNNING"},{"DockerId":"a","KnownStatus":"RUNNING"}]}`, `{"a":{}}`)
	f.Add(`{"TaskARN":"x","Limits":{"CPU":-1}}`, `{"a":null}`)
	f.Fuzz(func(t *testing.T, task, stats string) {
		made, err := decode([]byte(task), []byte(stats), "n")
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for line := range strings.Lines(exposition(t, made)) {
			series := line[:strings.LastIndexByte(line, ' ')]
			if seen[series] {
				t.Errorf("%s occurs twice", series)
			}
			seen[series] = true
		}
	})
}
