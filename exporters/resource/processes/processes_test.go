package processes

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// of are containers by their cgroups, which hold these processes.
func of(pids map[string][]int) *Source {
	return &Source{
		List: func() (list []*container.Container) {
			for path := range pids {
				c := &container.Container{CgroupPath: path}
				c.Render()
				list = append(list, c)
			}
			return list
		},
		Processes: func(path string) []int { return pids[path] },
		ProcFS:    "/proc",
	}
}

func procFS(t *testing.T, dir string) procfs.FS {
	t.Helper()
	proc, err := procfs.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	return proc
}

func fetch(t *testing.T, s *Source) map[string]Facts {
	t.Helper()
	list, _, err := s.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Facts{}
	for _, f := range list {
		out[f.CgroupPath] = f
	}
	return out
}

func TestOpenFilesAndSocketsAreCounted(t *testing.T) {
	before := fetch(t, of(map[string][]int{"/a": {os.Getpid()}}))["/a"]
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	after := fetch(t, of(map[string][]int{"/a": {os.Getpid(), 1 << 30}}))["/a"]
	if after.Processes != 1 || after.Sockets != before.Sockets+1 || after.Files < before.Files+2 {
		t.Errorf("from %+v to %+v with one socket and one file more", before, after)
	}
	if !after.LimitKnown || after.OpenFiles < 1 && after.OpenFiles != -1 {
		t.Errorf("the limit of open files is %v", after.OpenFiles)
	}
}

func TestThreadsAreCountedByState(t *testing.T) {
	c := exec.Command("cat")
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	s := of(map[string][]int{"/cat": {c.Process.Pid}, "/me": {os.Getpid()}})
	s.Threads = true
	facts := fetch(t, s)
	if me := facts["/me"]; me.States.Running < 1 || me.Load.running < 1 {
		t.Errorf("this process, which runs: %+v, load %+v", me.States, me.Load)
	}
	if cat := facts["/cat"].States; cat.Running+cat.Sleeping+cat.Uninterruptible != 1 {
		t.Errorf("a process of one thread: %+v", cat)
	}
}

func TestAThreadsNameDoesNotHideItsState(t *testing.T) {
	for stat, want := range map[string]byte{
		"1 (x) S 0": 'S', "1 (a) R 2 (b) D 0": 'D', "1 (new\nline) T 0": 'T', "": 0, "1 (x) ": 0, "1 (x": 0,
	} {
		if got := state([]byte(stat)); got != want {
			t.Errorf("%q: got %q, want %q", stat, got, want)
		}
	}
}

func TestTooManyDescriptorsLeaveOneContainersSocketsUncountedAndItComesFirstNext(t *testing.T) {
	dir := t.TempDir()
	for pid, n := range map[int]int{1: maxLinks - 10, 2: 20, 3: 5} {
		fds := filepath.Join(dir, fmt.Sprint(pid), "fd")
		if err := os.MkdirAll(fds, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(pid), "limits"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		for i := range min(n, 20) {
			if err := os.Symlink(fmt.Sprintf("socket:[%d]", i), filepath.Join(fds, fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := &Source{
		List: func() []*container.Container {
			return []*container.Container{{CgroupPath: "/2"}, {CgroupPath: "/3"}}
		},
		Processes: func(path string) []int { return []int{int(path[1] - '0')} },
		ProcFS:    dir,
	}
	links := 10
	proc := procFS(t, dir)
	if f := s.facts(proc, s.List()[0], &links); f.SocketsKnown || !f.FilesKnown || s.next != "/2" {
		t.Errorf("twenty descriptors with ten left to look at: %+v, next %q", f, s.next)
	}
	if f := s.facts(proc, s.List()[1], &links); !f.SocketsKnown || f.Sockets != 5 || links != 5 {
		t.Errorf("five descriptors with ten left to look at: %+v, %d left", f, links)
	}
	if facts := fetch(t, s); s.next != "" || facts["/2"].Sockets != 20 {
		t.Errorf("the next poll: %+v", facts)
	}
}

func TestLoadDecaysOverTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := load{}.next(time.Now(), &States{Running: 4, Uninterruptible: 2})
		if l.running != 4 || l.waiting != 2 {
			t.Errorf("at first %+v", l)
		}
		time.Sleep(loadWindow)
		l = l.next(time.Now(), &States{})
		if math.Abs(l.running-4/math.E) > 1e-9 || math.Abs(l.waiting-2/math.E) > 1e-9 {
			t.Errorf("after ten seconds %+v", l)
		}
	})
}

func TestFactsAreServed(t *testing.T) {
	c := &container.Container{CgroupPath: "/a", Name: "web"}
	c.Render()
	facts := []Facts{{
		Container: c, Processes: 2, Files: 9, FilesKnown: true, Sockets: 3, SocketsKnown: true, OpenFiles: -1, LimitKnown: true,
		States: &States{Sleeping: 5, Running: 1}, Load: load{running: 0.5},
	}}
	ended := &container.Container{CgroupPath: "/ended"}
	ended.Render()
	facts = append(facts, Facts{Container: ended, Processes: 1})
	collector := Collector{
		Get:  func() ([]Facts, bool) { return facts, true },
		List: func() []*container.Container { return []*container.Container{c} },
	}
	table := append(metrics.Table().Of("container-processes"), metrics.Table().Of("container-tasks")...)
	w := family.NewWriter(table, nil)
	if err := collector.Collect(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := collector.CollectTasks(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := family.Budget(table, []*family.Writer{w}, 0).Encode(&b, family.Text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`container_processes{id="/a",name="web",`, `container_ulimits_soft{`, `ulimit="max_open_files"} -1`, `state="sleeping"} 5`,
		"container_sockets{", "container_file_descriptors{", "container_cpu_load_average_10s{", "} 500\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is missing from\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "/ended") {
		t.Errorf("a container that has ended is served:\n%s", b.String())
	}
}
