package node

import (
	"context"
	"fmt"
	"math"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// fibrechannel serves Fibre Channel host ports.
type fibrechannel struct{ sys sysfs.FS }

// Collect reads /sys/class/fc_host. An adapter says by a counter of all ones that
// it does not count.
func (c fibrechannel) Collect(_ context.Context, w *family.Writer) error {
	hosts, err := c.sys.FibreChannelClass()
	if err != nil {
		if unreadable(err) {
			return nil
		}
		return fmt.Errorf("read Fibre Channel ports: %w", err)
	}
	for _, name := range sortedNames(hosts) {
		h := hosts[name]
		w.Series(metrics.NodeFibreChannelInfo).Add(1, name, text(h.Speed), text(h.PortState), text(h.PortType), text(h.PortID),
			text(h.PortName), text(h.FabricName), text(h.SymbolicName), text(h.SupportedClasses), text(h.SupportedSpeeds), text(h.DevLossTMO))
		if h.Counters == nil {
			continue
		}
		n := h.Counters
		for _, v := range []struct {
			name  string
			value *uint64
		}{
			{"dumped_frames_total", n.DumpedFrames},
			{"error_frames_total", n.ErrorFrames},
			{"invalid_crc_total", n.InvalidCRCCount},
			{"rx_frames_total", n.RXFrames},
			{"rx_words_total", n.RXWords},
			{"tx_frames_total", n.TXFrames},
			{"tx_words_total", n.TXWords},
			{"seconds_since_last_reset_total", n.SecondsSinceLastReset},
			{"invalid_tx_words_total", n.InvalidTXWordCount},
			{"link_failure_total", n.LinkFailureCount},
			{"loss_of_sync_total", n.LossOfSyncCount},
			{"loss_of_signal_total", n.LossOfSignalCount},
			{"nos_total", n.NosCount},
			{"fcp_packet_aborts_total", n.FCPPacketAborts},
		} {
			if v.value != nil && *v.value != math.MaxUint64 {
				w.Series(metrics.NodeFibreChannel.Of(v.name)).Add(float64(*v.value), name)
			}
		}
	}
	return nil
}
