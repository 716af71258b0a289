package container

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// id makes a container id of one digit.
func id(digit string) string { return strings.Repeat(digit, 64) }

const uid = "5a5a5a5a-0000-4000-8000-000000000001"

var inPod = "/kubepods/burstable/pod" + uid + "/"

// world is what the sources of an index say; nil is a source without a snapshot.
type world struct {
	mu         sync.Mutex
	dirs       map[string]cgroup.Dir
	pods       []Pod
	docker     Engines
	containerd Engines
	cri        Engines
	unsettled  bool
	asked      int
}

func (w *world) index() *Index {
	engines := func(e *Engines) func() (Engines, bool) {
		return func() (Engines, bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return maps.Clone(*e), *e != nil
		}
	}
	return NewIndex(Sources{
		Dirs: func() map[string]cgroup.Dir {
			w.mu.Lock()
			defer w.mu.Unlock()
			return maps.Clone(w.dirs)
		},
		Pods: func() ([]Pod, bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.pods, w.pods != nil
		},
		Docker: engines(&w.docker), Containerd: engines(&w.containerd), CRI: engines(&w.cri),
		Settled: func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return !w.unsettled
		},
		Ask: func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.asked++
		},
		Started: func(_ string, d cgroup.Dir) time.Time { return time.Unix(int64(d.Inode), 0) },
	}, "host")
}

// times is how often the sources were asked.
func (w *world) times() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

func dirs(paths ...string) map[string]cgroup.Dir {
	out := map[string]cgroup.Dir{}
	for i, p := range paths {
		out[p] = cgroup.Dir{Inode: uint64(100 + i)}
	}
	return out
}

// show writes a container in one line: place, runtime, name, image.
func show(c *Container) string {
	s := fmt.Sprintf("%s %s/%s/%s %s:%s %s", c.Orchestrator, c.Namespace, c.Pod, c.Container, c.Workload.Type, c.Workload.Name, c.Runtime)
	for _, more := range []string{c.Name, c.Image, c.ImageDigest, c.Node} {
		if len(more) == 64 {
			more = more[:1] + "…"
		}
		s += " " + more
	}
	if c.FromPod {
		s += fmt.Sprint(" ", c.Requests)
	}
	return s
}

func (ix *Index) show() string {
	var lines []string
	for _, c := range ix.List() {
		lines = append(lines, show(c))
	}
	return strings.Join(lines, "\n")
}

func podOf(containerID string) Pod {
	return Pod{
		UID: uid, Namespace: "shop", Name: "web-x", Node: "node-1", Workload: hierarchy.Workload{Name: "web", Type: hierarchy.Deployment},
		Containers: []PodContainer{{
			Name: "app", ID: containerID, Runtime: "cri-o", Image: "spec:1", ImageDigest: "sha256:spec", Requests: Resources{CPU: 1},
		}},
	}
}

func criContainer(containerID, name string) Engine {
	return Engine{ID: containerID, Name: containerID, Image: "engine:1", ImageDigest: "sha256:engine", Sandbox: name == "", Labels: map[string]string{
		"io.kubernetes.pod.name": "web-x", "io.kubernetes.pod.namespace": "shop", "io.kubernetes.container.name": name,
	}}
}

func engines(list ...Engine) Engines {
	out := Engines{}
	for i, e := range list {
		out[fmt.Sprint(i)] = e
	}
	return out
}
