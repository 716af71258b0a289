package node

import (
	"context"
	"fmt"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// loadavg serves the load averages.
type loadavg struct{ proc procfs.FS }

// Collect reads /proc/loadavg.
func (c loadavg) Collect(_ context.Context, w *family.Writer) error {
	load, err := c.proc.LoadAvg()
	if err != nil {
		return fmt.Errorf("read load averages: %w", err)
	}
	w.Series(metrics.NodeLoad1).Add(load.Load1)
	w.Series(metrics.NodeLoad5).Add(load.Load5)
	w.Series(metrics.NodeLoad15).Add(load.Load15)
	return nil
}
