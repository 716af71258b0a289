package network

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/internal/source"
)

const limit = 20 * time.Second

// values are the series of a pod by their name and further labels, in one scrape.
func values(t testing.TB, c *Connections, pod string) map[string]float64 {
	t.Helper()
	// Every count of this scrape is a new one.
	c.pace.left = time.Hour
	lines, err := collect(t.Context(), t, "connection", c.Collect)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, "{")
		l, v, _ := strings.Cut(rest, "} ")
		further, ours := strings.CutPrefix(l, fmt.Sprintf(`namespace="shop",pod=%q,workload=%q,workload_type="deployment"`, pod, pod))
		if !ours {
			continue
		}
		key := strings.TrimPrefix(name, "loadline_pod_tcp_") + further
		if _, twice := out[key]; twice {
			t.Errorf("%s is there twice", line)
		}
		if out[key], err = strconv.ParseFloat(v, 64); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func inState(state, peer string) string {
	return fmt.Sprintf("connections,state=%q,peer=%q", state, peer)
}

// wantConnections waits until a pod has these connections and no others; those that
// are established are written as well.
func wantConnections(t *testing.T, c *Connections, pod string, want map[string]float64) {
	t.Helper()
	for _, peer := range peerNames {
		if _, ok := want[inState("established", peer)]; !ok {
			want[inState("established", peer)] = 0
		}
	}
	wait.For(t, limit, "the connections of "+pod, func() error {
		got := values(t, c, pod)
		for key, v := range got {
			if strings.HasPrefix(key, "connections,") && want[key] != v {
				return fmt.Errorf("%s is %v, want %v", key, v, want[key])
			}
		}
		for key, v := range want {
			if g, ok := got[key]; !ok || g != v {
				return fmt.Errorf("%s is %v (%v), want %v", key, g, ok, v)
			}
		}
		return nil
	})
}

func TestConnectionsAreCountedByStateAndPeer(t *testing.T) {
	r := newRealPods(t, "web", "other")
	c := r.connections()
	wantConnections(t, c, "web", map[string]float64{})
	v4, v6, dual := r.listen("web", "127.0.0.1:0"), r.listen("web", "[::1]:0"), r.listen("web", ":0")
	first, _ := r.connect("web", v4)
	_, _ = r.connect("web", v6)
	_, _ = r.connect("web", dual)
	established := inState("established", "pod")
	// Both ends are in the pod.
	wantConnections(t, c, "web", map[string]float64{established: 6})
	if got := values(t, c, "web"); got["listen_sockets"] != 3 || got["accept_queue_connections"] != 0 || got["accept_queue_limit"] < 1 {
		t.Errorf("three listen: got %v", got)
	}
	wantConnections(t, c, "other", map[string]float64{})

	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	wantConnections(t, c, "web", map[string]float64{established: 4, inState("close_wait", "pod"): 1, inState("fin_wait", "pod"): 1})
	if got := values(t, c, "web"); got[`connections_opened_total,direction="incoming"`] != 3 || got[`connections_opened_total,direction="outgoing"`] != 3 {
		t.Errorf("three were opened: got %v", got)
	}
	if c.Source.Status().Reason != source.OK {
		t.Errorf("the source says %+v", c.Source.Status())
	}
}

func TestAStateThatWasSeenStaysAtZero(t *testing.T) {
	r := newRealPods(t, "web")
	c := r.connections()
	client, server := r.connect("web", r.listen("web", "127.0.0.1:0"))
	wantConnections(t, c, "web", map[string]float64{inState("established", "pod"): 2})
	client.Close()
	wantConnections(t, c, "web", map[string]float64{inState("fin_wait", "pod"): 1, inState("close_wait", "pod"): 1})
	server.Close()
	wantConnections(t, c, "web", map[string]float64{inState("fin_wait", "pod"): 0, inState("close_wait", "pod"): 0, inState("time_wait", "pod"): 1})
}

func TestAnAcceptQueueThatOverflowsIsSeen(t *testing.T) {
	r := newRealPods(t, "web")
	c := r.connections()
	port := r.listenShort("web")
	if got := values(t, c, "web"); got["listen_sockets"] != 1 || got["accept_queue_connections"] != 0 || got["accept_queue_limit"] != 1 || got["accept_queue_overflows_total"] != 0 {
		t.Errorf("before: got %v", got)
	}
	// The kernel lets in one more than the limit.
	r.begin("web", port)
	r.begin("web", port)
	wait.For(t, limit, "two connections to wait", func() error {
		if got := values(t, c, "web"); got["accept_queue_connections"] != 2 || got["accept_queue_overflows_total"] != 0 {
			return fmt.Errorf("got %v", got)
		}
		return nil
	})
	for range 3 {
		r.begin("web", port)
	}
	wait.For(t, limit, "the queue to overflow", func() error {
		got := values(t, c, "web")
		if got["accept_queue_connections"] != 2 || got["accept_queue_overflows_total"] < 3 || got["listen_drops_total"] < 3 {
			return fmt.Errorf("got %v", got)
		}
		if got[inState("syn_sent", "pod")] != 3 {
			return fmt.Errorf("three try on: got %v", got)
		}
		return nil
	})
	// Each attempt is sent again and again.
	wait.For(t, limit, "attempts to be sent again", func() error {
		if got := values(t, c, "web")["segments_retransmitted_total"]; got < 3 {
			return fmt.Errorf("%v were", got)
		}
		return nil
	})
}

func TestTheFullestAcceptQueueIsServed(t *testing.T) {
	for name, test := range map[string]struct {
		sockets []socket
		want    queues
	}{
		"none":                              {nil, queues{}},
		"by its share, not by its length":   {[]socket{{queue: 100, limit: 4096}, {queue: 2, limit: 4}}, queues{2, 2, 4}},
		"all empty: the shortest":           {[]socket{{limit: 4096}, {limit: 5}, {limit: 128}}, queues{3, 0, 5}},
		"a limit of none":                   {[]socket{{queue: 1, limit: 0}, {queue: 5, limit: 10}}, queues{2, 1, 0}},
		"beyond the limit":                  {[]socket{{queue: 11, limit: 10}, {queue: 128, limit: 128}}, queues{2, 11, 10}},
		"the largest numbers of the kernel": {[]socket{{queue: 1<<32 - 1, limit: 1<<32 - 1}, {queue: 1, limit: 1 << 31}}, queues{2, 1<<32 - 1, 1<<32 - 1}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				var q queues
				for _, s := range test.sockets {
					s.state = stateListen
					q.add(&s)
				}
				if q != test.want {
					t.Errorf("got %v, want %v", q, test.want)
				}
				slices.Reverse(test.sockets)
			}
		})
	}
}

func TestConnectionsAreNotCountedAnewWhileNothingHappens(t *testing.T) {
	r := newRealPods(t, "web")
	c := r.connections()
	l := r.listen("web", "127.0.0.1:0")
	client, _ := r.connect("web", l)
	wantConnections(t, c, "web", map[string]float64{inState("established", "pod"): 2})
	counted := func() time.Time {
		values(t, c, "web")
		for _, m := range c.memories {
			return m.connectionsAt
		}
		return time.Time{}
	}
	at := counted()
	if again := counted(); !again.Equal(at) {
		t.Errorf("idle, and counted again %v later", again.Sub(at))
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	wait.For(t, limit, "a count after something was sent", func() error {
		if again := counted(); again.Equal(at) {
			return fmt.Errorf("the last is that of %v", at)
		}
		return nil
	})
}

func TestCountingKeepsToItsPace(t *testing.T) {
	var p pace
	now := time.Unix(1000, 0)
	p.pass(now)
	if !p.allows(0) {
		t.Error("nothing is allowed at first")
	}
	p.spend(time.Hour, time.Minute)
	if !p.allows(0) {
		t.Error("what had to be done is charged")
	}
	p.spend(paceSaved+time.Millisecond, 59*time.Second)
	if p.allows(59 * time.Second) {
		t.Error("more is allowed than was saved")
	}
	if !p.allows(time.Minute) {
		t.Error("a count of a minute ago is not made anew")
	}
	p.pass(now.Add(400 * time.Millisecond))
	if p.allows(0) {
		t.Error("allowed before the debt is paid")
	}
	p.pass(now.Add(time.Second))
	if !p.allows(0) {
		t.Error("not allowed after the debt is paid")
	}
	p.spend(time.Hour, 0)
	p.pass(now.Add(3 * time.Minute))
	if !p.allows(0) {
		t.Error("a debt lasts longer than what could be saved")
	}
}

func TestWhatSurelyChangedIsCountedFirst(t *testing.T) {
	then := counters{opened: 5, received: 10}
	at := time.Unix(1000, 0)
	counted := memory{countersKnown: true, connectionsAt: at, connectionsOf: then, counters: then}
	idle, opened, traffic, passing, never := counted, counted, counted, counted, memory{countersKnown: true}
	opened.counters.opened++
	traffic.counters.received++
	passing.connections[timeWait][peerPod] = 1
	unknown := counted
	unknown.countersKnown = false
	for want, memories := range map[int][]memory{notDue: {idle}, maybeDue: {traffic, passing}, surelyDue: {opened, never, unknown}} {
		for i, m := range memories {
			if got := m.due(); got != want {
				t.Errorf("case %d of %d: got %d", i, want, got)
			}
		}
	}
}

func TestNothingIsLeftOfAPodThatGoes(t *testing.T) {
	need.Root(t)
	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	r := newRealPods(t, "stays", "goes")
	c := r.connections()
	values(t, c, "stays")
	released := r.whenReleased("goes")
	before := descriptors()
	pid, err := strconv.Atoi(r.pid["goes"])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wait.For(t, limit, "the series to go", func() error {
		if got := values(t, c, "goes"); len(got) > 0 {
			return fmt.Errorf("there are %v", got)
		}
		return nil
	})
	if got := values(t, c, "stays"); len(got) == 0 {
		t.Error("the other pod's went too")
	}
	wait.For(t, limit, "the namespace to be released", released)
	r.remove(r.list[1])
	values(t, c, "stays")
	// One is held of each pod; the sockets and namespaces of a scrape are closed.
	if after := descriptors(); after >= before || len(c.memories) != 1 || len(c.pods) != 1 {
		t.Errorf("%d descriptors before, %d after; %d namespaces and %d pods remembered", before, after, len(c.memories), len(c.pods))
	}
}

// whenReleased makes a device pair between this process's namespace and a pod's. The
// kernel removes both ends with the pod's namespace.
func (r *realPods) whenReleased(name string) func() error {
	r.t.Helper()
	outer := newRealPods(r.t, "outer")
	ip(r.t, outer.pid["outer"], "link", "add", "watched", "type", "veth", "peer", "name", "eth0", "netns", r.pid[name])
	return func() error {
		content, err := os.ReadFile(filepath.Join("/proc", outer.pid["outer"], "net/dev"))
		if err == nil && strings.Contains(string(content), "watched:") {
			err = fmt.Errorf("its device is still there")
		}
		return err
	}
}

func TestWithoutRightsCountersStay(t *testing.T) {
	m := newMachine(t)
	m.kubernetes("web", "", 10)
	m.process(10, "a")
	// What stands for the namespace can't be entered.
	m.write("10/ns/net", "")
	c := &Connections{Namespaces: m.namespaces(), Source: source.New("sockets")}
	lines, err := collect(t.Context(), t, "connection", c.Collect)
	if err != nil {
		t.Error(err)
	}
	if text := strings.Join(lines, "\n"); !strings.Contains(text, "segments_retransmitted_total") || strings.Contains(text, "listen_sockets") || strings.Contains(text, "tcp_connections{") {
		t.Errorf("got\n%s", text)
	}
}

func TestCountersAreSummedUpByPod(t *testing.T) {
	m := newMachine(t)
	m.plain("twice", 10)
	m.plain("twice", 11).CgroupPath = "/moby/twice"
	m.pids["/docker/twice"], m.pids["/moby/twice"] = []int{10}, []int{11}
	m.process(10, "a")
	m.process(11, "b")
	c := &Connections{Namespaces: m.namespaces(), Source: source.New("sockets")}
	lines, err := collect(t.Context(), t, "connection", c.Collect)
	if err != nil {
		t.Error(err)
	}
	want := []string{
		"accept_queue_overflows_total{L} 14", "listen_drops_total{L} 16", "segments_sent_total{L} 32", "segments_retransmitted_total{L} 34",
		`connections_opened_total{L,direction="outgoing"} 20`, `connections_opened_total{L,direction="incoming"} 22`,
		"connections_failed_total{L} 24", "connections_reset_total{L} 26", "resets_sent_total{L} 38",
	}
	for i, line := range lines {
		lines[i] = strings.Replace(strings.TrimPrefix(line, "loadline_pod_tcp_"), `namespace="default",pod="twice",workload="twice",workload_type="container"`, "L", 1)
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s", strings.Join(lines, "\n"))
	}
}

func TestListingEndsWithItsContext(t *testing.T) {
	r := newRealPods(t, "web")
	c := r.connections()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := collect(ctx, t, "connection", c.Collect); err == nil {
		t.Error("no error")
	}
}
