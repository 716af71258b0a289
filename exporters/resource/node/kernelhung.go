package node

import (
	"context"
	"errors"
	"io/fs"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// kernelHung serves how many threads the kernel found to hang.
type kernelHung struct{ proc procfs.FS }

// Collect reads a counter that kernels before Linux 6.13, and those without
// CONFIG_DETECT_HUNG_TASK, lack.
func (c kernelHung) Collect(_ context.Context, w *family.Writer) error {
	v, err := sysctl(c.proc, "kernel.hung_task_detect_count", 1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	w.Series(metrics.NodeKernelHungTasks).Add(float64(v[0]))
	return nil
}
