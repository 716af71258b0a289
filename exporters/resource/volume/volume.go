// Package volume serves the space of the volumes of pods: of mounted claims under
// the kubelet's names, and of empty directories in memory.
//
// The kubelet mounts a pod's volumes below its root directory, where statfs(2)
// answers for each. Which claim a mount is of it says nowhere: the directory is
// named after the persistent volume, which only the API server connects with the
// claim. A pod's specification says where its containers have the claim, and the
// kernel what is mounted there.
package volume

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/internal/family"
)

// DefaultKubeletRoot is the kubelet's root directory unless it is told otherwise.
const DefaultKubeletRoot = "/var/lib/kubelet"

// Collector emits the families of volumes.
type Collector struct {
	Pods       func() ([]container.Pod, bool)
	Containers func() []*container.Container
	// Mounts are the node's, mount points as the node has them.
	Mounts func() ([]mount.Mount, error)
	// MountsOf are those of a container's first process, by its own view.
	MountsOf    func(cgroupPath string) ([]mount.Mount, error)
	Root        string // where the node's root is mounted
	KubeletRoot string // the kubelet's root directory, as the node has it
	Prober      *mount.Prober
	// Counted are the bytes of an empty directory on disk, if they are known.
	Counted func(path string) (float64, bool)

	mu    sync.Mutex
	known map[volumeID]string // mount points that containers told
}

type volumeID struct{ podUID, volume string }

// Collect asks the file system of each claim for its numbers. One that hangs or
// fails is reported as such; it is no error of the collector.
func (c *Collector) Collect(ctx context.Context, w *family.Writer) error {
	pods, ok := c.Pods()
	if !ok {
		return nil
	}
	var mounts []mount.Mount
	if anyMounted(pods) {
		var err error
		if mounts, err = c.Mounts(); err != nil {
			return fmt.Errorf("read mounts: %w", err)
		}
	}
	volumes := c.find(pods, mounts)
	paths := make([]string, len(volumes))
	for i, v := range volumes {
		paths[i] = filepath.Join(c.Root, v.point)
	}
	answers := c.Prober.Ask(ctx, paths)
	unasked := 0
	for i, v := range volumes {
		a := answers[paths[i]]
		if errors.Is(a.Err, mount.ErrNotAsked) {
			unasked++
			continue
		}
		v.add(w, a)
	}
	c.addOnDisk(w, pods)
	if unasked > 0 {
		return fmt.Errorf("%d of %d volumes were not asked before the scrape's deadline", unasked, len(volumes))
	}
	return nil
}

// anyMounted says whether a pod has a volume that is a mount: else the node's
// mounts, which can be thousands, need not be read.
func anyMounted(pods []container.Pod) bool {
	for i := range pods {
		for j := range pods[i].Volumes {
			if v := &pods[i].Volumes[j]; v.Claim != "" || v.InMemory {
				return true
			}
		}
	}
	return false
}

// addOnDisk adds the empty directories that are counted, not mounted.
func (c *Collector) addOnDisk(w *family.Writer, pods []container.Pod) {
	for i := range pods {
		for j := range pods[i].Volumes {
			if p, v := &pods[i], &pods[i].Volumes[j]; OnDisk(p, v) {
				if bytes, ok := c.Counted(EmptyDirPath(c.KubeletRoot, p, v)); ok {
					addEmptyDir(w, p, v, bytes)
				}
			}
		}
	}
}

// OnDisk says whether a volume is an empty directory on the node's disk, of a pod
// that has not ended.
func OnDisk(p *container.Pod, v *container.Volume) bool {
	return v.Claim == "" && !v.InMemory && !p.Ended
}

// mounted is a volume with its place.
type mounted struct {
	pod    *container.Pod
	volume *container.Volume
	point  string // as the node has it
}

func (v mounted) add(w *family.Writer, a *mount.Answer) {
	block := float64(a.Stat.Bsize)
	used := float64(a.Stat.Blocks-a.Stat.Bfree) * block
	if v.volume.Claim == "" {
		if a.Err == nil {
			addEmptyDir(w, v.pod, v.volume, used)
		}
		return
	}
	labels := family.NewBlock(metrics.VolumeLabels, []string{v.pod.Namespace, v.volume.Claim})
	set := func(f *family.Family, v float64) { w.Series(f).AddBlock(labels, v) }
	if a.Err != nil {
		w.Series(metrics.VolumeAnswers).AddBlock(labels, 0, reason(a.Err))
		return
	}
	w.Series(metrics.VolumeAnswers).AddBlock(labels, 1, "")
	set(metrics.VolumeCapacity, float64(a.Stat.Blocks)*block)
	set(metrics.VolumeAvailable, float64(a.Stat.Bavail)*block)
	set(metrics.VolumeUsed, used)
	set(metrics.VolumeInodes, float64(a.Stat.Files))
	set(metrics.VolumeInodesFree, float64(a.Stat.Ffree))
	set(metrics.VolumeInodesUsed, float64(a.Stat.Files-a.Stat.Ffree))
}

// reason is why a volume does not answer, in a word of a closed list.
func reason(err error) string {
	switch {
	case errors.Is(err, mount.ErrHung), errors.Is(err, unix.ETIMEDOUT):
		return "timeout"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return "forbidden"
	case errors.Is(err, unix.ENOENT):
		return "absent"
	}
	return "failed"
}

// addEmptyDir adds what an empty directory holds, beside what it may.
func addEmptyDir(w *family.Writer, p *container.Pod, v *container.Volume, used float64) {
	medium := "disk"
	if v.InMemory {
		medium = "memory"
	}
	labels := family.NewBlock(metrics.PodVolumeLabels, []string{p.Namespace, p.Name, p.Workload.Name, p.Workload.Type, v.Name, medium})
	w.Series(metrics.PodVolumeUsed).AddBlock(labels, used)
	if v.SizeLimit > 0 {
		w.Series(metrics.PodVolumeLimit).AddBlock(labels, v.SizeLimit)
	}
}

// EmptyDirPath is the place of an empty directory, as the node has it.
func EmptyDirPath(kubeletRoot string, p *container.Pod, v *container.Volume) string {
	return filepath.Join(kubeletRoot, "pods", elem(string(p.UID)), "volumes", emptyDirPlugin, elem(v.Name))
}

const emptyDirPlugin = "kubernetes.io~empty-dir"

// elem makes of a name from outside an element of a path, and of what is none one
// that no directory has.
func elem(name string) string {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return "\uFFFD"
	}
	return name
}
