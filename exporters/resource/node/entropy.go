package node

import (
	"context"
	"errors"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// entropy serves what the kernel's random number generator has to draw from.
type entropy struct{ proc procfs.FS }

// Collect reads two files of /proc/sys/kernel/random.
func (c entropy) Collect(_ context.Context, w *family.Writer) error {
	available, err := sysctl(c.proc, "kernel.random.entropy_avail", 1)
	if err == nil {
		w.Series(metrics.NodeEntropyAvailable).Add(float64(available[0]))
	}
	size, sizeErr := sysctl(c.proc, "kernel.random.poolsize", 1)
	if sizeErr == nil {
		w.Series(metrics.NodeEntropyPoolSize).Add(float64(size[0]))
	}
	return errors.Join(err, sizeErr)
}
