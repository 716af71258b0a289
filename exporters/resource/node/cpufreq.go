package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// cpufreq serves the frequency of each CPU, and what bounds it.
type cpufreq struct{ sys sysfs.FS }

// Collect reads /sys/devices/system/cpu/cpu*/cpufreq, which most virtual machines
// lack. Frequencies are in kHz there.
func (c cpufreq) Collect(_ context.Context, w *family.Writer) error {
	cpus, err := c.sys.SystemCpufreq()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read frequencies of CPUs: %w", err)
	}
	for _, cpu := range cpus {
		for _, f := range []struct {
			name  string
			value *uint64
		}{
			{"frequency_hertz", cpu.CpuinfoCurrentFrequency},
			{"frequency_avg_hertz", cpu.CpuinfoAverageFrequency},
			{"frequency_min_hertz", cpu.CpuinfoMinimumFrequency},
			{"frequency_max_hertz", cpu.CpuinfoMaximumFrequency},
			{"scaling_frequency_hertz", cpu.ScalingCurrentFrequency},
			{"scaling_frequency_min_hertz", cpu.ScalingMinimumFrequency},
			{"scaling_frequency_max_hertz", cpu.ScalingMaximumFrequency},
		} {
			addIf(w.Series(metrics.NodeCPUFrequency.Of(f.name)), f.value, 1000, cpu.Name)
		}
		if cpu.Governor == "" {
			continue
		}
		for governor := range strings.FieldsSeq(cpu.AvailableGovernors) {
			w.Series(metrics.NodeCPUScalingGovernor).Add(truth(governor == cpu.Governor), cpu.Name, governor)
		}
	}
	return nil
}
