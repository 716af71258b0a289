package node

import (
	"context"
	"fmt"
	"strconv"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// softnet serves how each CPU copes with received packets.
type softnet struct{ proc procfs.FS }

// Collect reads /proc/net/softnet_stat. Columns that an old kernel lacks are 0, as
// node_exporter has them.
func (c softnet) Collect(_ context.Context, w *family.Writer) error {
	stats, err := c.proc.NetSoftnetStat()
	if err != nil {
		return fmt.Errorf("read statistics of received packets: %w", err)
	}
	for i := range stats {
		s := &stats[i]
		cpu := strconv.FormatUint(uint64(s.Index), 10)
		w.Series(metrics.NodeSoftnetProcessed).Add(float64(s.Processed), cpu)
		w.Series(metrics.NodeSoftnetDropped).Add(float64(s.Dropped), cpu)
		w.Series(metrics.NodeSoftnetTimesSqueezed).Add(float64(s.TimeSqueezed), cpu)
		w.Series(metrics.NodeSoftnetCPUCollision).Add(float64(s.CPUCollision), cpu)
		w.Series(metrics.NodeSoftnetReceivedRPS).Add(float64(s.ReceivedRps), cpu)
		w.Series(metrics.NodeSoftnetFlowLimit).Add(float64(s.FlowLimitCount), cpu)
		w.Series(metrics.NodeSoftnetBacklog).Add(float64(s.SoftnetBacklogLen), cpu)
	}
	return nil
}
