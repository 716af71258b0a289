package fargate

import (
	"context"
	"maps"
	"slices"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// Collector emits what is a task's own; its containers are container.Collector's.
type Collector struct {
	Get func() (*Task, bool) // the last snapshot
}

// Limits adds what the task may use as a whole.
func (c Collector) Limits(_ context.Context, w *family.Writer) error {
	t, ok := c.Get()
	if !ok {
		return nil
	}
	s := w.Series(metrics.PodLimits)
	for _, r := range slices.Sorted(maps.Keys(t.Limits)) {
		s.Add(t.Limits[r], t.Namespace, t.Pod, t.Workload.Name, t.Workload.Type, r, container.Unit(r))
	}
	return nil
}

// Storage adds what the task has written.
func (c Collector) Storage(_ context.Context, w *family.Writer) error {
	if t, ok := c.Get(); ok && t.StoredKnown {
		w.Series(metrics.PodEphemeral).Add(t.Stored, t.Namespace, t.Pod, t.Workload.Name, t.Workload.Type)
	}
	return nil
}

// Network adds what the task's interfaces carried.
func (c Collector) Network(_ context.Context, w *family.Writer) error {
	t, ok := c.Get()
	if !ok {
		return nil
	}
	for _, n := range t.Traffic {
		for _, name := range slices.Sorted(maps.Keys(n.Interfaces)) {
			i := n.Interfaces[name]
			for _, row := range []struct {
				family *family.Family
				value  uint64
			}{
				{metrics.ContainerNetworkReceiveBytes, i.RxBytes}, {metrics.ContainerNetworkReceivePackets, i.RxPackets},
				{metrics.ContainerNetworkReceiveErrors, i.RxErrors}, {metrics.ContainerNetworkReceiveDropped, i.RxDropped},
				{metrics.ContainerNetworkTransmitBytes, i.TxBytes}, {metrics.ContainerNetworkTransmitPackets, i.TxPackets},
				{metrics.ContainerNetworkTransmitErrors, i.TxErrors}, {metrics.ContainerNetworkTransmitDropped, i.TxDropped},
			} {
				w.Series(row.family).AddBlock(n.Labels, float64(row.value), name)
			}
		}
	}
	return nil
}
