package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// cgroups serves how many control groups each controller of version 1 has.
type cgroups struct{ proc procfs.FS }

// Collect reads /proc/cgroups.
func (c cgroups) Collect(_ context.Context, w *family.Writer) error {
	controllers, err := c.proc.CgroupSummarys()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read controllers: %w", err)
	}
	for _, s := range controllers {
		w.Series(metrics.NodeCgroups).Add(float64(s.Cgroups), s.SubsysName)
		w.Series(metrics.NodeCgroupsEnabled).Add(float64(s.Enabled), s.SubsysName)
	}
	return nil
}

// cpuVulnerabilities serves what the kernel says of the CPU's known faults.
type cpuVulnerabilities struct{ sys sysfs.FS }

// Collect reads /sys/devices/system/cpu/vulnerabilities.
func (c cpuVulnerabilities) Collect(_ context.Context, w *family.Writer) error {
	all, err := c.sys.CPUVulnerabilities()
	if err != nil {
		return fmt.Errorf("read vulnerabilities of the CPU: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		v := all[name]
		w.Series(metrics.NodeCPUVulnerabilities).Add(1, v.CodeName, sysfs.VulnerabilityHumanEncoding[v.State], v.Mitigation)
	}
	return nil
}
