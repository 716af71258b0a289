package container

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/life"
)

// nameGrace is how long a container that no source names yet is held back: the
// runtime shows it within a second of its cgroup, the kubelet within some more.
// Series under a made-up name would stay in every graph.
const nameGrace = 10 * time.Second

// askAgainAfter is when the sources are asked anew while a container is held back.
// Docker lists a container when it runs, which is after its cgroup was made: an
// answer in between does not have it.
const askAgainAfter = time.Second

// Sources are what the index joins. Each function returns the freshest snapshot,
// and false when there is none; a nil function is a source that is not used.
type Sources struct {
	Dirs       func() map[string]cgroup.Dir
	Pods       func() ([]Pod, bool)
	Docker     func() (Engines, bool)
	Containerd func() (Engines, bool)
	CRI        func() (Engines, bool)
	// RecentDocker and RecentContainerd are what the engines' events told lately.
	RecentDocker, RecentContainerd *Recent
	// Settled says whether every source was asked at least once.
	Settled func() bool
	// Ask, if set, asks the sources for fresh snapshots soon.
	Ask func()
	// Joined, if set, is called after a join that found other containers.
	Joined func()
	// Started tells when the first process of a cgroup started.
	Started func(path string, dir cgroup.Dir) time.Time
	// Group opens a cgroup that is no container; nil opens nothing.
	Group func(path string) *cgroup.Group
	// Own, if set, is the container that this runs in, and the topmost group is its:
	// no other is seen.
	Own *Container
	// Life returns what follows a cgroup's counters; nil follows nothing.
	Life func(path string, dir cgroup.Dir) *life.Life
	// Nameless returns the lives that are over and still wait for their names.
	Nameless func() []*life.Life
}

// Index is the list of the running containers.
type Index struct {
	sources Sources
	node    string // the node's name where the kubelet does not say it
	changed chan struct{}
	list    atomic.Pointer[[]*Container]
	groups  atomic.Pointer[[]*Container]

	mu     sync.Mutex
	known  map[string]*memo // by cgroup path
	opened opened

	ownStarted time.Time
}

// memo is what is remembered of a cgroup from join to join, for as long as the
// cgroup is there.
type memo struct {
	inode     uint64
	firstSeen time.Time
	started   time.Time
	// What the sources last said of it. A container's name and workload do not
	// change, so they stay when a source goes away, or forgets the container before
	// the kernel does: series under another name would stay in every graph.
	engine *named
	pod    *podFacts
}

// NewIndex returns an empty index; Changed and Run fill it.
func NewIndex(s Sources, node string) *Index {
	ix := &Index{sources: s, node: node, changed: make(chan struct{}, 1), known: map[string]*memo{}}
	ix.list.Store(&[]*Container{})
	ix.groups.Store(&[]*Container{})
	return ix
}

// List returns the containers, sorted by cgroup path. It must not be changed.
func (ix *Index) List() []*Container { return *ix.list.Load() }

// Groups returns the control groups that are no containers and yet of interest:
// the root, services, slices, pods, and containers within containers. They are
// sorted by path and must not be changed.
func (ix *Index) Groups() []*Container { return *ix.groups.Load() }

// Changed says that one of the sources has changed. It never blocks.
func (ix *Index) Changed() {
	select {
	case ix.changed <- struct{}{}:
	default:
	}
}

// Run joins after each change until the context ends; and now and then without
// one, since snapshots go stale and held-back containers become due.
func (ix *Index) Run(ctx context.Context) {
	again := time.NewTicker(nameGrace / 2)
	defer again.Stop()
	for {
		var ask <-chan time.Time
		if held := ix.join(); held > 0 && ix.sources.Ask != nil {
			ask = time.After(askAgainAfter)
		}
		select {
		case <-ctx.Done():
			return
		case <-ix.changed:
		case <-again.C:
		case <-ask:
			ix.sources.Ask()
		}
	}
}

// Close gives back the descriptors of the groups that are no containers. It is called
// after Run has ended.
func (ix *Index) Close() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for _, g := range ix.opened {
		g.Close()
	}
	ix.opened = nil
	return nil
}

// join makes the list anew and returns how many containers it holds back.
func (ix *Index) join() (held int) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if !ix.sources.Settled() {
		return 0
	}
	f := ix.facts()
	dirs := ix.sources.Dirs()
	known := make(map[string]*memo, len(ix.known))
	var list []*Container
	around := groupsOf(f, dirs)
	for _, path := range slices.Sorted(maps.Keys(dirs)) {
		if within(path, known) {
			around.nested(path, list)
			continue
		}
		m := ix.recall(path, dirs[path])
		c, named := f.identify(path, m)
		if c == nil {
			around.add(path)
			continue
		}
		known[path] = m
		if m.started.IsZero() {
			m.started = ix.sources.Started(path, dirs[path])
		}
		named = named || !f.naming || time.Since(m.firstSeen) >= nameGrace
		ix.follow(c, dirs[path], named)
		if !named {
			held++
			continue
		}
		c.Started = m.started
		c.Render()
		list = append(list, c)
	}
	ix.nameTheDead(f)
	groups := around.list()
	if ix.sources.Own != nil {
		groups[0] = ix.own()
	}
	if ix.sources.Group != nil {
		ix.opened = ix.opened.open(groups, dirs, ix.sources.Group)
	}
	if ix.sources.Own != nil {
		list, groups = slices.Insert(list, 0, groups[0]), groups[1:]
	}
	ix.known = known
	other := !slices.EqualFunc(list, ix.List(), func(x, y *Container) bool { return x.CgroupPath == y.CgroupPath && x.ID == y.ID })
	ix.list.Store(&list)
	ix.groups.Store(&groups)
	if other && ix.sources.Joined != nil {
		ix.sources.Joined()
	}
	return held
}

// own is the container that this runs in, as the topmost group.
func (ix *Index) own() *Container {
	c := *ix.sources.Own
	c.CgroupPath, c.Kind = "/", App
	if ix.ownStarted.IsZero() {
		ix.ownStarted = ix.sources.Started("", cgroup.Dir{})
	}
	c.Started = ix.ownStarted
	c.Render()
	return &c
}

// follow has a container's life followed, and names it.
func (ix *Index) follow(c *Container, dir cgroup.Dir, named bool) {
	if ix.sources.Life == nil {
		return
	}
	l := ix.sources.Life(c.CgroupPath, dir)
	c.Counters = l
	if named && !c.Sandbox {
		l.Named(c.Place)
	}
}

// giveUpNames is how long after its end a container is looked for among what the
// sources say: an engine lists it until it is removed, the kubelet as its pod's
// last state.
const giveUpNames = 30 * time.Second

// nameTheDead names lives that were over before anybody named them.
func (ix *Index) nameTheDead(f *facts) {
	if ix.sources.Nameless == nil {
		return
	}
	for _, l := range ix.sources.Nameless() {
		m := &memo{inode: l.Inode, firstSeen: l.FirstSeen}
		c, named := f.identify(l.Group.Path(), m)
		switch {
		case c == nil || c.Sandbox:
		case named, !f.naming:
			l.Named(c.Place)
		case f.podByUID[c.podUID()] != nil && time.Since(l.Ended()) > giveUpNames:
			// The pod is known, but nobody says which of its containers this was.
			c.Container = ""
			l.Named(c.Place)
		}
	}
}

// within says whether path is below a container: what a container runs in cgroups
// of its own is counted in it already, and would be counted twice.
func within(path string, containers map[string]*memo) bool {
	for i := strings.LastIndexByte(path, '/'); i > 0; i = strings.LastIndexByte(path[:i], '/') {
		if containers[path[:i]] != nil {
			return true
		}
	}
	return false
}

func (ix *Index) recall(path string, dir cgroup.Dir) *memo {
	if m := ix.known[path]; m != nil && m.inode == dir.Inode {
		return m
	}
	return &memo{inode: dir.Inode, firstSeen: time.Now()}
}
