package cri

import (
	"context"
	"fmt"
	"strings"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// crio is the name that CRI-O gives itself.
const crio = "cri-o"

// listing is what a runtime answers.
type listing struct {
	runtime    string
	sandboxes  []*runtimeapi.PodSandbox
	containers []*runtimeapi.Container
}

// engines are the containers and sandboxes by their ids, which are unique here. A
// container without its pod is left out: nothing would name it.
func (l listing) engines(images map[string]imageNames) container.Engines {
	out := make(container.Engines, len(l.sandboxes)+len(l.containers))
	pods := make(map[string]*runtimeapi.PodSandboxMetadata, len(l.sandboxes))
	for _, s := range l.sandboxes {
		m := s.GetMetadata()
		if s.GetId() == "" || m.GetName() == "" {
			continue
		}
		pods[s.GetId()] = m
		out[s.GetId()] = container.Engine{
			ID: s.GetId(), Name: l.name(s.GetId(), "POD", m, m.GetAttempt()), Runtime: l.runtime,
			Labels: hierarchy.PodLabels(m.GetNamespace(), m.GetName(), m.GetUid(), ""), Sandbox: true,
		}
	}
	for _, c := range l.containers {
		pod := pods[c.GetPodSandboxId()]
		if c.GetId() == "" || pod == nil {
			continue
		}
		image := imageOf(c, images)
		name := c.GetMetadata().GetName()
		out[c.GetId()] = container.Engine{
			ID: c.GetId(), Name: l.name(c.GetId(), name, pod, c.GetMetadata().GetAttempt()), Runtime: l.runtime,
			Image: image.name, ImageDigest: image.digest,
			Labels: hierarchy.PodLabels(pod.GetNamespace(), pod.GetName(), pod.GetUid(), name),
		}
	}
	return out
}

// name is the runtime's own name for a container: CRI-O makes one as dockershim
// did, to containerd it is the id.
func (l listing) name(id, container string, pod *runtimeapi.PodSandboxMetadata, attempt uint32) string {
	if l.runtime != crio {
		return id
	}
	return fmt.Sprintf("k8s_%s_%s_%s_%s_%d", container, pod.GetName(), pod.GetNamespace(), pod.GetUid(), attempt)
}

// images are the ids of the images that the containers run.
func (l listing) images() []string {
	var ids []string
	for _, c := range l.containers {
		ids = append(ids, imageID(c))
	}
	return ids
}

// imageNames are what an image is called.
type imageNames struct {
	name   string // a reference with a tag, else with a digest
	digest string // the manifest's
}

// imageID is the id of a container's image. Runtimes before Kubernetes 1.29 say it
// in the reference, where CRI-O has the digest's.
func imageID(c *runtimeapi.Container) string {
	if id := c.GetImageId(); id != "" {
		return id
	}
	return c.GetImageRef()
}

// imageOf is what a container's image is called: as the pod's specification has it
// if the kubelet said so, else as it was given to the runtime, which is an id with
// newer kubelets.
func imageOf(c *runtimeapi.Container, images map[string]imageNames) imageNames {
	known := images[imageID(c)]
	out := imageNames{name: c.GetImage().GetUserSpecifiedImage(), digest: digest(c.GetImageRef())}
	if given := c.GetImage().GetImage(); out.name == "" && !isImageID(given) {
		out.name = given
	}
	if out.name == "" {
		out.name = known.name
	}
	if out.digest == "" {
		out.digest = known.digest
	}
	return out
}

func isImageID(s string) bool {
	const hexDigits = 64
	return strings.HasPrefix(s, "sha256:") || len(s) == hexDigits && strings.Trim(s, "0123456789abcdef") == ""
}

// digest is that of a reference by digest.
func digest(reference string) string {
	_, d, _ := strings.Cut(reference, "@")
	return d
}

// learn asks for the images' names when there is an id that was not asked for yet,
// and forgets those of images that no container runs. Where the runtime does not
// say, images are known by what containers say of them.
func (r *Runtime) learn(ctx context.Context, p place, ids []string) {
	known := make(map[string]imageNames, len(ids))
	missing := false
	for _, id := range ids {
		names, ok := r.images[id]
		known[id] = names
		missing = missing || !ok
	}
	r.images = known
	if !missing {
		return
	}
	answer, err := runtimeapi.NewImageServiceClient(p.conn).ListImages(ctx, &runtimeapi.ListImagesRequest{})
	if err != nil {
		return
	}
	for _, i := range answer.GetImages() {
		if _, ok := known[i.GetId()]; ok {
			known[i.GetId()] = namesOf(i)
		}
	}
}

func namesOf(i *runtimeapi.Image) (out imageNames) {
	if refs := i.GetRepoDigests(); len(refs) > 0 {
		out = imageNames{name: refs[0], digest: digest(refs[0])}
	}
	if tags := i.GetRepoTags(); len(tags) > 0 {
		out.name = tags[0]
	}
	return out
}
