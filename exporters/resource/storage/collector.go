package storage

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/cri"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/exporters/resource/usage"
	"github.com/loadline-exporters/loadline/exporters/resource/volume"
	"github.com/loadline-exporters/loadline/internal/family"
)

// Collector emits the families of containers' storage.
type Collector struct {
	*Planner
	Root   string // where the node's root is mounted
	Prober *mount.Prober
}

// held is what is known that a container holds.
type held struct {
	layer, logs float64 // bytes
	hasLogs     bool    // it has a directory of logs
}

// Collect adds what is known, and the numbers of the file systems that layers are
// on, each asked once.
func (c *Collector) Collect(ctx context.Context, w *family.Writer) error {
	c.state(w)
	list := c.planned()
	layers, _ := c.Layers()
	known := make(map[*container.Container]held, len(list))
	for _, one := range list {
		if h, ok := c.held(one, layers); ok {
			known[one.Container] = h
		}
	}
	c.pods(w, list, known)
	return c.containers(ctx, w, list, known)
}

// held is what a container holds; ok is false as long as a part is not known.
func (c *Collector) held(one planned, layers map[string]cri.Layer) (h held, ok bool) {
	if one.byRuntime {
		l, ok := layers[one.ID]
		if !ok {
			return held{}, false
		}
		h.layer = l.Bytes
	} else {
		u, state := c.Counter.Of(usage.Target{Path: one.layer})
		if one.layer == "" || state != usage.Counted {
			return held{}, false
		}
		h.layer = u.Bytes
	}
	if one.logs.Path == "" {
		return h, true
	}
	u, state := c.Counter.Of(one.logs)
	h.logs, h.hasLogs = u.Bytes, state == usage.Counted
	return h, state == usage.Counted || state == usage.Absent
}

func (c *Collector) containers(ctx context.Context, w *family.Writer, list []planned, known map[*container.Container]held) error {
	usageOf, logs, ephemeral := w.Series(metrics.ContainerFSUsage), w.Series(metrics.ContainerLogs), w.Series(metrics.ContainerEphemeral)
	limit, inodes, free := w.Series(metrics.ContainerFSLimit), w.Series(metrics.ContainerFSInodes), w.Series(metrics.ContainerFSInodesFree)
	var points []string
	for _, one := range list {
		if one.on != nil {
			points = append(points, filepath.Join(c.Root, one.on.Point))
		}
	}
	answers := c.Prober.Ask(ctx, points) // each point once
	var err error
	for _, one := range list {
		h, ok := known[one.Container]
		full, place := one.Labels(), one.PlaceLabels()
		if ok {
			ephemeral.AddBlock(place, h.layer+h.logs, one.CgroupPath)
			if h.hasLogs {
				logs.AddBlock(place, h.logs, one.CgroupPath)
			}
		}
		m := one.on
		if m == nil {
			continue
		}
		if ok {
			usageOf.AddBlock(full, h.layer+h.logs, m.Device)
		}
		if a := answers[filepath.Join(c.Root, m.Point)]; a.Err == nil {
			limit.AddBlock(full, float64(a.Stat.Blocks)*float64(a.Stat.Bsize), m.Device)
			inodes.AddBlock(full, float64(a.Stat.Files), m.Device)
			free.AddBlock(full, float64(a.Stat.Ffree), m.Device)
		} else if errors.Is(a.Err, mount.ErrNotAsked) {
			err = errors.New("not all file systems of containers were asked before the scrape's deadline")
		}
	}
	return err
}

// holding is the mount that a path is on: of those above it the nearest, and of
// several in one place the upper one. It is found by names alone, so that a path
// that somebody made up leads to nothing worse than a wrong mount's numbers.
func holding(mounts []mount.Mount, path string) (found *mount.Mount) {
	if path == "" {
		return nil
	}
	for i := range mounts {
		m := &mounts[i]
		rest, ok := strings.CutPrefix(path, strings.TrimSuffix(m.Point, "/"))
		if ok && (rest == "" || rest[0] == '/') && (found == nil || len(m.Point) >= len(found.Point)) {
			found = m
		}
	}
	return found
}

// pods adds what the pods take whose containers and empty directories are all
// known. A container that has not started, or has ended, has no part in it.
func (c *Collector) pods(w *family.Writer, list []planned, known map[*container.Container]held) {
	pods, _ := c.Pods()
	byUID := map[string][]*container.Container{}
	for _, one := range list {
		byUID[one.PodUID] = append(byUID[one.PodUID], one.Container)
	}
	s := w.Series(metrics.PodEphemeral)
	for i := range pods {
		p := &pods[i]
		sum, ok := c.emptyDirsOf(p)
		running := byUID[string(p.UID)]
		for _, one := range running {
			h, isKnown := known[one]
			sum, ok = sum+h.layer+h.logs, ok && isKnown
		}
		if ok && len(running) > 0 && !p.Ended {
			s.Add(sum, p.Namespace, p.Name, p.Workload.Name, p.Workload.Type)
		}
	}
}

func (c *Collector) emptyDirsOf(p *container.Pod) (sum float64, ok bool) {
	for i := range p.Volumes {
		if v := &p.Volumes[i]; volume.OnDisk(p, v) {
			bytes, isKnown := c.Counted(volume.EmptyDirPath(c.KubeletRoot, p, v))
			if !isKnown {
				return 0, false
			}
			sum += bytes
		}
	}
	return sum, true
}

// Counted are the bytes of an empty directory, if they are known.
func (p *Planner) Counted(path string) (float64, bool) {
	u, state := p.Counter.Of(usage.Target{Path: path})
	return u.Bytes, state == usage.Counted
}

// state says how far counting is.
func (c *Collector) state(w *family.Writer) {
	s := w.Series(metrics.StorageDirectories)
	n := c.Counter.States()
	for state, name := range [...]string{
		usage.Pending: "pending", usage.Counted: "counted", usage.Absent: "absent", usage.Failed: "failed",
	} {
		s.Add(float64(n[state]), name)
	}
	w.Series(metrics.StorageFiles).Add(float64(c.Counter.Examined.Load()))
}
