package cri

import (
	"context"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Layer is what a container's writable layer holds, as its runtime counts it.
type Layer struct {
	Bytes  float64
	Inodes float64
	Path   string // where the runtime keeps layers, as it sees it: which file system they are on
}

// FetchLayers lists the writable layers of the running containers by the
// containers' ids. A runtime counts them every few seconds whether it is asked or
// not; that it reads the control groups for the same answer is what asking costs.
func (r *Runtime) FetchLayers(ctx context.Context) (map[string]Layer, string, error) {
	var out map[string]Layer
	at, err := r.ask(ctx, func(p place) error {
		answer, err := runtimeapi.NewRuntimeServiceClient(p.conn).ListContainerStats(ctx, &runtimeapi.ListContainerStatsRequest{})
		if err != nil {
			return because("asking for the containers' statistics", p.address, err)
		}
		out = layers(answer.GetStats())
		return nil
	})
	return out, at, err
}

// layers leaves out what the runtime has not counted yet.
func layers(stats []*runtimeapi.ContainerStats) map[string]Layer {
	out := make(map[string]Layer, len(stats))
	for _, s := range stats {
		l := s.GetWritableLayer()
		if s.GetAttributes().GetId() == "" || l.GetTimestamp() == 0 || l.GetUsedBytes() == nil {
			continue
		}
		out[s.GetAttributes().GetId()] = Layer{
			Bytes: float64(l.GetUsedBytes().GetValue()), Inodes: float64(l.GetInodesUsed().GetValue()),
			Path: l.GetFsId().GetMountpoint(),
		}
	}
	return out
}
