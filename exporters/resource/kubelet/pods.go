package kubelet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
	"github.com/loadline-exporters/loadline/internal/quantity"
)

// maxPods bounds what is kept of an answer. Kubelets run 110 pods unless told
// otherwise; those that have ended stay listed for a while.
const maxPods = 5000

// pod is the part of a v1.Pod that is used; what is not named here is not kept
// while decoding.
type pod struct {
	Metadata struct {
		Name            string                  `json:"name"`
		Namespace       string                  `json:"namespace"`
		UID             types.UID               `json:"uid"`
		Labels          map[string]string       `json:"labels"`
		Annotations     map[string]string       `json:"annotations"`
		OwnerReferences []metav1.OwnerReference `json:"ownerReferences"`
	} `json:"metadata"`
	Spec struct {
		NodeName            string         `json:"nodeName"`
		InitContainers      []podContainer `json:"initContainers"`
		Containers          []podContainer `json:"containers"`
		EphemeralContainers []podContainer `json:"ephemeralContainers"`
		Volumes             []volume       `json:"volumes"`
		Resources           resources      `json:"resources"` // of the pod as a whole (KEP-2837)
		Overhead            amounts        `json:"overhead"`
	} `json:"spec"`
	Status struct {
		Phase                      string            `json:"phase"`
		InitContainerStatuses      []containerStatus `json:"initContainerStatuses"`
		ContainerStatuses          []containerStatus `json:"containerStatuses"`
		EphemeralContainerStatuses []containerStatus `json:"ephemeralContainerStatuses"`
	} `json:"status"`
}

type podContainer struct {
	Name          string        `json:"name"`
	Image         string        `json:"image"`
	RestartPolicy string        `json:"restartPolicy"` // of init containers: "Always" makes a sidecar
	Resources     resources     `json:"resources"`
	VolumeMounts  []volumeMount `json:"volumeMounts"`
}

type resources struct {
	Requests amounts `json:"requests"`
	Limits   amounts `json:"limits"`
}

type containerStatus struct {
	Name        string `json:"name"`
	ContainerID string `json:"containerID"`
	ImageID     string `json:"imageID"`
}

// annotationConfigHash is a static pod's UID as the kubelet names its cgroup; the
// mirror in the API has another.
const annotationConfigHash = "kubernetes.io/config.hash"

// decode reads a v1.PodList pod by pod, so that no more than one is held in the
// form that it arrives in, which is many times the size of what is kept.
func decode(r io.Reader, jobs hierarchy.CronJobs) ([]container.Pod, error) {
	d := json.NewDecoder(r)
	var kind string
	out := []container.Pod{}
	err := eachField(d, func(key string) (err error) {
		switch key {
		case "kind":
			return d.Decode(&kind)
		case "items":
			return eachItem(d, func() error {
				if len(out) >= maxPods {
					return fmt.Errorf("the answer has more than %d pods", maxPods)
				}
				var p pod
				if err := d.Decode(&p); err != nil {
					return err
				}
				if p.Metadata.Name != "" && p.Metadata.Namespace != "" {
					out = append(out, p.reduce(jobs))
				}
				return nil
			})
		}
		return d.Decode(&ignored{})
	})
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	case kind != "PodList":
		return nil, errNoPodList
	}
	return out, nil
}

var errNoPodList = errors.New("the answer is no PodList")

// ignored is a value that is read and not kept.
type ignored struct{}

// UnmarshalJSON does nothing.
func (*ignored) UnmarshalJSON([]byte) error { return nil }

// eachField reads an object and calls value for each of its keys, to read what
// stands there.
func eachField(d *json.Decoder, value func(key string) error) error {
	if t, err := d.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return errNoPodList
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		if err := value(key); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// eachItem reads an array, or null, and calls item to read each of its items.
func eachItem(d *json.Decoder, item func() error) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return err
	case t == nil: // null: there are none
		return nil
	case t != json.Delim('['):
		return errNoPodList
	}
	for d.More() {
		if err := item(); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func (p *pod) reduce(jobs hierarchy.CronJobs) container.Pod {
	m := &p.Metadata
	object := &metav1.ObjectMeta{
		Name: m.Name, Namespace: m.Namespace, Labels: m.Labels, Annotations: m.Annotations, OwnerReferences: m.OwnerReferences,
	}
	out := container.Pod{
		UID: m.UID, Namespace: m.Namespace, Name: m.Name, Node: p.Spec.NodeName,
		Workload: hierarchy.OfPod(object, jobs), Containers: p.containers(),
		StaticConfigID: m.Annotations[annotationConfigHash],
		Ended:          p.Status.Phase == "Succeeded" || p.Status.Phase == "Failed",
	}
	out.Volumes, out.InlineVolumes = p.volumes()
	out.Requests, out.Limits = p.effective(out.Containers)
	return out
}

func (p *pod) containers() []container.PodContainer {
	statuses := make(map[string]containerStatus)
	for _, list := range [][]containerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses} {
		for _, s := range list {
			statuses[s.Name] = s
		}
	}
	var out []container.PodContainer
	for _, list := range []struct {
		kind       container.Kind
		containers []podContainer
	}{{container.Init, p.Spec.InitContainers}, {container.App, p.Spec.Containers}, {container.Ephemeral, p.Spec.EphemeralContainers}} {
		for _, c := range list.containers {
			s := statuses[c.Name]
			runtime, id, _ := strings.Cut(s.ContainerID, "://")
			out = append(out, container.PodContainer{
				Name: c.Name, Kind: c.kind(list.kind), ID: id, Runtime: runtime, Image: c.Image, ImageDigest: digest(s.ImageID),
				Requests: c.Resources.Requests.byName(), Limits: c.Resources.Limits.byName(),
			})
		}
	}
	return out
}

func (c podContainer) kind(listed container.Kind) container.Kind {
	if listed == container.Init && c.RestartPolicy == "Always" {
		return container.Sidecar
	}
	return listed
}

// digest takes the manifest's digest of "repository@sha256:…"; an id alone
// ("sha256:…") is that of the image's configuration, which names no manifest.
func digest(imageID string) string {
	_, d, _ := strings.Cut(imageID, "@")
	return d
}

// amounts are those of a v1.ResourceList that are used; nil is not set.
type amounts struct {
	CPU              *amount `json:"cpu"`
	Memory           *amount `json:"memory"`
	EphemeralStorage *amount `json:"ephemeral-storage"`
}

func (a amounts) byName() container.Resources {
	out := container.Resources{}
	for name, v := range map[string]*amount{
		container.CPU: a.CPU, container.Memory: a.Memory, container.EphemeralStorage: a.EphemeralStorage,
	} {
		if v != nil {
			out[name] = float64(*v)
		}
	}
	return out
}

// amount is a resource.Quantity in its base unit.
type amount float64

// UnmarshalJSON reads a quantity.
func (a *amount) UnmarshalJSON(b []byte) error {
	v, err := quantity.Parse(strings.Trim(string(b), `"`))
	*a = amount(v)
	return err
}
