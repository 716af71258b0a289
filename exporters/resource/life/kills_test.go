package life

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/kmsg"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

const first = 42

var (
	pod  = "/kubepods/pod1-2"
	path = pod + "/" + strings.Repeat("a", 64)
	web  = hierarchy.Place{
		Namespace: "shop", Workload: hierarchy.Workload{Name: "web", Type: hierarchy.Deployment}, Pod: "web-1", Container: "app",
		Orchestrator: hierarchy.Kubernetes,
	}
)

// known is a reading of a group.
func known(cpu, kills float64) cgroup.Stats {
	return cgroup.Stats{CPU: cgroup.CPU{Known: true, Usage: cpu}, Memory: cgroup.Memory{Known: true, LimitKnown: true, OOMKills: kills}}
}

// limited is a reading of a group that has a limit of its own.
func limited(kills float64) cgroup.Stats {
	s := known(0, kills)
	s.Memory.Limit = 1
	return s
}

// begin follows a container of the workload web whose first process is 42.
func begin(b *Book, path string, bornHere bool) *Life {
	l, _ := b.Life(&cgroup.Tree{}, path, 1, bornHere)
	b.first(l, first)
	l.Named(web)
	return l
}

// serve returns what is served, a series a line, without what is 0.
func serve(t *testing.T, b *Book) string {
	t.Helper()
	table := metrics.Table().Of("workload")
	w := family.NewWriter(table, nil)
	if err := b.Collect(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	family.Budget(table, []*family.Writer{w}, 0).Encode(&text, family.Text)
	var lines []string
	label := regexp.MustCompile(`="([^"]*)"`)
	for _, m := range regexp.MustCompile(`(?m)^loadline_workload_(\w+)\{(.*)\} (.*)$`).FindAllStringSubmatch(text.String(), -1) {
		var labels []string
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			labels = append(labels, l[1])
		}
		if m[3] != "0" {
			lines = append(lines, m[1]+" "+strings.Join(labels, "/")+" "+m[3])
		}
	}
	return strings.Join(lines, "\n")
}

// kills returns the kills that are served.
func killsOf(t *testing.T, b *Book) string {
	t.Helper()
	var out []string
	for line := range strings.Lines(serve(t, b)) {
		if rest, ok := strings.CutPrefix(line, "oom_kills_total shop/web/deployment/app/"); ok {
			out = append(out, strings.TrimSpace(rest))
		}
	}
	return strings.Join(out, "; ")
}

func TestSourcesOfKillsAreReconciled(t *testing.T) {
	own := kmsg.Kill{PID: first, Limited: path, Group: path}
	child := kmsg.Kill{PID: 99, Limited: path, Group: path}
	for name, test := range map[string]struct {
		do   func(b *Book, l *Life)
		want string
	}{
		"nothing happened": {func(*Book, *Life) {}, ""},
		"the counter and the log tell of the same": {
			func(b *Book, l *Life) { l.Totals(known(0, 1)); b.Killed(own) }, "container/init 1",
		},
		"the log comes first": {
			func(b *Book, l *Life) { b.Killed(child); l.Totals(known(0, 1)) }, "container/child 1",
		},
		"the counter tells of more than the log, which was rate-limited": {
			func(b *Book, l *Life) { b.Killed(child); l.Totals(limited(3)); b.Killed(own); l.Totals(limited(4)) }, "container/init 1; container/child 3",
		},
		"the group went before its counter was read": {
			func(b *Book, _ *Life) { b.Killed(own); b.Gone(path) }, "container/init 1",
		},
		"the log comes after the group went": {
			func(b *Book, _ *Life) { b.Gone(path); b.Killed(kmsg.Kill{PID: first}) }, "container/init 1",
		},
		"the log was rate-limited and says no limit, the group has one": {
			func(b *Book, l *Life) { b.Killed(kmsg.Kill{PID: first}); l.last(limited(1)); b.firstEnded(l) }, "container/init 1",
		},
		"the log was rate-limited and says no limit, the group has none": {
			func(b *Book, l *Life) { b.Killed(kmsg.Kill{PID: first}); l.last(known(0, 1)); b.firstEnded(l) }, "pod/init 1",
		},
		"the engine tells of one that was another container's of the pod": {
			func(b *Book, l *Life) {
				b.OOMKilled(strings.Repeat("a", 64))
				l.last(known(0, 0))
				b.firstEnded(l)
				b.OOMKilled(strings.Repeat("a", 64))
				b.Gone(path)
			}, "",
		},
		"all three tell of one": {
			func(b *Book, l *Life) {
				b.OOMKilled(strings.Repeat("a", 64))
				b.Killed(own)
				l.Totals(known(0, 1))
				b.Gone(path)
			}, "container/init 1",
		},
		"the engine alone tells of one": {
			func(b *Book, l *Life) { l.Totals(limited(0)); b.OOMKilled(strings.Repeat("a", 64)); b.Gone(path) }, "container/child 1",
		},
		"the engine alone tells, without the log": {
			func(b *Book, l *Life) {
				b.Logged(false)
				l.Totals(limited(0))
				b.OOMKilled(strings.Repeat("a", 64))
				b.Gone(path)
			}, "container/init 1",
		},
		"the counter alone, without the log: with the last kill the container ended": {
			func(b *Book, l *Life) { b.Logged(false); b.firstEnded(l); l.Totals(limited(2)) }, "container/init 1; container/child 1",
		},
		"the pod's limit was reached": {
			func(b *Book, l *Life) {
				l.Totals(known(0, 1))
				b.Killed(kmsg.Kill{PID: first, Limited: pod, Group: path})
			}, "pod/init 1",
		},
		"a limit above the pod was reached": {
			func(b *Book, _ *Life) { b.Killed(kmsg.Kill{PID: 7, Limited: "/kubepods", Group: path}) }, "node/child 1",
		},
		"the machine was short": {
			func(b *Book, _ *Life) { b.Killed(kmsg.Kill{PID: first, Global: true}) }, "node/init 1",
		},
		"another's process was killed": {
			func(b *Book, _ *Life) { b.Killed(kmsg.Kill{PID: 7, Limited: "/x", Group: "/x"}) }, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := NewBook()
				b.Logged(true)
				l := begin(b, path, true)
				serve(t, b) // at 0
				test.do(b, l)
				time.Sleep(2 * settleAfter)
				serve(t, b)
				if got := killsOf(t, b); got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		})
	}
}

func TestWhatTheLogExplainsIsCountedAtOnce(t *testing.T) {
	b := NewBook()
	b.Logged(true)
	l := begin(b, path, true)
	serve(t, b)
	l.Totals(known(0, 1))
	if got := killsOf(t, b); got != "" {
		t.Errorf("%q was counted before the log had its say", got)
	}
	b.Killed(kmsg.Kill{PID: first, Limited: path, Group: path})
	if got := killsOf(t, b); got != "container/init 1" {
		t.Errorf("got %q", got)
	}
}

func TestKillsBeforeTheExporterAreNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBook()
		l := begin(b, path, false)
		l.Totals(known(10, 5))
		serve(t, b)
		l.Totals(known(12, 6))
		time.Sleep(settleAfter)
		if got, want := serve(t, b), "cpu_seconds_total shop/web/deployment/app 2\noom_kills_total shop/web/deployment/app/pod/child 1"; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}
