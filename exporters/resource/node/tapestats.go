package node

import (
	"context"
	"fmt"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// tapestats serves the counters of tape drives.
type tapestats struct {
	sys   sysfs.FS
	wants matcher
}

// Collect reads /sys/class/scsi_tape.
func (c tapestats) Collect(_ context.Context, w *family.Writer) error {
	tapes, err := c.sys.SCSITapeClass()
	if err != nil {
		if unreadable(err) {
			return nil
		}
		return fmt.Errorf("read tape drives: %w", err)
	}
	const nano = 1e-9
	for _, name := range sortedNames(tapes) {
		if !c.wants.wants(name) {
			continue
		}
		n := tapes[name].Counters
		for _, v := range []struct {
			name  string
			value float64
		}{
			{"io_now", float64(n.InFlight)},
			{"io_time_seconds_total", float64(n.IoNs) * nano},
			{"io_others_total", float64(n.OtherCnt)},
			{"read_bytes_total", float64(n.ReadByteCnt)},
			{"reads_completed_total", float64(n.ReadCnt)},
			{"read_time_seconds_total", float64(n.ReadNs) * nano},
			{"residual_total", float64(n.ResidCnt)},
			{"written_bytes_total", float64(n.WriteByteCnt)},
			{"writes_completed_total", float64(n.WriteCnt)},
			{"write_time_seconds_total", float64(n.WriteNs) * nano},
		} {
			w.Series(metrics.NodeTape.Of(v.name)).Add(v.value, name)
		}
	}
	return nil
}
