package container

import (
	"slices"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// groups collects the control groups around containers and within them.
type groups struct {
	facts *facts
	dirs  map[string]cgroup.Dir
	found []*Container
	above map[string]bool // groups right above a container
}

func groupsOf(f *facts, dirs map[string]cgroup.Dir) *groups {
	g := &groups{facts: f, dirs: dirs, above: map[string]bool{}}
	for path := range dirs {
		if _, ok := cgroup.Identify(path); ok {
			g.above[path[:strings.LastIndexByte(path, '/')]] = true
		}
	}
	return g
}

// add takes a group that is no container, if it is of interest: a pod's, systemd's
// services and slices, and what containers stand in. Sessions, mounts and the like
// are not.
func (g *groups) add(path string) {
	c := &Container{CgroupPath: path}
	switch {
	case cgroup.IsPod(path):
		if pod := g.facts.podByUID[cgroup.PodUID(path)]; pod != nil {
			c.Place = hierarchy.Place{
				Namespace: pod.Namespace, Workload: pod.Workload, Pod: pod.Name, Orchestrator: hierarchy.Kubernetes,
			}
		}
	case cgroup.InKubernetes(path), g.above[path], strings.HasSuffix(path, ".service"), strings.HasSuffix(path, ".slice"):
	default:
		return
	}
	g.found = append(g.found, c)
}

// nested takes a container within the last of list. It stands where the outer one
// does, which counts all that it uses: so its label container is empty, as a pod's
// is, and it is known by its id and name.
func (g *groups) nested(path string, list []*Container) {
	id, ok := cgroup.Identify(path)
	if !ok || len(list) == 0 {
		return
	}
	outer := list[len(list)-1]
	if !strings.HasPrefix(path, outer.CgroupPath+"/") {
		return // the outer one is held back
	}
	c := &Container{CgroupPath: path, ID: id.ID, Name: id.ID, Place: outer.Place}
	c.Container = ""
	g.found = append(g.found, c)
}

// list returns the groups, the root first, with their labels.
func (g *groups) list() []*Container {
	out := append([]*Container{{CgroupPath: "/"}}, g.found...)
	for _, c := range out {
		c.labels = renderLabels(c)
	}
	return slices.Clip(out)
}

// opened are the files of the groups of the last join. Containers' are their
// lives'.
type opened map[string]openGroup

type openGroup struct {
	inode uint64
	*cgroup.Group
}

// open gives each of list its files, those of before where the group is the same,
// and closes what is not needed any more.
func (o opened) open(list []*Container, dirs map[string]cgroup.Dir, open func(path string) *cgroup.Group) opened {
	now := make(opened, len(list))
	for _, c := range list {
		path := strings.TrimSuffix(c.CgroupPath, "/") // the root's is empty
		g, ok := o[path]
		if !ok || g.inode != dirs[path].Inode {
			g = openGroup{dirs[path].Inode, open(path)}
		}
		now[path] = g
		c.Counters = g.Group
	}
	for path, g := range o {
		if now[path] != g {
			g.Close()
		}
	}
	return now
}
