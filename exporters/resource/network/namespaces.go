// Package network serves the network of pods: what their interfaces carry, their
// TCP connections by state and by where the peer is, and their listening sockets.
// It needs no eBPF: counters are read below /proc/PID/net, sockets are listed by
// the kernel's sock_diag.
//
// What is counted belongs to a network namespace, not to a container, so it is
// served once a namespace: Namespaces tells which there are and to which pod each
// belongs. The node's own is left out, and with it every pod on the host's network:
// its numbers are the node's.
package network

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Namespaces finds the network namespaces of containers, and remembers from scrape
// to scrape a process of each. It is safe for concurrent use.
type Namespaces struct {
	list  func() []*container.Container
	world world
	host  func() uint64 // the inode that tells the node's own

	mu        sync.Mutex
	round     uint64
	processes map[string]*process // by the container's cgroup path
}

// Namespace is a network namespace that containers use.
type Namespace struct {
	Pod     Pod
	Labels  family.Block // metrics.ContainerLabels, of who answers for it
	inode   uint64
	process *process
}

// Pod is what a namespace belongs to. Two namespaces can be of one pod: containerd
// may run containers of one name in two of its own namespaces.
type Pod struct {
	Namespace, Name string
	Workload        hierarchy.Workload
}

// NewNamespaces returns the namespaces of the listed containers. procfs is where
// /proc is; processes returns the ids of a control group's processes.
func NewNamespaces(list func() []*container.Container, procfs string, processes func(cgroup string) []int) *Namespaces {
	n := &Namespaces{list: list, world: world{procfs, processes}, processes: map[string]*process{}}
	n.host = sync.OnceValue(n.world.host)
	return n
}

// settling is how long after its first sight a process is looked at anew although
// it is on the node's network: a runtime's helper is in the container's control
// group before it enters the container's namespaces.
const settling = time.Minute

// Current returns the namespaces that there are now, in the order of the list. A
// container that has no process yet, or any more, is left out; an error says which
// could not be looked at, and the others are valid.
func (n *Namespaces) Current() ([]*Namespace, error) {
	list := n.list()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.round++
	host := n.host()
	sandboxed := sandboxed(list)
	byInode := map[uint64]*Namespace{}
	var out []*Namespace
	var failed error
	for _, c := range list {
		if !c.Sandbox && sandboxed[podOf(c).key()] {
			continue // it is on its sandbox's network
		}
		p := n.process(c)
		if p.inode == 0 || p.inode == host && time.Since(p.since) < settling {
			inode, err := p.namespace()
			if err != nil {
				if failed == nil && !errors.Is(err, errGone) {
					failed = err
				}
				continue
			}
			p.inode = inode
		}
		if p.inode == host {
			continue
		}
		ns := byInode[p.inode]
		if ns == nil {
			ns = &Namespace{inode: p.inode}
			byInode[p.inode] = ns
			out = append(out, ns)
		}
		if ns.process == nil || answersBefore(c, ns.process.container) {
			ns.process = p
		}
	}
	n.forget()
	label(out)
	return out, failed
}

// label gives each namespace the labels of who answers for it. A pod of Kubernetes
// whose sandbox is not known has those of the pod as a whole, so that they stay when
// its containers change; if its containers are on networks of their own, which only
// what is no kubelet makes, on the first one's.
func label(list []*Namespace) {
	whole := map[podKey]*Namespace{}
	for _, ns := range list {
		c := ns.process.container
		ns.Pod, ns.Labels = podOf(c), c.Labels()
		if c.Orchestrator != hierarchy.Kubernetes || c.Sandbox {
			continue
		}
		if first := whole[ns.Pod.key()]; first == nil || answersBefore(c, first.process.container) {
			whole[ns.Pod.key()] = ns
		}
	}
	for _, ns := range whole {
		ns.Labels = ns.process.container.SandboxLabels()
	}
}

// process returns the remembered process of a container, or a new one.
func (n *Namespaces) process(c *container.Container) *process {
	p := n.processes[c.CgroupPath]
	if p != nil && !p.container.Started.Equal(c.Started) {
		p.close()
		p = nil
	}
	if p == nil {
		p = &process{world: &n.world, path: c.CgroupPath, dir: -1, since: time.Now()}
		n.processes[c.CgroupPath] = p
	}
	p.container, p.round = c, n.round
	return p
}

// forget lets go of the processes of containers that are not listed any more.
func (n *Namespaces) forget() {
	for path, p := range n.processes {
		if p.round != n.round {
			p.close()
			delete(n.processes, path)
		}
	}
}

// Close lets go of all processes. Its error is always nil.
func (n *Namespaces) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.round++
	n.forget()
	return nil
}

// read reads a file of the namespace below /proc/PID. errGone is returned when the
// namespace's processes have ended, or left it.
func (n *Namespaces) read(ns *Namespace, b *buffer, name string) ([]byte, error) {
	var content []byte
	err := n.with(ns, func(dir int) error {
		found, inode, err := b.read(dir, name)
		if err == nil && name == deviceFile && inode != ns.inode {
			err = errGone
		}
		content = found
		return err
	})
	return content, err
}

// with calls f with the directory of a process in the namespace.
func (n *Namespaces) with(ns *Namespace, f func(dir int) error) error {
	err := ns.process.with(ns.inode, f)
	if errors.Is(err, errGone) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if ns.process.inode == ns.inode {
			ns.process.inode = 0 // look at it anew
		}
	}
	return err
}

// host returns the inode that tells the node's network namespace: that of PID 1 if
// this /proc is the node's, which its kernel threads tell. 0 for none.
func (w world) host() uint64 {
	comm, err := os.ReadFile(filepath.Join(w.procfs, "2/comm"))
	if err != nil || strings.TrimSpace(string(comm)) != "kthreadd" {
		return 0
	}
	inode, err := namespaceOf(unix.AT_FDCWD, filepath.Join(w.procfs, "1"))
	if err != nil {
		return 0
	}
	return inode
}

// answersBefore says whether a namespace's numbers are rather a's than b's: a
// sandbox's, else those of the container that was there first, on whose network
// the others were started.
func answersBefore(a, b *container.Container) bool {
	if a.Sandbox != b.Sandbox {
		return a.Sandbox
	}
	return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.CgroupPath, b.CgroupPath)) < 0
}

// podKey tells pods apart.
type podKey struct{ namespace, name string }

func (p Pod) key() podKey { return podKey{p.Namespace, p.Name} }

// String names the pod.
func (p Pod) String() string { return p.Namespace + "/" + p.Name }

func podOf(c *container.Container) Pod {
	return Pod{Namespace: c.Namespace, Name: c.Pod, Workload: c.Workload}
}

// sandboxed are the pods whose sandbox is listed.
func sandboxed(list []*container.Container) map[podKey]bool {
	out := map[podKey]bool{}
	for _, c := range list {
		if c.Sandbox {
			out[podOf(c).key()] = true
		}
	}
	return out
}
