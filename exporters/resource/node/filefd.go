package node

import (
	"context"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// filefd serves how many files the machine has open.
type filefd struct{ proc procfs.FS }

// Collect reads /proc/sys/fs/file-nr: allocated, always 0, maximum.
func (c filefd) Collect(_ context.Context, w *family.Writer) error {
	v, err := sysctl(c.proc, "fs.file-nr", 3)
	if err != nil {
		return err
	}
	w.Series(metrics.NodeFileFDAllocated).Add(float64(v[0]))
	w.Series(metrics.NodeFileFDMaximum).Add(float64(v[2]))
	return nil
}
