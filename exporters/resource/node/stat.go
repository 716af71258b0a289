package node

import (
	"context"
	"fmt"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// stat serves what /proc/stat says of the machine as a whole, boot time included.
type stat struct{ proc procfs.FS }

// Collect reads /proc/stat.
func (c stat) Collect(_ context.Context, w *family.Writer) error {
	s, err := c.proc.Stat()
	if err != nil {
		return fmt.Errorf("read kernel statistics: %w", err)
	}
	w.Series(metrics.NodeInterrupts).Add(float64(s.IRQTotal))
	w.Series(metrics.NodeContextSwitches).Add(float64(s.ContextSwitches))
	w.Series(metrics.NodeForks).Add(float64(s.ProcessCreated))
	w.Series(metrics.NodeBootTime).Add(float64(s.BootTime))
	w.Series(metrics.NodeProcessesRunning).Add(float64(s.ProcessesRunning))
	w.Series(metrics.NodeProcessesBlocked).Add(float64(s.ProcessesBlocked))
	return nil
}
