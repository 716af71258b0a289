package swarm

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/swarm"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// cluster is what was listed, put together.
type cluster struct {
	services []*svc           // in the order of their names
	nodes    map[string]*node // by id
}

// svc is a service with its tasks.
type svc struct {
	*swarm.Service
	ref   model.Ref
	slots []*slot // in the order of their pods' names
}

// slot is what a pod is: a place for one task after the other.
type slot struct {
	place hierarchy.Place
	tasks []*swarm.Task // the newest first, never none
}

// node is a node and the name that it is told under.
type node struct {
	*swarm.Node
	name string
}

func newCluster(services []swarm.Service, tasks []swarm.Task, nodes []swarm.Node) *cluster {
	c := &cluster{nodes: named(nodes)}
	byID, names := make(map[string]*svc, len(services)), make(map[string]bool, len(services))
	for i := range services {
		s := &services[i]
		if s.ID == "" || s.Spec.Name == "" || names[s.Spec.Name] || byID[s.ID] != nil {
			continue // no Swarm has such
		}
		names[s.Spec.Name] = true
		place := hierarchy.OfSwarmTask(s.Spec.Name, containerLabels(&s.Spec.TaskTemplate), 0, "")
		sv := &svc{Service: s, ref: refOf(place)}
		byID[s.ID] = sv
		c.services = append(c.services, sv)
	}
	slices.SortFunc(c.services, func(a, b *svc) int { return strings.Compare(a.Spec.Name, b.Spec.Name) })
	type key struct{ service, pod string }
	slots := map[key]*slot{}
	for i := range tasks {
		t := &tasks[i]
		sv := byID[t.ServiceID]
		if sv == nil || t.ID == "" {
			continue // of a service that was removed, or made just now
		}
		place := hierarchy.OfSwarmTask(sv.Spec.Name, containerLabels(&t.Spec), t.Slot, t.NodeID)
		k := key{sv.ID, place.Pod}
		sl := slots[k]
		if sl == nil {
			sl = &slot{}
			slots[k] = sl
			sv.slots = append(sv.slots, sl)
		}
		sl.tasks = append(sl.tasks, t)
	}
	for _, sv := range c.services {
		sv.sort()
	}
	return c
}

// sort puts the slots and their tasks in order. A slot's place is its newest task's.
func (sv *svc) sort() {
	for _, sl := range sv.slots {
		slices.SortFunc(sl.tasks, func(a, b *swarm.Task) int {
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.Version.Index, a.Version.Index), strings.Compare(a.ID, b.ID))
		})
		t := sl.tasks[0]
		sl.place = hierarchy.OfSwarmTask(sv.Spec.Name, containerLabels(&t.Spec), t.Slot, t.NodeID)
	}
	slices.SortFunc(sv.slots, func(a, b *slot) int {
		return cmp.Or(cmp.Compare(a.tasks[0].Slot, b.tasks[0].Slot), strings.Compare(a.place.Pod, b.place.Pod))
	})
}

func containerLabels(t *swarm.TaskSpec) map[string]string {
	if t.ContainerSpec == nil {
		return nil // a plugin, or a network's attachment
	}
	return t.ContainerSpec.Labels
}

// refOf is a place's workload. Its namespace is a label, which is somebody else's: what
// is kept of it is what is served.
func refOf(p hierarchy.Place) model.Ref {
	return model.Ref{Orchestrator: p.Orchestrator, Namespace: family.Bound(p.Namespace), Workload: p.Workload}
}

// named names nodes after their hosts, and those whose hosts have the same name, or
// none, by their ids.
func named(nodes []swarm.Node) map[string]*node {
	hosts := map[string]int{}
	for i := range nodes {
		hosts[nodes[i].Description.Hostname]++
	}
	out := make(map[string]*node, len(nodes))
	for i := range nodes {
		n := &node{Node: &nodes[i], name: nodes[i].Description.Hostname}
		if n.name == "" || hosts[n.name] > 1 {
			n.name = n.ID
		}
		out[n.ID] = n
	}
	return out
}

// nodeName is the name of the node with an id, empty for none.
func (c *cluster) nodeName(id string) string {
	if n := c.nodes[id]; n != nil {
		return n.name
	}
	return id // one that was removed
}

// lost says that nobody hears of what runs on a node.
func (c *cluster) lost(id string) bool {
	n := c.nodes[id]
	return id != "" && (n == nil || n.Status.State != swarm.NodeStateReady)
}

func (sv *svc) isJob() bool {
	return sv.Spec.Mode.ReplicatedJob != nil || sv.Spec.Mode.GlobalJob != nil
}

// current says that a task is of the service's latest specification.
func (sv *svc) current(t *swarm.Task) bool {
	if sv.isJob() {
		return t.JobIteration != nil && sv.JobStatus != nil && t.JobIteration.Index == sv.JobStatus.JobIteration.Index
	}
	return reflect.DeepEqual(revision(t.Spec), revision(sv.Spec.TaskTemplate))
}

// revision is what makes tasks be replaced. Swarm fills in the runtime of services
// alone, and leaves tasks where they are that a new placement allows.
func revision(t swarm.TaskSpec) swarm.TaskSpec {
	t.Runtime, t.Placement = "", nil
	return t
}

// task is the one that a slot has now: the newest that is to run, or the newest.
func (sl *slot) task() *swarm.Task {
	for _, t := range sl.tasks {
		if wanted(t) {
			return t
		}
	}
	return sl.tasks[0]
}

// last is the newest of a slot that ran, or was to run, and does no more; nil when
// there is none.
func (sl *slot) last() *swarm.Task {
	for _, t := range sl.tasks {
		switch t.Status.State {
		case swarm.TaskStateComplete, swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateShutdown:
			return t
		}
	}
	return nil
}

// wanted says that a task is to run and has not ended. Swarm keeps a task that waits
// for its slot's restart ready, and wants one of a job complete.
func wanted(t *swarm.Task) bool {
	switch t.DesiredState {
	case swarm.TaskStateShutdown, swarm.TaskStateRemove, swarm.TaskStateRejected, swarm.TaskStateFailed, swarm.TaskStateOrphaned:
		return false
	}
	return !ended(t.Status.State)
}

func ended(s swarm.TaskState) bool {
	switch s {
	case swarm.TaskStateComplete, swarm.TaskStateShutdown, swarm.TaskStateFailed, swarm.TaskStateRejected,
		swarm.TaskStateRemove, swarm.TaskStateOrphaned:
		return true
	}
	return false
}
