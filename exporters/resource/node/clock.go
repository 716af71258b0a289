package node

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// clock serves the node's clock (collector time).
type clock struct {
	now func() time.Time
	sys sysfs.FS
}

// Collect reads the clock, and where the kernel takes the time from.
func (c clock) Collect(_ context.Context, w *family.Writer) error {
	now := c.now()
	w.Series(metrics.NodeTime).Add(float64(now.Unix()) + float64(now.Nanosecond())/1e9)
	zone, offset := now.Zone()
	w.Series(metrics.NodeTimeZoneOffset).Add(float64(offset), zone)
	sources, err := c.sys.ClockSources()
	if err != nil {
		return fmt.Errorf("read clock sources: %w", err)
	}
	for i, s := range sources {
		device := strconv.Itoa(i)
		for _, available := range s.Available {
			w.Series(metrics.NodeTimeClocksourceAvailable).Add(1, device, available)
		}
		w.Series(metrics.NodeTimeClocksourceCurrent).Add(1, device, s.Current)
	}
	return nil
}
