package kubelet

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// podList is the part of a v1.PodList that is used; what is not named here is not
// kept while decoding.
type podList struct {
	Kind  string `json:"kind"`
	Items []pod  `json:"items"`
}

type pod struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		NodeName            string         `json:"nodeName"`
		InitContainers      []podContainer `json:"initContainers"`
		Containers          []podContainer `json:"containers"`
		EphemeralContainers []podContainer `json:"ephemeralContainers"`
	} `json:"spec"`
	Status struct {
		InitContainerStatuses      []containerStatus `json:"initContainerStatuses"`
		ContainerStatuses          []containerStatus `json:"containerStatuses"`
		EphemeralContainerStatuses []containerStatus `json:"ephemeralContainerStatuses"`
	} `json:"status"`
}

type podContainer struct {
	Name      string                      `json:"name"`
	Image     string                      `json:"image"`
	Resources corev1.ResourceRequirements `json:"resources"`
}

type containerStatus struct {
	Name        string `json:"name"`
	ContainerID string `json:"containerID"`
	ImageID     string `json:"imageID"`
}

// annotationConfigHash is a static pod's UID as the kubelet names its cgroup; the
// mirror in the API has another.
const annotationConfigHash = "kubernetes.io/config.hash"

// decode reads a v1.PodList.
func decode(r io.Reader, jobs hierarchy.CronJobs) ([]container.Pod, error) {
	var list podList
	if err := json.NewDecoder(r).Decode(&list); err != nil {
		return nil, err
	}
	if list.Kind != "PodList" {
		return nil, errors.New("the answer is no PodList")
	}
	out := make([]container.Pod, 0, len(list.Items))
	for i := range list.Items {
		p := &list.Items[i]
		if p.Name == "" || p.Namespace == "" {
			continue
		}
		out = append(out, container.Pod{
			UID: p.UID, Namespace: p.Namespace, Name: p.Name, Node: p.Spec.NodeName,
			Workload: hierarchy.OfPod(p, jobs), Containers: p.containers(),
			StaticConfigID: p.Annotations[annotationConfigHash],
		})
	}
	return out, nil
}

func (p *pod) containers() []container.PodContainer {
	statuses := make(map[string]containerStatus)
	for _, list := range [][]containerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses} {
		for _, s := range list {
			statuses[s.Name] = s
		}
	}
	var out []container.PodContainer
	for _, list := range [][]podContainer{p.Spec.InitContainers, p.Spec.Containers, p.Spec.EphemeralContainers} {
		for _, c := range list {
			s := statuses[c.Name]
			runtime, id, _ := strings.Cut(s.ContainerID, "://")
			out = append(out, container.PodContainer{
				Name: c.Name, ID: id, Runtime: runtime, Image: c.Image, ImageDigest: digest(s.ImageID),
				Requests: amounts(c.Resources.Requests), Limits: amounts(c.Resources.Limits),
			})
		}
	}
	return out
}

// digest takes the manifest's digest of "repository@sha256:…"; an id alone
// ("sha256:…") is that of the image's configuration, which names no manifest.
func digest(imageID string) string {
	_, d, _ := strings.Cut(imageID, "@")
	return d
}

func amounts(list corev1.ResourceList) container.Resources {
	out := container.Resources{}
	for _, r := range []string{container.CPU, container.Memory, container.EphemeralStorage} {
		if q, ok := list[corev1.ResourceName(r)]; ok {
			out[r] = q.AsApproximateFloat64()
		}
	}
	return out
}
