package kubelet

import (
	"slices"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
)

// volume is the part of a v1.Volume that is used.
type volume struct {
	Name  string `json:"name"`
	Claim *struct {
		Name string `json:"claimName"`
	} `json:"persistentVolumeClaim"`
	Ephemeral *struct{} `json:"ephemeral"`
	EmptyDir  *struct {
		Medium    string  `json:"medium"`
		SizeLimit *amount `json:"sizeLimit"`
	} `json:"emptyDir"`
}

type volumeMount struct {
	Name string `json:"name"`
	Path string `json:"mountPath"`
}

// volumes are the pod's claims and empty directories, and the names of its other
// volumes. A claim that no container mounts, as one of a block device, has no file
// system.
func (p *pod) volumes() (out []container.Volume, others map[string]bool) {
	for _, v := range p.Spec.Volumes {
		c := container.Volume{Name: v.Name}
		switch {
		case v.EmptyDir != nil:
			// Others are huge pages ("HugePages-2Mi"), which are memory too.
			c.InMemory = v.EmptyDir.Medium != ""
			if v.EmptyDir.SizeLimit != nil {
				c.SizeLimit = float64(*v.EmptyDir.SizeLimit)
			}
		case v.Claim != nil && v.Claim.Name != "":
			c.Claim = v.Claim.Name
		case v.Ephemeral != nil:
			// The controller names a generic ephemeral volume's claim so (KEP-1698).
			c.Claim = p.Metadata.Name + "-" + v.Name
		default:
			if others == nil {
				others = map[string]bool{}
			}
			others[v.Name] = true
			continue
		}
		if c.MountedBy = p.mountsOf(v.Name); c.Claim == "" || len(c.MountedBy) > 0 {
			out = append(out, c)
		}
	}
	return out, others
}

func (p *pod) mountsOf(volume string) (out []container.VolumeMount) {
	for _, c := range slices.Concat(p.Spec.InitContainers, p.Spec.Containers, p.Spec.EphemeralContainers) {
		for _, m := range c.VolumeMounts {
			if m.Name == volume {
				out = append(out, container.VolumeMount{Container: c.Name, Path: m.Path})
			}
		}
	}
	return out
}
