package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// thermal serves the temperatures of thermal zones, and what cools them.
type thermal struct{ sys sysfs.FS }

// Collect reads /sys/class/thermal. A zone that is off answers with an error.
func (c thermal) Collect(_ context.Context, w *family.Writer) error {
	var errs []error
	zones, err := c.sys.ClassThermalZoneStats()
	if err != nil {
		errs = append(errs, fmt.Errorf("list thermal zones: %w", err))
	}
	for _, z := range zones {
		if z.ReadErrors != nil && z.Temp == 0 {
			if !unreadable(z.ReadErrors) {
				errs = append(errs, fmt.Errorf("thermal zone %s: %w", z.Name, z.ReadErrors))
			}
			continue
		}
		w.Series(metrics.NodeThermalZoneTemp).Add(float64(z.Temp)/1000, z.Name, z.Type)
	}
	devices, err := c.sys.ClassCoolingDeviceStats()
	if err != nil {
		errs = append(errs, fmt.Errorf("read cooling devices: %w", err))
	}
	for _, d := range devices {
		w.Series(metrics.NodeCoolingDeviceCurState).Add(float64(d.CurState), d.Name, d.Type)
		w.Series(metrics.NodeCoolingDeviceMaxState).Add(float64(d.MaxState), d.Name, d.Type)
	}
	return errors.Join(errs...)
}
