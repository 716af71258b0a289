// Package storage serves what containers keep on the node's disk: their writable
// layers and their logs, beside the file system that both are on, and what pods
// take of it with their empty directories.
//
// A container's layer is counted by its runtime where that speaks CRI, else by
// usage.Counter, which walks it. Nothing is served of a container before all of it
// is known.
package storage

import (
	"context"
	"path"
	"strings"
	"sync/atomic"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/cri"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/exporters/resource/usage"
	"github.com/loadline-exporters/loadline/exporters/resource/volume"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// DefaultPodLogs is where the kubelet has containers' logs unless told otherwise.
const DefaultPodLogs = "/var/log/pods"

// Times of planning.
const (
	planEvery   = 5 * time.Second
	tableEvery  = time.Minute     // the node's mounts are read anew for new layers, and as often as this
	lookAtMost  = 5 * time.Minute // where there was no layer, it is looked for again after twice the time, up to this
	lookAtFirst = planEvery
)

// Planner says what is to be counted.
type Planner struct {
	Containers func() []*container.Container
	Pods       func() ([]container.Pod, bool)
	Layers     func() (map[string]cri.Layer, bool) // by container id; of runtimes that count themselves
	// MountsOf are those of a container's first process, by its own view.
	MountsOf func(cgroupPath string) ([]mount.Mount, error)
	Mounts   func() ([]mount.Mount, error) // the node's

	PodLogs     string // the kubelet's directory of logs, as the node has it
	KubeletRoot string
	Counter     *usage.Counter

	root   string // the node's own layer, when it is a container itself
	layers map[instance]search
	table  []mount.Mount // the node's mounts
	readAt time.Time     // when it was read
	plan   atomic.Pointer[map[instance]planned]
}

// instance is a container: a cgroup's path may be used again.
type instance struct {
	path    string
	started time.Time
}

func instanceOf(c *container.Container) instance { return instance{c.CgroupPath, c.Started} }

// search is the search for a container's layer.
type search struct {
	layer string // empty as long as there is none
	next  time.Time
	pause time.Duration
}

// planned is a container with what is to be counted for it.
type planned struct {
	*container.Container
	layer string // its place as the node has it; empty where there is none that can be told
	// byRuntime says that the runtime counts the layer.
	byRuntime bool
	logs      usage.Target // Path is empty where nobody says where they are
	on        *mount.Mount // what the layer is on; nil if unknown
}

// Run plans until the context ends.
func (p *Planner) Run(ctx context.Context) {
	if mounts, err := p.Mounts(); err == nil {
		p.root = upper(mounts)
	}
	t := time.NewTicker(planEvery)
	defer t.Stop()
	for {
		p.update()
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// planned are the containers that run now, of those that were planned for.
func (p *Planner) planned() (list []planned) {
	plan := p.plan.Load()
	if plan == nil {
		return nil
	}
	for _, c := range p.Containers() {
		if one, ok := (*plan)[instanceOf(c)]; ok {
			one.Container = c // with its labels of today
			list = append(list, one)
		}
	}
	return list
}

// update plans anew and tells the counter.
func (p *Planner) update() {
	counted, _ := p.Layers()
	plan := map[instance]planned{}
	var targets []usage.Target
	searched := map[instance]search{}
	for _, c := range p.Containers() {
		if c.Sandbox {
			continue // it writes nothing
		}
		one := planned{Container: c, logs: p.logs(c)}
		if layer, ok := counted[c.ID]; ok {
			one.byRuntime, one.layer = true, layer.Path
		} else {
			id := instanceOf(c)
			searched[id] = p.look(id)
			if one.layer = searched[id].layer; one.layer != "" {
				targets = append(targets, usage.Target{Path: one.layer})
			}
		}
		if one.logs.Path != "" {
			targets = append(targets, one.logs)
		}
		plan[instanceOf(c)] = one
	}
	p.layers = searched
	p.mounted(plan)
	targets = append(targets, p.emptyDirs()...)
	p.plan.Store(&plan)
	p.Counter.Want(targets)
}

// look looks for a container's writable layer. The first word counts: what a
// container mounts over its root later is not looked at. Where there is none, as with
// a snapshotter of another kind, it is looked for ever less often.
func (p *Planner) look(id instance) search {
	s := p.layers[id]
	now := time.Now()
	if s.layer != "" || now.Before(s.next) {
		return s
	}
	s.pause = min(max(2*s.pause, lookAtFirst), lookAtMost)
	s.next = now.Add(s.pause)
	// A container that is being made still has the node's root.
	if mounts, err := p.MountsOf(id.path); err == nil {
		if layer := upper(mounts); layer != p.root {
			s.layer = layer
		}
	}
	return s
}

// mounted finds what the layers are on. A layer's file system stays, so the node's
// mounts, which can be thousands, are not read each time.
func (p *Planner) mounted(plan map[instance]planned) {
	var former map[instance]planned
	if old := p.plan.Load(); old != nil {
		former = *old
	}
	again := time.Since(p.readAt) >= tableEvery
	for id, one := range plan {
		again = again || one.layer != former[id].layer
	}
	if again {
		if table, err := p.Mounts(); err == nil {
			p.table, p.readAt = table, time.Now()
		}
	}
	for id, one := range plan {
		one.on = holding(p.table, one.layer)
		plan[id] = one
	}
}

// upper is the writable layer of an overlay that is mounted as the root. The kernel
// repeats what whoever mounted it said, who may be the container: only what lies as
// engines lay it is taken, a layer ("fs" of containerd's, "diff" of Docker's,
// Podman's and CRI-O's) beside its overlay's work directory.
func upper(mounts []mount.Mount) string {
	for _, m := range mounts {
		if m.Point != "/" || m.FSType != "overlay" {
			continue
		}
		dir, name := path.Split(m.Upper)
		if strings.HasPrefix(m.Upper, "/") && path.Clean(m.Upper) == m.Upper && (name == "fs" || name == "diff") && m.Work == dir+"work" {
			return m.Upper
		}
		return ""
	}
	return ""
}

// logs is where a container's logs are: the kubelet's directory, or the engine's.
func (p *Planner) logs(c *container.Container) usage.Target {
	switch {
	case c.LogDir != "":
		return usage.Target{Path: c.LogDir, Inside: true, Prefixes: [2]string{c.ID + "-json.log", "local-logs"}}
	case c.Orchestrator == hierarchy.Kubernetes && c.PodUID != "" && c.Place.Container != "":
		pod := c.Namespace + "_" + c.Pod + "_" + c.PodUID
		if isElement(pod) && isElement(c.Place.Container) {
			// The kubelet counts the files against the limit, not their directory.
			return usage.Target{Path: path.Join(p.PodLogs, pod, c.Place.Container), Inside: true}
		}
	}
	return usage.Target{}
}

func isElement(name string) bool {
	return name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

func (p *Planner) emptyDirs() (targets []usage.Target) {
	pods, _ := p.Pods()
	for i := range pods {
		for j := range pods[i].Volumes {
			if volume.OnDisk(&pods[i], &pods[i].Volumes[j]) {
				targets = append(targets, usage.Target{Path: volume.EmptyDirPath(p.KubeletRoot, &pods[i], &pods[i].Volumes[j])})
			}
		}
	}
	return targets
}
