package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// schedstat serves how long threads ran and waited to run on each CPU
// (Documentation/scheduler/sched-stats.rst).
type schedstat struct{ proc procfs.FS }

// Collect reads /proc/schedstat, which is missing without CONFIG_SCHEDSTATS.
func (c schedstat) Collect(_ context.Context, w *family.Writer) error {
	s, err := c.proc.Schedstat()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read scheduler statistics: %w", err)
	}
	for _, cpu := range s.CPUs {
		w.Series(metrics.NodeSchedstatRunning).Add(float64(cpu.RunningNanoseconds)/1e9, cpu.CPUNum)
		w.Series(metrics.NodeSchedstatWaiting).Add(float64(cpu.WaitingNanoseconds)/1e9, cpu.CPUNum)
		w.Series(metrics.NodeSchedstatTimeslices).Add(float64(cpu.RunTimeslices), cpu.CPUNum)
	}
	return nil
}
