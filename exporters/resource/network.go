package resource

import (
	"context"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/network"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// network are the collectors of the network of pods.
func (s *sources) network(o *Options) ([]serve.Collector, error) {
	cluster, err := o.Network.Cluster()
	if err != nil {
		return nil, err
	}
	processes := func(path string) []int { return s.watcher.Tree.ProcessesWithin(path, new(cgroup.Buffer)) }
	namespaces := network.NewNamespaces(s.index.List, o.Node.ProcFS, processes)
	s.close = append(s.close, namespaces.Close)
	interfaces := &network.Interfaces{Namespaces: namespaces}
	connections := &network.Connections{Namespaces: namespaces, Source: source.New("sockets"), Cluster: cluster}
	connections.Probe(context.Background())
	s.polled = append(s.polled, connections.Source)
	return []serve.Collector{
		{Name: "network", Collect: interfaces.Collect},
		{Name: "connection", Collect: connections.Collect},
	}, nil
}
