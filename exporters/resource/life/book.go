package life

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Bounds of what is kept of workloads that have ended.
const (
	keepEnded = time.Hour // after the last container
	maxEnded  = 2000      // the earliest go first: a workload a container, as plain engines have, is no more than that
)

// Book holds the lives that there are, and what is counted by workload.
type Book struct {
	mu      sync.Mutex
	byPath  map[string]*Life
	byFirst map[int]*Life // by the first process
	over    []*Life       // gone, and not all counted yet
	entries map[key]*entry
	logged  bool // the kernel's log is read
}

// NewBook returns an empty book.
func NewBook() *Book {
	return &Book{byPath: map[string]*Life{}, byFirst: map[int]*Life{}, entries: map[key]*entry{}}
}

// Logged says whether the kernel's log is read.
func (b *Book) Logged(yes bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.logged = yes
}

// Life returns the life of the group at path, and makes it where it is new: a list
// of groups may still have one that is gone, whose life is over. bornHere says that
// the group was made while this exporter watched.
func (b *Book) Life(tree *cgroup.Tree, path string, inode uint64, bornHere bool) (l *Life, isNew bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.byPath[path]; l != nil {
		if l.Inode == inode {
			return l, false
		}
		b.end(l)
	}
	for _, l := range slices.Backward(b.over) {
		if l.Inode == inode && l.Group.Path() == path {
			return l, false
		}
	}
	l = &Life{Group: tree.Group(path), Inode: inode, FirstSeen: time.Now(), book: b, bornHere: bornHere}
	if bornHere {
		l.pending.starts = 1
	}
	b.byPath[path] = l
	return l, true
}

// Gone says that the group at path was removed.
func (b *Book) Gone(path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.byPath[path]; l != nil {
		b.end(l)
	}
}

func (b *Book) end(l *Life) {
	l.Group.Close()
	delete(b.byPath, l.Group.Path())
	if l.ended.IsZero() {
		l.ended = time.Now()
	}
	b.over = append(b.over, l)
}

// Close gives back the descriptors of all lives.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.byPath {
		l.Group.Close()
	}
	return nil
}

// Nameless returns the lives that are over and have no place yet.
func (b *Book) Nameless() (nameless []*Life) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.over {
		if l.place == nil {
			nameless = append(nameless, l)
		}
	}
	return nameless
}

// nameWithin is how long a life that is over waits for its name.
const nameWithin = time.Minute

// Settle counts what is certain by now and forgets lives and workloads whose time
// is over. What ended without a name counts under no workload, if it was a
// container: a sum over all workloads is still right.
func (b *Book) Settle() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for _, l := range b.byPath {
		l.settle(now)
	}
	b.over = slices.DeleteFunc(b.over, func(l *Life) bool {
		l.settle(now)
		age := now.Sub(l.ended)
		if l.place == nil && age < nameWithin || age < 2*settleAfter {
			return false
		}
		b.forget(l)
		return true
	})
	b.prune(now)
}

func (b *Book) forget(l *Life) {
	if b.byFirst[l.first] == l {
		delete(b.byFirst, l.first)
	}
	if l.place != nil {
		b.leave(l, l.ended)
		return
	}
	if _, ok := cgroup.Identify(l.Group.Path()); ok {
		b.entry(hierarchy.Place{}).add(&l.pending)
	}
}

// leave takes a life from the account that it counts on.
func (b *Book) leave(l *Life, at time.Time) {
	e := b.entry(*l.place)
	e.lives--
	if at.After(e.endedAt) {
		e.endedAt = at
	}
}

// prune forgets workloads that ended long ago, or earliest when there are many.
func (b *Book) prune(now time.Time) {
	var ended []*entry
	for k, e := range b.entries {
		switch {
		case e.lives > 0 || k == key{}:
		case now.Sub(e.endedAt) >= keepEnded:
			delete(b.entries, k)
		default:
			ended = append(ended, e)
		}
	}
	if len(ended) <= maxEnded {
		return
	}
	slices.SortFunc(ended, func(x, y *entry) int { return x.endedAt.Compare(y.endedAt) })
	for _, e := range ended[:len(ended)-maxEnded] {
		delete(b.entries, e.key)
	}
}

// key names what counts together.
type key struct{ namespace, workload, workloadType, container string }

// keyOf: where nothing orchestrates, a container's name is its instance's, and the
// workload's stands for it.
func keyOf(p hierarchy.Place) key {
	k := key{p.Namespace, p.Workload.Name, p.Workload.Type, p.Container}
	if p.Orchestrator == hierarchy.Docker || p.Orchestrator == hierarchy.Containerd {
		k.container = p.Workload.Name
	}
	return k
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.namespace, o.namespace), cmp.Compare(k.workload, o.workload),
		cmp.Compare(k.workloadType, o.workloadType), cmp.Compare(k.container, o.container))
}

// tally is what is counted.
type tally struct {
	cpu    float64 // seconds
	starts float64
	kills  [scopes][victims]float64
}

// entry is what one workload's containers of a name have on their account.
type entry struct {
	key
	sum     tally
	lives   int       // containers that are there
	endedAt time.Time // of the last
	shown   bool      // it was served at zero
}

func (b *Book) entry(p hierarchy.Place) *entry {
	k := keyOf(p)
	e := b.entries[k]
	if e == nil {
		e = &entry{key: k, endedAt: time.Now()}
		b.entries[k] = e
	}
	return e
}

// add moves what is pending to the account.
func (e *entry) add(t *tally) {
	e.sum.cpu += t.cpu
	e.sum.starts += t.starts
	for s := range t.kills {
		for v, n := range t.kills[s] {
			e.sum.kills[s][v] += n
		}
	}
	*t = tally{}
}

// sorted returns the accounts in a stable order.
func (b *Book) sorted() []*entry {
	return slices.SortedFunc(maps.Values(b.entries), func(x, y *entry) int { return x.compare(y.key) })
}

// first says which process is a life's first.
func (b *Book) first(l *Life, pid int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byFirst[l.first] == l {
		delete(b.byFirst, l.first)
	}
	l.first, l.ended = pid, time.Time{}
	b.byFirst[pid] = l
}

// firstEnded says that a life's last first process has ended.
func (b *Book) firstEnded(l *Life) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l.ended.IsZero() {
		l.ended = time.Now()
	}
}

// abandon forgets a group in which no process appeared, unless it is a container's.
func (b *Book) abandon(l *Life) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := cgroup.Identify(l.Group.Path()); ok || l.place != nil || b.byPath[l.Group.Path()] != l {
		return
	}
	l.Group.Close()
	delete(b.byPath, l.Group.Path())
}

// gone says whether a life's group was removed.
func (b *Book) gone(l *Life) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byPath[l.Group.Path()] != l
}
