package resource

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/capacity"
	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/cri"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/exporters/resource/storage"
	"github.com/loadline-exporters/loadline/exporters/resource/usage"
	"github.com/loadline-exporters/loadline/exporters/resource/volume"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// storageOptions say where containers and pods keep what they write.
type storageOptions struct {
	KubeletRoot    string // the kubelet's root directory, as the node has it
	PodLogs        string // the kubelet's directory of logs, as the node has it
	FilesPerSecond int    // looked at to count what directories hold
}

func (o *storageOptions) addFlags(g serve.FlagGroup) {
	g.Flag("kubelet-root-dir", "The kubelet's root directory, where volumes are mounted; below --path.rootfs.").
		Default(volume.DefaultKubeletRoot).StringVar(&o.KubeletRoot)
	g.Flag("pod-log-dir", "The kubelet's directory of containers' logs; below --path.rootfs.").
		Default(storage.DefaultPodLogs).StringVar(&o.PodLogs)
	g.Flag("collector.storage.files-per-second", "How many files are looked at in a second to count what containers and pods keep on disk.").
		Default(usage.DefaultRate).IntVar(&o.FilesPerSecond)
}

// disk is what counts in the background.
type disk struct {
	layers  *source.Polled[map[string]cri.Layer]
	planner *storage.Planner
	logger  *slog.Logger
}

// layersEvery is how often a runtime is asked what layers hold: for each answer
// containerd reads the control groups of all its containers.
const layersEvery = time.Minute

func (o *Options) newDisk(s *sources, proc procfs.FS, logger *slog.Logger) *disk {
	layers := source.NewPolled("cri-layers", logger, s.criLayers)
	layers.Every = layersEvery
	root := filepath.Clean(o.Node.RootFS)
	return &disk{layers: layers, logger: logger, planner: &storage.Planner{
		Containers: s.containers, Pods: s.kubelet.Get, Layers: layers.Get,
		Mounts:   func() ([]mount.Mount, error) { return mount.Table(proc, root) },
		MountsOf: s.mountsOf(proc),
		PodLogs:  o.Storage.PodLogs, KubeletRoot: filepath.Clean(o.Storage.KubeletRoot),
		Counter: usage.NewCounter(root, o.Storage.FilesPerSecond, logger),
	}}
}

// run counts until the context ends. Without the node's root nothing is counted,
// and all else goes on.
func (d *disk) run(ctx context.Context) {
	if d == nil {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { d.layers.Run(ctx) })
	wg.Go(func() { d.planner.Run(ctx) })
	wg.Go(func() {
		if err := d.planner.Counter.Run(ctx); err != nil {
			d.logger.Warn("what containers keep on disk is not counted", "err", err)
		}
	})
	wg.Wait()
}

// sources are those that only counting asks.
func (d *disk) sources() []*source.Source {
	if d == nil {
		return nil
	}
	return []*source.Source{d.layers.Source, d.planner.Counter.Source}
}

// collectors are those of file systems and volumes.
func (d *disk) collectors(o *Options) []serve.Collector {
	prober := mount.NewProber(mount.Statfs, o.Node.MountTimeout, o.Node.StatWorkers, o.Node.Logger)
	root, p := filepath.Clean(o.Node.RootFS), d.planner
	layers := &storage.Collector{Planner: p, Root: root, Prober: prober}
	volumes := &volume.Collector{
		Pods: p.Pods, Containers: p.Containers, Mounts: p.Mounts, MountsOf: p.MountsOf,
		Root: root, KubeletRoot: p.KubeletRoot, Prober: prober, Counted: p.Counted,
	}
	return []serve.Collector{{Name: "storage", Collect: layers.Collect}, {Name: "volume", Collect: volumes.Collect}}
}

// containers are those that the index knows; it is made after those who ask.
func (s *sources) containers() []*container.Container { return s.index.List() }

// mountsOf finds what a container has mounted by its first process that can be
// looked at.
func (s *sources) mountsOf(proc procfs.FS) func(cgroupPath string) ([]mount.Mount, error) {
	return func(cgroupPath string) (mounts []mount.Mount, err error) {
		err = fs.ErrNotExist
		if s.watcher.Tree == nil {
			return nil, err
		}
		pids := s.watcher.Tree.Processes(cgroupPath, new(cgroup.Buffer))
		const enough = 3 // of a group's many processes some may just have ended
		for _, pid := range pids[:min(len(pids), enough)] {
			if mounts, err = mount.Of(proc, pid); err == nil {
				return mounts, nil
			}
		}
		return nil, err
	}
}

// nodeSpacing is the least time between two questions for the node: the kubelet's
// answers, which come often, may wake it.
const nodeSpacing = 10 * time.Second

func (o *Options) nodeSource(s *sources, logger *slog.Logger) (*source.Polled[capacity.Node], error) {
	n, err := capacity.NewSource(o.Kubeconfig, s.nodeName(o.nodeName()))
	if err != nil {
		return nil, err
	}
	polled := source.NewPolled("kubernetes-node", logger, n.Fetch)
	polled.Every, polled.Spacing = capacity.Every, nodeSpacing
	return polled, nil
}

// wakeNode asks for a node that is not known yet: the kubelet may have said its name.
func (s *sources) wakeNode() {
	if !s.node.Status().Available() {
		s.node.Wake()
	}
}

// nodeName tells the node's name in the API: the pods', else the one given.
func (s *sources) nodeName(otherwise string) func() string {
	return func() string {
		pods, _ := s.kubelet.Get()
		return capacity.NameOf(pods, otherwise)
	}
}
