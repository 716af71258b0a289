package resource

import (
	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/network"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// network are the collectors of the network of pods.
func (s *sources) network(procfs string) []serve.Collector {
	processes := func(path string) []int { return s.watcher.Tree.Processes(path, new(cgroup.Buffer)) }
	namespaces := network.NewNamespaces(s.index.List, procfs, processes)
	s.close = append(s.close, namespaces.Close)
	interfaces := &network.Interfaces{Namespaces: namespaces}
	return []serve.Collector{
		{Name: "network", Collect: interfaces.Collect},
	}
}
