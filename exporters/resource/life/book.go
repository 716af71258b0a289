package life

import (
	"slices"
	"sync"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/counts"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Book holds the lives that there are, and what is counted by workload.
type Book struct {
	mu      sync.Mutex
	byPath  map[string]*Life
	byFirst map[int]*Life // by the first process
	over    []*Life       // gone, and not all counted yet
	logged  bool          // the kernel's log is read

	accounts *counts.Book[key] // each life that has a place holds its account
}

// NewBook returns an empty book.
func NewBook() *Book {
	return &Book{byPath: map[string]*Life{}, byFirst: map[int]*Life{}, accounts: newAccounts()}
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
}

func (b *Book) forget(l *Life) {
	if b.byFirst[l.first] == l {
		delete(b.byFirst, l.first)
	}
	if l.place != nil {
		b.accounts.ReleaseAt(keyOf(*l.place), l.ended)
		return
	}
	if _, ok := cgroup.Identify(l.Group.Path()); ok {
		b.accounts.Hold(key{}) // for good: what it counts is all that is known of them
		b.count(key{}, &l.pending)
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

// tally is what is counted.
type tally struct {
	cpu    float64 // seconds
	starts float64
	kills  [scopes][victims]float64
}

// count moves what is pending to an account.
func (b *Book) count(k key, t *tally) {
	add := func(f *family.Family, n float64, labels ...string) {
		if n > 0 {
			b.accounts.Add(f, k, n, labels...)
		}
	}
	add(metrics.WorkloadCPU, t.cpu)
	add(metrics.WorkloadStarts, t.starts)
	names, whom := scopeNames(), victimNames()
	for s := range t.kills {
		for v, n := range t.kills[s] {
			add(metrics.WorkloadOOMKills, n, names[s], whom[v])
		}
	}
	*t = tally{}
}

// newAccounts returns accounts that begin with every counter at 0.
func newAccounts() *counts.Book[key] {
	accounts := counts.NewBook(metrics.WorkloadCPU.Labels, func(k key) []string {
		return []string{k.namespace, k.workload, k.workloadType, k.container}
	})
	accounts.Start(metrics.WorkloadCPU)
	accounts.Start(metrics.WorkloadStarts)
	for _, scope := range scopeNames() {
		for _, victim := range victimNames() {
			accounts.Start(metrics.WorkloadOOMKills, scope, victim)
		}
	}
	return accounts
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
