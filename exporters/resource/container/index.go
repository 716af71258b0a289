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
	"github.com/loadline-exporters/loadline/internal/hierarchy"
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
	// Settled says whether every source was asked at least once.
	Settled func() bool
	// Ask, if set, asks the sources for fresh snapshots soon.
	Ask func()
	// Started tells when the first process of a cgroup started.
	Started func(path string, dir cgroup.Dir) time.Time
}

// Index is the list of the running containers.
type Index struct {
	sources Sources
	node    string // the node's name where the kubelet does not say it
	changed chan struct{}
	list    atomic.Pointer[[]*Container]

	mu    sync.Mutex
	known map[string]memo // by cgroup path
}

// memo is what is remembered of a cgroup from join to join.
type memo struct {
	inode     uint64
	firstSeen time.Time
	started   time.Time
}

// NewIndex returns an empty index; Changed and Run fill it.
func NewIndex(s Sources, node string) *Index {
	ix := &Index{sources: s, node: node, changed: make(chan struct{}, 1), known: map[string]memo{}}
	ix.list.Store(&[]*Container{})
	return ix
}

// List returns the containers, sorted by cgroup path. It must not be changed.
func (ix *Index) List() []*Container { return *ix.list.Load() }

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

// join makes the list anew and returns how many containers it holds back.
func (ix *Index) join() (held int) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if !ix.sources.Settled() {
		return 0
	}
	f := ix.facts()
	dirs := ix.sources.Dirs()
	known := make(map[string]memo, len(ix.known))
	var list []*Container
	for _, path := range slices.Sorted(maps.Keys(dirs)) {
		c, named := f.identify(path)
		if c == nil || within(path, list) {
			continue
		}
		m := ix.recall(path, dirs[path])
		known[path] = m
		if !named && f.naming && time.Since(m.firstSeen) < nameGrace {
			held++
			continue
		}
		c.Started = m.started
		c.labels = renderLabels(c)
		list = append(list, c)
	}
	ix.known = known
	ix.list.Store(&list)
	return held
}

// within says whether path is below the last container found: what a container
// runs in cgroups of its own is counted in it already, and would be counted twice.
func within(path string, sorted []*Container) bool {
	return len(sorted) > 0 && strings.HasPrefix(path, sorted[len(sorted)-1].CgroupPath+"/")
}

func (ix *Index) recall(path string, dir cgroup.Dir) memo {
	m, ok := ix.known[path]
	if !ok || m.inode != dir.Inode {
		m = memo{inode: dir.Inode, firstSeen: time.Now()}
	}
	if m.started.IsZero() {
		m.started = ix.sources.Started(path, dir)
	}
	return m
}

// facts are the sources' snapshots, arranged for looking up.
type facts struct {
	node     string
	podByUID map[string]*Pod
	podByID  map[string]podRef // by container id
	byID     map[string]named  // what engines say, by container id
	byPath   map[string]named  // the same by cgroup path, where the engine says it
	naming   bool              // some source that names containers answers
}

type podRef struct {
	pod *Pod
	c   *PodContainer
}

type named struct {
	Engine
	runtime string
}

func (ix *Index) facts() *facts {
	f := &facts{
		node: ix.node, podByUID: map[string]*Pod{}, podByID: map[string]podRef{},
		byID: map[string]named{}, byPath: map[string]named{},
	}
	if ix.sources.Pods != nil {
		if pods, ok := ix.sources.Pods(); ok {
			f.naming = true
			f.addPods(pods)
		}
	}
	// Docker comes last and wins: what it knows has a name.
	f.addEngine(hierarchy.Containerd, ix.sources.Containerd)
	f.addEngine(hierarchy.Docker, ix.sources.Docker)
	return f
}

func (f *facts) addPods(pods []Pod) {
	for i := range pods {
		p := &pods[i]
		f.podByUID[string(p.UID)] = p
		if p.StaticConfigID != "" {
			f.podByUID[p.StaticConfigID] = p
		}
		for j := range p.Containers {
			if c := &p.Containers[j]; c.ID != "" {
				f.podByID[c.ID] = podRef{p, c}
			}
		}
	}
}

func (f *facts) addEngine(runtime string, get func() (Engines, bool)) {
	if get == nil {
		return
	}
	engines, ok := get()
	if !ok {
		return
	}
	f.naming = true
	for _, e := range engines {
		if former, ok := f.byID[e.ID]; ok && e.CgroupsPath == "" {
			e.CgroupsPath = former.CgroupsPath
		}
		f.byID[e.ID] = named{e, runtime}
		if e.CgroupsPath != "" {
			f.byPath[cgroup.RuntimePath(e.CgroupsPath)] = named{e, runtime}
		}
	}
}

// identify returns the container of a cgroup, nil when it is none, and whether a
// source knows it.
func (f *facts) identify(path string) (c *Container, known bool) {
	id, ok := cgroup.Identify(path)
	engine, byEngine := f.byID[id.ID]
	if !ok {
		if engine, byEngine = f.byPath[path]; !byEngine {
			return nil, false
		}
		id.ID = engine.ID
	}
	c = &Container{CgroupPath: path, ID: id.ID, Runtime: id.Runtime, Node: f.node, Name: id.ID}
	if byEngine {
		c.Name, c.Image, c.ImageDigest = engine.Name, engine.Image, engine.ImageDigest
		c.Runtime, c.Sandbox = engine.runtime, engine.Sandbox
		c.Place = hierarchy.OfLabels(engine.runtime, engine.Name, engine.Labels)
	}
	byPod := f.placeInPod(c, id)
	switch {
	case byPod || byEngine:
	case id.PodUID != "":
		c.Place = unknownPod(id)
	default:
		c.Place = hierarchy.OfLabels(c.Runtime, short(id.ID), nil)
	}
	if c.Sandbox {
		c.Container = sandboxName
	}
	return c, byPod || byEngine
}

// sandboxName is the container label of a pod's sandbox, as the mixins know it.
const sandboxName = "POD"

// placeInPod takes what the kubelet says: by the container's id, or, before the
// pod's status has it, by the pod's UID and the container's name.
func (f *facts) placeInPod(c *Container, id cgroup.Identity) bool {
	ref := f.podByID[id.ID]
	if ref.pod == nil {
		if ref.pod = f.podByUID[id.PodUID]; ref.pod == nil {
			return false
		}
		ref.c = ref.pod.container(c.Container)
		if ref.c == nil && !c.Sandbox {
			return false
		}
	}
	p := ref.pod
	c.Place = hierarchy.Place{
		Namespace: p.Namespace, Workload: p.Workload, Pod: p.Name,
		Container: c.Container, Orchestrator: hierarchy.Kubernetes,
	}
	if p.Node != "" {
		c.Node = p.Node
	}
	if ref.c == nil {
		return true
	}
	c.Container, c.FromPod = ref.c.Name, true
	c.Requests, c.Limits = ref.c.Requests, ref.c.Limits
	c.Image = or(c.Image, ref.c.Image)
	c.ImageDigest = or(c.ImageDigest, ref.c.ImageDigest)
	c.Runtime = or(c.Runtime, ref.c.Runtime)
	return true
}

func (p *Pod) container(name string) *PodContainer {
	for i := range p.Containers {
		if p.Containers[i].Name == name && name != "" {
			return &p.Containers[i]
		}
	}
	return nil
}

// unknownPod places a container of whose pod only the UID is known.
func unknownPod(id cgroup.Identity) hierarchy.Place {
	return hierarchy.Place{
		Namespace: hierarchy.Default, Workload: hierarchy.Workload{Name: id.PodUID, Type: hierarchy.Pod},
		Pod: id.PodUID, Container: short(id.ID), Orchestrator: hierarchy.Kubernetes,
	}
}

func short(id string) string {
	const n = 12 // as engines show ids
	return id[:min(len(id), n)]
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
