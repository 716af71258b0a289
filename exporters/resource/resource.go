// Package resource is the resource exporter: the node's and its containers'
// resources, under the names of node_exporter and cAdvisor, with the hierarchy's
// labels, and how far each container is from what it asked for and may use.
//
// Start reading at metrics/. Below this package, node/ reads the machine, cgroup/
// finds and reads control groups, kubelet/, docker/, containerd/ and jobs/ say
// what runs in them, and container/ joins the two.
package resource

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/capacity"
	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/containerd"
	"github.com/loadline-exporters/loadline/exporters/resource/cri"
	"github.com/loadline-exporters/loadline/exporters/resource/docker"
	"github.com/loadline-exporters/loadline/exporters/resource/fargate"
	"github.com/loadline-exporters/loadline/exporters/resource/jobs"
	"github.com/loadline-exporters/loadline/exporters/resource/kmsg"
	"github.com/loadline-exporters/loadline/exporters/resource/kubelet"
	"github.com/loadline-exporters/loadline/exporters/resource/machine"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/exporters/resource/network"
	"github.com/loadline-exporters/loadline/exporters/resource/node"
	"github.com/loadline-exporters/loadline/exporters/resource/systemd"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// Name is the exporter's name: its job, and its part of paths.
const Name = "resource"

// DefaultBudget is the default of --series-budget: a node of 250 pods with two
// containers each stays well below it (docs/benchmarks.md has series beside pods).
const DefaultBudget = "150000"

// Options say where the node's facts are.
type Options struct {
	Node       node.Options
	NodeName   string
	Containerd string // socket
	CRI        string // socket; empty for the usual ones
	Docker     string // unix:///path or tcp://host:port
	Kubelet    kubelet.Options
	Storage    storageOptions
	Own        ownOptions
	ECS        string // URI of the ECS task metadata endpoint; empty outside of a task
	Network    network.Options
	Kubeconfig string // for the owners of Jobs; empty: in-cluster, if any

	KernelLog string // where the kernel's log is read

	PerCPU   bool // serve processor time by processor too
	NoGroups bool // leave out the control groups that are no containers
	Systemd  systemd.Options

	collectors *serve.CollectorFlags // nil: all
}

// AddFlags adds the exporter's flags.
func (o *Options) AddFlags(g serve.FlagGroup) {
	o.Node.AddFlags(g)
	o.Systemd.AddFlags(g)
	o.collectors = serve.AddCollectorFlags(g, metrics.Table().Collectors(), metrics.Optional())
	g.Flag("node-name", "The node's name, where the kubelet does not say it; by default the host's name.").
		Envar("NODE_NAME").StringVar(&o.NodeName)
	g.Flag("containerd-address", "containerd's socket.").Default(containerd.DefaultAddress).StringVar(&o.Containerd)
	g.Flag("cri-address", "Socket of a container runtime that speaks Kubernetes' CRI; by default containerd's, then CRI-O's usual ones.").
		StringVar(&o.CRI)
	g.Flag("docker-host", "Docker's socket, unix:///path or tcp://host:port.").Default(dockerclient.DefaultHost).StringVar(&o.Docker)
	g.Flag("kubelet-url", "The node's kubelet.").Default(kubelet.DefaultURL).StringVar(&o.Kubelet.URL)
	g.Flag("kubelet-token-file", "File with the bearer token for the kubelet; it is read anew for each request.").
		Default(kubelet.DefaultTokenFile).StringVar(&o.Kubelet.TokenFile)
	g.Flag("kubelet-ca-file", "File with the certificates that the kubelet's may be signed by; without it the system's.").
		Default(kubelet.DefaultCAFile).StringVar(&o.Kubelet.CAFile)
	g.Flag("kubelet-insecure-skip-verify", "Don't check the kubelet's certificate, which many clusters leave self-signed.").
		BoolVar(&o.Kubelet.Insecure)
	g.Flag("kernel-log", "The kernel's log, which tells OOM kills apart.").Default(kmsg.DefaultPath).StringVar(&o.KernelLog)
	g.Flag("container.per-cpu", "Serve the processor time of containers by processor instead of in total (cgroup v1).").BoolVar(&o.PerCPU)
	g.Flag("container.no-groups", "Leave out control groups that are no containers: the root, services, slices, pods, nested containers.").
		BoolVar(&o.NoGroups)
	g.Flag("ecs-metadata-uri", "The ECS task metadata endpoint, version 4; in a task ECS says where it is.").
		Envar(fargate.URIVariable).StringVar(&o.ECS)
	o.Own.addFlags(g)
	o.Storage.addFlags(g)
	g.Flag("kubeconfig", "Kubeconfig of an API server that says which CronJob made a Job and what the node has; without it the one of the cluster that this runs in, if any.").
		StringVar(&o.Kubeconfig)
	o.Network.AddFlags(g)
}

// Command is the exporter as a program.
func Command() serve.Command {
	return serve.Command{
		Name: "resource-exporter", Address: ":9851", DefaultBudget: DefaultBudget,
		Help: "Serves the node's and its containers' resources to Prometheus.",
		Flags: func(g serve.FlagGroup) serve.Factory {
			var o Options
			o.AddFlags(g)
			return o.New
		},
	}
}

// sources are the exporter's sources while it runs.
type sources struct {
	watcher    *cgroup.Watcher
	index      *container.Index
	kubelet    *source.Polled[[]container.Pod]
	containerd *source.Polled[container.Engines]
	cri        *source.Polled[container.Engines]
	docker     *source.Polled[container.Engines]
	events     [2]*engineEvents
	jobs       *jobs.Watcher
	lives      *lives // nil without control groups
	node       *source.Polled[capacity.Node]
	task       *source.Polled[*fargate.Task]
	criLayers  func(context.Context) (map[string]cri.Layer, string, error)
	disk       *disk                             // nil unless something is to be counted
	systemd    *source.Polled[*systemd.Snapshot] // nil when its collector is off
	polled     []*source.Source
	joined     []func() // called when the join found other containers
	runs       []func(context.Context)
	close      []func() error
}

// all are the sources that the exporter reports on.
func (s *sources) all() []*source.Source {
	all := []*source.Source{
		s.watcher.Source, s.watcher.Notify, s.kubelet.Source, s.containerd.Source, s.cri.Source, s.docker.Source,
		s.events[0].Source, s.events[1].Source, s.jobs.Source, s.node.Source,
	}
	if s.lives != nil {
		all = append(all, s.lives.follower.Source, s.lives.kernelLog)
	}
	if s.systemd != nil {
		all = append(all, s.systemd.Source)
	}
	all = append(all, s.disk.sources()...)
	return append(all, s.polled...)
}

// New makes the exporter. It reads nothing remote: what does not answer is found
// out by Run.
func (o *Options) New(logger *slog.Logger, _ family.Filter) (serve.Exporter, error) {
	o.Node.Logger = logger
	collectors, err := node.Collectors(o.Node)
	if err != nil {
		return serve.Exporter{}, err
	}
	proc, err := procfs.NewFS(o.Node.ProcFS)
	if err != nil {
		return serve.Exporter{}, fmt.Errorf("--path.procfs: %w", err)
	}
	s, err := o.sources(logger, proc)
	if err != nil {
		return serve.Exporter{}, err
	}
	if s.systemd, err = o.newSystemd(logger); err != nil {
		return serve.Exporter{}, err
	}
	networks, err := s.network(o)
	if err != nil {
		return serve.Exporter{}, err
	}
	if err := s.newTask(o, logger); err != nil {
		return serve.Exporter{}, err
	}
	containers := &container.Collector{List: s.list, Devices: &container.Devices{SysFS: o.Node.SysFS}}
	collectors = append(collectors, serve.Collector{Name: "container", Collect: containers.Collect})
	if s.lives != nil {
		if !o.NoGroups {
			containers.Groups = s.index.Groups
		}
		collectors = append(collectors, serve.Collector{Name: "workload", Collect: s.lives.book.Collect})
		collectors = append(collectors, networks...)
		collectors = append(collectors, s.processes(o, logger)...)
	}
	if o.collectors.Enabled("storage") || o.collectors.Enabled("volume") {
		s.disk = o.newDisk(s, proc, logger)
		collectors = append(collectors, s.disk.collectors(o)...)
	}
	collectors = s.withTask(collectors)
	requested := &capacity.Collector{Pods: s.kubelet.Get, Node: s.node.Get, Name: o.nodeName()}
	collectors = append(collectors, serve.Collector{Name: "capacity", Collect: requested.Collect})
	collectors = append(collectors, s.units()...)
	collectors = append(collectors, serve.Collector{Name: "machine", Collect: machine.New(o.Node.ProcFS, o.Node.RootFS).Collect})
	collectors = slices.DeleteFunc(collectors, func(c serve.Collector) bool { return !o.collectors.Enabled(c.Name) })
	return serve.Exporter{
		Name:       Name,
		Summary:    "Node and container resources, requests and limits.",
		Families:   metrics.Table(),
		Collectors: collectors,
		Sources:    s.all(),
		Run:        s.run,
	}, nil
}

func (o *Options) sources(logger *slog.Logger, proc procfs.FS) (*sources, error) {
	s := &sources{}
	// Everything that changes leads to a new join; a new control group also to
	// asking who it belongs to.
	joinAgain := func() { s.index.Changed() }
	tree, treeErr := cgroup.Open(filepath.Join(o.Node.SysFS, "fs/cgroup"))
	ask := func() {
		s.kubelet.Wake()
		s.containerd.Wake()
		s.cri.Wake()
		s.docker.Wake()
	}
	s.watcher = cgroup.NewWatcher(tree, treeErr, logger, func() {
		ask()
		s.index.Changed()
	})
	s.polled = append(s.polled, nodeGroups(tree, treeErr))
	var err error
	if s.jobs, err = jobs.New(o.Kubeconfig, logger, func() { s.kubelet.Wake() }); err != nil {
		return nil, err
	}
	k, err := kubelet.New(o.Kubelet, s.jobs)
	if err != nil {
		return nil, err
	}
	c, err := containerd.New(o.Containerd)
	if err != nil {
		return nil, err
	}
	r, err := cri.New(o.criAddresses()...)
	if err != nil {
		return nil, err
	}
	d, err := docker.New(o.Docker)
	if err != nil {
		return nil, err
	}
	s.close = append(s.close, c.Close, r.Close, d.Close)
	s.kubelet = source.NewPolled("kubelet", logger, k.Fetch)
	s.containerd = source.NewPolled("containerd", logger, c.Fetch)
	s.cri, s.criLayers = source.NewPolled("cri", logger, r.Fetch), r.FetchLayers
	s.docker = source.NewPolled("docker", logger, d.Fetch)
	if s.node, err = o.nodeSource(s, logger); err != nil {
		return nil, err
	}
	s.containerd.Changed, s.cri.Changed, s.docker.Changed = joinAgain, joinAgain, joinAgain
	s.kubelet.Changed = func() {
		joinAgain()
		s.wakeNode()
	}
	// The kubelet renders all its pods for each answer.
	s.kubelet.Spacing = 3 * time.Second

	s.events = [2]*engineEvents{
		s.watch("containerd-events", c, s.containerd.Wake, logger), s.watch("docker-events", d, s.docker.Wake, logger),
	}
	s.index = container.NewIndex(o.join(s, tree, proc, ask, logger), o.nodeName())
	s.close = append(s.close, s.index.Close)
	if s.lives != nil {
		s.close = append(s.close, s.lives.book.Close)
	}
	return s, nil
}

// join is what the index joins. Without control groups there is nothing to join.
func (o *Options) join(s *sources, tree *cgroup.Tree, proc procfs.FS, ask func(), logger *slog.Logger) container.Sources {
	join := container.Sources{
		Dirs: s.watcher.Dirs, Pods: s.kubelet.Get, Docker: s.docker.Get, Containerd: s.containerd.Get, CRI: s.cri.Get,
		RecentContainerd: s.events[0].recent, RecentDocker: s.events[1].recent,
		Settled: s.settled, Ask: ask, Started: func(string, cgroup.Dir) time.Time { return time.Time{} },
		Joined: func() {
			for _, tell := range s.joined {
				tell()
			}
		},
	}
	if tree != nil {
		if o.PerCPU {
			tree.ReadPerCPU()
		}
		s.lives = newLives(tree, s.watcher, o, logger)
		join.Started, join.Group = container.StartedBy(tree, proc), tree.Group
		join.Life, join.Nameless = s.lives.life, s.lives.book.Nameless
		if tree.View() == cgroup.OwnGroup {
			join.Own = o.Own.container(o.nodeName())
		}
	}
	return join
}

// criAddresses are where a runtime that speaks CRI is looked for.
func (o *Options) criAddresses() []string {
	if o.CRI != "" {
		return []string{o.CRI}
	}
	return append([]string{o.Containerd}, cri.CRIOAddresses...)
}

func (o *Options) nodeName() string {
	if o.NodeName != "" {
		return o.NodeName
	}
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// settled says whether everything that names containers was asked.
func (s *sources) settled() bool {
	return s.watcher.Source.Ready() && s.kubelet.Ready() && s.containerd.Ready() && s.cri.Ready() && s.docker.Ready()
}

func (s *sources) run(ctx context.Context) error {
	var wg sync.WaitGroup
	runs := []func(context.Context){
		s.watcher.Run, s.index.Run, s.kubelet.Run, s.containerd.Run, s.cri.Run, s.docker.Run, s.jobs.Run,
		s.events[0].Run, s.events[1].Run, s.node.Run, s.disk.run,
	}
	if s.lives != nil {
		runs = append(runs, s.lives.follower.Run, s.lives.watchLog)
	}
	if s.systemd != nil {
		runs = append(runs, s.systemd.Run)
	}
	for _, run := range append(runs, s.runs...) {
		wg.Go(func() { run(ctx) })
	}
	wg.Wait()
	var errs []error
	for _, c := range s.close {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}
