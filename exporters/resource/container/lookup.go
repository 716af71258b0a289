package container

import (
	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// facts are the sources' snapshots, arranged for looking up.
type facts struct {
	node     string
	podByUID map[string]*Pod
	podByID  map[string]podRef // by container id
	byID     map[string]named  // what engines say, by container id
	byPath   map[string]named  // the same by cgroup path, where the engine says it
	naming   bool              // some source that names containers answers
	kubelet  bool              // the kubelet answers
}

type podRef struct {
	pod *Pod
	c   *PodContainer
}

type named struct {
	Engine
	runtime string
	recent  bool // an event told of it, and no listing has it
	ended   bool // an event told of its end
}

func (ix *Index) facts() *facts {
	f := &facts{
		node: ix.node, podByUID: map[string]*Pod{}, podByID: map[string]podRef{},
		byID: map[string]named{}, byPath: map[string]named{},
	}
	if ix.sources.Pods != nil {
		if pods, ok := ix.sources.Pods(); ok {
			f.naming, f.kubelet = true, true
			f.addPods(pods)
		}
	}
	// The last wins: CRI says of containerd's containers which pods they are in, and
	// what Docker knows has a name.
	f.addEngine(hierarchy.Containerd, ix.sources.Containerd)
	f.addEngine(hierarchy.Containerd, ix.sources.CRI)
	f.addEngine(hierarchy.Docker, ix.sources.Docker)
	f.addRecent(hierarchy.Containerd, ix.sources.RecentContainerd)
	f.addRecent(hierarchy.Docker, ix.sources.RecentDocker)
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
		former := f.byID[e.ID]
		e.CgroupsPath = or(e.CgroupsPath, former.CgroupsPath)
		if e.Runtime != "" {
			// containerd's name of an image is whole, and cAdvisor's; to CRI it is what
			// somebody typed, or an id.
			e.Image, e.ImageDigest = or(former.Image, e.Image), or(former.ImageDigest, e.ImageDigest)
		}
		known := named{Engine: e, runtime: or(e.Runtime, runtime)}
		f.byID[e.ID] = known
		if e.CgroupsPath != "" {
			f.byPath[cgroup.RuntimePath(e.CgroupsPath)] = known
		}
	}
}

// addRecent adds what events told of containers that no listing has, because they
// are too young or have ended.
func (f *facts) addRecent(runtime string, recent *Recent) {
	if recent == nil {
		return
	}
	recent.each(func(_ string, e Engine, ended bool) {
		told := named{Engine: e, runtime: runtime, recent: true, ended: ended}
		if _, listed := f.byID[e.ID]; !listed {
			f.byID[e.ID] = told
		}
		if e.CgroupsPath == "" {
			return
		}
		path := cgroup.RuntimePath(e.CgroupsPath)
		if _, listed := f.byPath[path]; !listed {
			f.byPath[path] = told
		}
	})
}

// identify returns the container of a cgroup, nil when it is none, and whether the
// sources name it as well as they can, or did. What they say is remembered in m.
func (f *facts) identify(path string, m *memo) (c *Container, known bool) {
	id, ok := cgroup.Identify(path)
	engine, found := f.byID[id.ID]
	if !ok {
		engine, found = f.byPath[path]
	}
	if found && (m.engine == nil || m.engine.recent || !engine.recent) {
		m.engine = &engine
	}
	if m.engine != nil {
		id.ID = m.engine.ID
	}
	if id.ID == "" {
		return nil, false
	}
	c = &Container{CgroupPath: path, ID: id.ID, Runtime: id.Runtime, Node: f.node, Name: id.ID}
	byEngine := m.engine != nil
	if e := m.engine; byEngine {
		c.Name, c.Image, c.ImageDigest = e.Name, e.Image, e.ImageDigest
		c.Runtime, c.Sandbox, c.Health, c.LogDir = e.runtime, e.Sandbox, e.Health, e.LogDir
		c.Place = hierarchy.OfLabels(e.runtime, e.Name, e.Labels)
		id.PodUID = or(id.PodUID, hierarchy.PodUID(e.Labels))
	}
	byPod := f.placeInPod(c, id, m)
	switch pod := f.podByUID[id.PodUID]; {
	case byPod || byEngine:
	case pod != nil: // its status does not name this container
		(&podFacts{pod: pod, container: short(id.ID)}).place(c)
	case id.PodUID != "":
		c.Place = unknownPod(id)
	default:
		c.Place = hierarchy.OfLabels(c.Runtime, short(id.ID), nil)
	}
	if c.Sandbox {
		c.Container = SandboxName
	}
	c.Kind, c.PodUID = m.kind(c), f.apiUID(id.PodUID)
	// An engine knows a container before the kubelet, which alone knows its workload;
	// and tells of one before the listing that knows its image's digest.
	awaited := f.kubelet && c.Orchestrator == hierarchy.Kubernetes || byEngine && m.engine.recent && !m.engine.ended
	return c, byPod || byEngine && !awaited
}

// podUID is the UID of the pod that the container's path names.
func (c *Container) podUID() string { return cgroup.PodUID(c.CgroupPath) }

// SandboxName is the container label of a pod's sandbox, as the mixins know it.
const SandboxName = "POD"

// podFacts are what the kubelet says of a container.
type podFacts struct {
	pod       *Pod
	container string
	spec      *PodContainer // nil for a sandbox
}

// kind is a container's kind, as far as it is known.
func (m *memo) kind(c *Container) Kind {
	switch {
	case c.Sandbox:
		return Sandbox
	case m.pod != nil && m.pod.spec != nil:
		return m.pod.spec.Kind
	case c.Orchestrator != hierarchy.Kubernetes:
		return App
	}
	return Unknown
}

// apiUID is a pod's UID in the API, of that in its cgroups' names, which for a
// static pod is another.
func (f *facts) apiUID(uid string) string {
	if pod := f.podByUID[uid]; pod != nil {
		return string(pod.UID)
	}
	return uid
}

// placeInPod takes what the kubelet says, or last said.
func (f *facts) placeInPod(c *Container, id cgroup.Identity, m *memo) bool {
	if said := f.inPod(c, id); said != nil {
		m.pod = said
		if said.spec != nil {
			// Amounts can change, and are not known any more once the snapshot is old.
			c.FromPod, c.Requests, c.Limits = true, said.spec.Requests, said.spec.Limits
		}
	}
	if m.pod == nil {
		return false
	}
	m.pod.place(c)
	return true
}

// inPod finds a container in the pods: by its id, or, before the pod's status has
// it, by the pod's UID and the container's name.
func (f *facts) inPod(c *Container, id cgroup.Identity) *podFacts {
	if ref := f.podByID[id.ID]; ref.pod != nil {
		return &podFacts{ref.pod, ref.c.Name, ref.c}
	}
	pod := f.podByUID[id.PodUID]
	if pod == nil {
		return nil
	}
	if spec := pod.container(c.Container); spec != nil {
		return &podFacts{pod, spec.Name, spec}
	}
	if c.Sandbox {
		return &podFacts{pod, SandboxName, nil}
	}
	return nil
}

// place puts a container into its pod.
func (p *podFacts) place(c *Container) {
	c.Place = hierarchy.Place{
		Namespace: p.pod.Namespace, Workload: p.pod.Workload, Pod: p.pod.Name,
		Container: p.container, Orchestrator: hierarchy.Kubernetes,
	}
	c.Node = or(p.pod.Node, c.Node)
	if p.spec != nil {
		c.Image = or(c.Image, p.spec.Image)
		c.ImageDigest = or(c.ImageDigest, p.spec.ImageDigest)
		c.Runtime = or(c.Runtime, p.spec.Runtime)
	}
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
