package container

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// labels are a container's rendered label blocks.
type labels struct {
	container family.Block // metrics.ContainerLabels
	place     family.Block // metrics.PlaceLabels
}

func renderLabels(c *Container) labels {
	place := []string{c.Namespace, c.Pod, c.Container, c.Workload.Name, c.Workload.Type}
	return labels{
		container: family.NewBlock(metrics.ContainerLabels, append([]string{c.CgroupPath, c.Name, c.Image}, place...)),
		place:     family.NewBlock(metrics.PlaceLabels, place),
	}
}

// Render renders the labels. It is done once, before anybody else has the container.
func (c *Container) Render() { c.labels = renderLabels(c) }

// Labels are the container's metrics.ContainerLabels, rendered.
func (c *Container) Labels() family.Block { return c.labels.container }

// PlaceLabels are the container's metrics.PlaceLabels, rendered.
func (c *Container) PlaceLabels() family.Block { return c.labels.place }

// SandboxLabels stand for the labels of a pod's sandbox that is not known, as with
// CRI-O, which runs pods without one: id is the pod's control group.
func (c *Container) SandboxLabels() family.Block {
	return family.NewBlock(metrics.ContainerLabels, []string{
		path.Dir(c.CgroupPath), "", "", c.Namespace, c.Pod, SandboxName, c.Workload.Name, c.Workload.Type,
	})
}

// Collector emits the families of containers.
type Collector struct {
	List    func() []*Container
	Groups  func() []*Container // without containers; nil for none
	Devices *Devices

	buffers sync.Pool
}

// Collect reads each container's counters and adds its series. A container that
// has ended meanwhile is left out; one that can't be read keeps what could be and
// is named in the error.
func (c *Collector) Collect(ctx context.Context, w *family.Writer) error {
	b, ok := c.buffers.Get().(*cgroup.Buffer)
	if !ok {
		b = new(cgroup.Buffer)
	}
	defer c.buffers.Put(b)
	e := newEmitter(w, c.Devices)
	var failed []error
	read := func(list []*Container, emit func(*reading)) error {
		for _, container := range list {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("not all containers were read: %w", err)
			}
			r := reading{Container: container}
			var err error
			if r.Stats, err = container.Counters.Read(b); errors.Is(err, cgroup.ErrGone) {
				continue
			}
			if err != nil && len(failed) < 3 { // enough to know, in one line of the log
				failed = append(failed, err)
			}
			emit(&r)
		}
		return nil
	}
	err := read(c.List(), e.container)
	if err == nil && c.Groups != nil {
		err = read(c.Groups(), e.group)
	}
	return errors.Join(append(failed, err)...)
}
