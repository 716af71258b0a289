// Package container joins what the cgroup tree shows with what the kubelet and the
// container runtimes know, and emits one container's facts under one set of labels.
//
// The join is made in the background, whenever one of its sides changes, and
// published as a whole list; a scrape reads counters and copies labels that are
// rendered already.
package container

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Engine is what a container engine says of one of its containers.
type Engine struct {
	ID          string
	Name        string // the engine's name for it, without a slash; the id where it has none
	Image       string // reference
	ImageDigest string // sha256:…, of the manifest; empty where the engine does not know it
	Labels      map[string]string
	CgroupsPath string // as in the OCI runtime specification; empty if unknown
	Sandbox     bool   // it holds a pod's namespaces and runs nothing of the user's
	Runtime     string // what the engine calls itself; empty where that is the source's name
	Health      Health // empty where there is no health check
	LogDir      string // where the engine keeps the container's log files, as the node has it; empty if unknown
}

// Engines are an engine's containers by a key of its own: containerd's ids are
// unique within a namespace only.
type Engines map[string]Engine

// Pod is what the kubelet says of a pod.
type Pod struct {
	UID            types.UID
	Namespace      string
	Name           string
	Node           string
	Workload       hierarchy.Workload
	Containers     []PodContainer // init and ephemeral ones too
	StaticConfigID string         // a static pod's own UID, by which its cgroups are named
	Ended          bool           // all its containers have ended for good
	Volumes        []Volume       // claims and empty directories
	// InlineVolumes are the names of the others that may be file systems of their own
	// (NFS, CSI …): what is no claim must not be taken for one.
	InlineVolumes map[string]bool
	// Requests and Limits are the pod's as a whole, by the scheduler's rule: init
	// containers, sidecars and overhead included.
	Requests, Limits Resources
}

// Volume is a claim or an empty directory of a pod.
type Volume struct {
	Name      string
	Claim     string  // the PersistentVolumeClaim, in the pod's namespace; empty for an empty directory
	InMemory  bool    // an empty directory on a tmpfs
	SizeLimit float64 // bytes, of an empty directory; 0 is none
	MountedBy []VolumeMount
}

// VolumeMount is where a container has a volume.
type VolumeMount struct {
	Container string
	Path      string
}

// PodContainer is a container of a pod.
type PodContainer struct {
	Name             string
	Kind             Kind
	ID               string // of its present instance, without the runtime's prefix; empty before it ran
	Runtime          string // containerd, cri-o, docker
	Image            string
	ImageDigest      string
	Requests, Limits Resources
}

// Kind tells the containers of a pod apart. It is the value of the label kind.
type Kind string

// The kinds of containers.
const (
	App       Kind = "app" // also every container outside of Kubernetes
	Init      Kind = "init"
	Sidecar   Kind = "sidecar" // an init container that is restarted for as long as the pod lives (KEP-753)
	Ephemeral Kind = "ephemeral"
	Sandbox   Kind = "sandbox"
	Unknown   Kind = "" // in a pod that the kubelet does not know
)

// Resources are amounts by resource; what is not set is missing.
type Resources map[string]float64

// The resources that a container asks for, in their base units.
const (
	CPU              = "cpu"               // cores
	Memory           = "memory"            // bytes
	EphemeralStorage = "ephemeral_storage" // bytes; spelled as kube-state-metrics has it
)

// Counters are read at each scrape. *life.Life has them.
type Counters interface {
	Read(b *cgroup.Buffer) (cgroup.Stats, error)
}

// Container is one running container, with its labels. The same type stands for the
// groups around containers and within them, whose label container is empty.
type Container struct {
	hierarchy.Place
	CgroupPath  string
	ID          string
	Name        string
	Runtime     string
	Image       string
	ImageDigest string
	Node        string
	Started     time.Time
	// Requests and Limits are the pod's; without one they are nil and the control
	// group's settings stand for them.
	Requests, Limits Resources
	FromPod          bool
	Sandbox          bool
	Kind             Kind
	PodUID           string // of the API; empty outside of Kubernetes or where no source says it
	Health           Health
	// Counters are nil where nobody reads them.
	Counters Counters
	LogDir   string // as the engine's

	labels labels
}
