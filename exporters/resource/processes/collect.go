package processes

import (
	"context"
	"math"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// Collector emits the last poll's facts.
type Collector struct {
	Get  func() ([]Facts, bool)
	List func() []*container.Container // those that are there now
}

// facts are those of containers that have not ended since the poll.
func (c Collector) facts() []Facts {
	polled, _ := c.Get()
	there := map[string]string{} // ids by cgroup
	for _, now := range c.List() {
		there[now.CgroupPath] = now.ID
	}
	out := make([]Facts, 0, len(polled))
	for _, f := range polled {
		if id, ok := there[f.CgroupPath]; ok && id == f.ID {
			out = append(out, f)
		}
	}
	return out
}

// Collect adds what the collector container-processes has.
func (c Collector) Collect(_ context.Context, w *family.Writer) error {
	facts := c.facts()
	processes, files := w.Series(metrics.ContainerProcesses), w.Series(metrics.ContainerFileDescriptors)
	sockets, limits := w.Series(metrics.ContainerSockets), w.Series(metrics.ContainerUlimits)
	for i := range facts {
		f := &facts[i]
		l := f.Labels()
		processes.AddBlock(l, float64(f.Processes))
		if f.FilesKnown {
			files.AddBlock(l, float64(f.Files))
		}
		if f.SocketsKnown {
			sockets.AddBlock(l, float64(f.Sockets))
		}
		if f.LimitKnown {
			limits.AddBlock(l, f.OpenFiles, "max_open_files")
		}
	}
	return nil
}

// CollectTasks adds what the collector container-tasks has.
func (c Collector) CollectTasks(_ context.Context, w *family.Writer) error {
	facts := c.facts()
	tasks := w.Series(metrics.ContainerTasks)
	load, loadD := w.Series(metrics.ContainerLoad), w.Series(metrics.ContainerLoadD)
	for i := range facts {
		f := &facts[i]
		if f.States == nil {
			continue
		}
		l := f.Labels()
		tasks.AddBlock(l, float64(f.States.Sleeping), "sleeping")
		tasks.AddBlock(l, float64(f.States.Running), "running")
		tasks.AddBlock(l, float64(f.States.Stopped), "stopped")
		tasks.AddBlock(l, float64(f.States.Uninterruptible), "uninterruptible")
		load.AddBlock(l, math.Round(f.Load.running*1000))
		loadD.AddBlock(l, math.Round(f.Load.waiting*1000))
	}
	return nil
}

// load is a decaying average, over ten seconds, of the threads that run or are
// ready to, and of those that wait uninterruptibly.
type load struct {
	at               time.Time
	running, waiting float64
}

// loadWindow is the average's time.
const loadWindow = 10 * time.Second

// next takes what was found at a time. The first average is what was found.
func (l load) next(at time.Time, s *States) load {
	keep := 0.0
	if !l.at.IsZero() {
		keep = math.Exp(-float64(at.Sub(l.at)) / float64(loadWindow))
	}
	return load{
		at:      at,
		running: l.running*keep + float64(s.Running)*(1-keep),
		waiting: l.waiting*keep + float64(s.Uninterruptible)*(1-keep),
	}
}
