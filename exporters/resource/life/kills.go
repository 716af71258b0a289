package life

import (
	"slices"
	"strings"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/kmsg"
)

// scope is whose memory was short when a process was killed. A limit above the
// pod's is the node's.
type scope int

const (
	containerScope scope = iota
	podScope
	nodeScope
	scopes
)

// victim is what kind of process was killed: a container's first one, with which
// it ends, or another.
type victim int

const (
	initVictim victim = iota
	childVictim
	victims
)

func scopeNames() [scopes]string   { return [scopes]string{"container", "pod", "node"} }
func victimNames() [victims]string { return [victims]string{"init", "child"} }

// settleAfter is how long a kill that only the group's counter shows waits for the
// log's word, which comes within milliseconds, or else for the container's end,
// which says whom it hit.
const settleAfter = 2 * time.Second

// maxUnused bounds the kills that the log told of and no counter has shown.
const maxUnused = 1024

// kills are a life's OOM kills, as three sources tell of them.
type kills struct {
	shown  int  // by the group's own counter
	logged int  // by the kernel's log
	told   bool // the engine told of at least one

	unused  []cause   // what the log said of kills that are not counted yet
	counted int       // kills that are counted
	since   time.Time // since when there are some that are not
}

// cause is what the log says of a kill.
type cause struct {
	scope  scope
	scoped bool // else the likely scope stands for it
	victim victim
}

// of is the scope of a kill in a life.
func (c cause) of(l *Life) scope {
	if c.scoped {
		return c.scope
	}
	return l.likelyScope()
}

// settle counts kills into t: those that the log explains at once, the others when
// it had its time and the group was read to its end.
func (k *kills) settle(l *Life, now time.Time, t *tally) {
	total := max(k.shown, k.logged)
	over := !l.ended.IsZero() && now.Sub(l.ended) >= settleAfter
	if k.told && total == 0 && over && !l.final {
		total = 1
	}
	if k.counted >= total {
		k.since = time.Time{}
		return
	}
	if k.since.IsZero() {
		k.since = now
	}
	waited := over || now.Sub(k.since) >= settleAfter
	for ; k.counted < total; k.counted++ {
		switch {
		case len(k.unused) > 0 && (k.unused[0].scoped || waited):
			t.kills[k.unused[0].of(l)][k.unused[0].victim]++
			k.unused = k.unused[1:]
		case waited:
			t.kills[l.likelyScope()][l.likelyVictim(k.counted == total-1)]++
		default:
			return
		}
	}
	k.since = time.Time{}
}

// likelyScope is that of a kill of which the log does not say it, which it does for
// ten in five seconds: a group without a limit has none to reach.
func (l *Life) likelyScope() scope {
	if l.free && !l.limited {
		return podScope
	}
	return containerScope
}

// likelyVictim: the log tells of every first process by its id, so what it does
// not tell of is another's. Without the log, the last kill before the end was
// that of the first process.
func (l *Life) likelyVictim(last bool) victim {
	if last && !l.ended.IsZero() && (!l.book.logged || l.first == 0) {
		return initVictim
	}
	return childVictim
}

// Killed takes a kill that the kernel's log tells of. The victim is known by its
// id if it is a first process, else its group by what the log says; a kill of
// which neither is known is left to its group's counter.
func (b *Book) Killed(k kmsg.Kill) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, v := b.byFirst[k.PID], initVictim
	if l == nil {
		l, v = b.byPath[k.Group], childVictim
	}
	if l == nil {
		return
	}
	l.kills.logged++
	if len(l.kills.unused) < maxUnused && l.kills.logged > l.kills.counted {
		s, ok := scopeOf(l, k)
		l.kills.unused = append(l.kills.unused, cause{s, ok, v})
	}
	l.settle(time.Now())
}

// OOMKilled takes an engine's word that a process of the container was killed.
func (b *Book) OOMKilled(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	is := func(l *Life) bool {
		path := l.Group.Path()
		known, _ := cgroup.Identify(path)
		// A container that nothing orchestrates has its id as its group's name.
		return known.ID == id || strings.HasSuffix(path, "/"+id)
	}
	for _, l := range b.byPath {
		if is(l) {
			l.told()
			return
		}
	}
	// The engine tells in its own time: the last of that name.
	for _, l := range slices.Backward(b.over) {
		if is(l) {
			l.kills.told = true
			return
		}
	}
}

// told takes an engine's word. It counts where the group is gone: as long as it is
// there its counter is right, and on v1 an engine hears of each limit that is
// reached in a group or above it.
func (l *Life) told() {
	var b cgroup.Buffer
	s, _ := l.Group.ReadTotals(&b)
	if !s.Memory.LimitKnown {
		l.kills.told = true
		return
	}
	l.totals(s)
}

// scopeOf tells whose memory was short by the group whose limit was reached; ok is
// false where the log does not say it.
func scopeOf(l *Life, k kmsg.Kill) (s scope, ok bool) {
	path := l.Group.Path()
	switch {
	case k.Global:
		return nodeScope, true
	case k.Limited == "":
		return containerScope, false
	case k.Limited == path || strings.HasPrefix(k.Limited, path+"/"):
		return containerScope, true
	case cgroup.IsPod(k.Limited), !cgroup.InKubernetes(path) && path[:strings.LastIndexByte(path, '/')] == k.Limited:
		return podScope, true
	}
	return nodeScope, true
}
