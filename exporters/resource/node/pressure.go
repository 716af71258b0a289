package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// pressure serves how long the machine's threads waited for CPU, I/O and memory
// (Documentation/accounting/psi.rst).
type pressure struct{ proc procfs.FS }

// Collect reads /proc/pressure. Files are missing before Linux 4.20 (irq: 6.1) and
// without CONFIG_PSI; reading them is not supported when booted with psi=0. Neither
// is an error.
func (c pressure) Collect(_ context.Context, w *family.Writer) error {
	resources := []struct {
		name       string
		some, full *family.Family // nil when not served
	}{
		{"cpu", metrics.NodePressureCPUWaiting, nil}, // full is defined for cgroups only
		{"io", metrics.NodePressureIOWaiting, metrics.NodePressureIOStalled},
		{"memory", metrics.NodePressureMemoryWaiting, metrics.NodePressureMemoryStalled},
		{"irq", nil, metrics.NodePressureIRQStalled}, // the kernel has no some
	}
	var errs []error
	for _, r := range resources {
		p, err := c.proc.PSIStatsForResource(r.name)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.EOPNOTSUPP):
			continue
		case err != nil:
			errs = append(errs, fmt.Errorf("read pressure of %s: %w", r.name, err))
			continue
		}
		addPressure(w, r.some, p.Some)
		addPressure(w, r.full, p.Full)
	}
	return errors.Join(errs...)
}

func addPressure(w *family.Writer, f *family.Family, line *procfs.PSILine) {
	if f != nil && line != nil {
		w.Series(f).Add(float64(line.Total) / 1e6) // microseconds
	}
}
