package node

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// infiniband serves the ports of InfiniBand and RoCE devices.
type infiniband struct {
	sys   sysfs.FS
	wants matcher
}

// Collect reads /sys/class/infiniband.
func (c infiniband) Collect(_ context.Context, w *family.Writer) error {
	names, err := c.sys.InfiniBandClassDevices()
	if err != nil {
		if unreadable(err) {
			return nil
		}
		return fmt.Errorf("list InfiniBand devices: %w", err)
	}
	var errs []error
	for _, name := range names {
		if !c.wants.wants(name) {
			continue
		}
		device, err := c.sys.InfiniBandDevice(name)
		if err != nil {
			if !unreadable(err) {
				errs = append(errs, fmt.Errorf("InfiniBand device %s: %w", name, err))
			}
			continue
		}
		w.Series(metrics.NodeInfiniBandInfo).Add(1, name, device.BoardID, device.FirmwareVersion, device.HCAType)
		for _, port := range slices.Sorted(maps.Keys(device.Ports)) {
			addPort(w, name, device.Ports[port])
		}
	}
	return errors.Join(errs...)
}

func addPort(w *family.Writer, device string, p sysfs.InfiniBandPort) {
	port := strconv.FormatUint(uint64(p.Port), 10)
	set := func(name string, v float64) { w.Series(metrics.NodeInfiniBand.Of(name)).Add(v, device, port) }
	set("state_id", float64(p.StateID))
	set("physical_state_id", float64(p.PhysStateID))
	set("rate_bytes_per_second", float64(p.Rate))
	addIf(w.Series(metrics.NodeInfiniBand.Of("lifespan_seconds")), p.HwCounters.Lifespan, milli, device, port)
	for _, counters := range [][]portCounter{portCounters(p.Counters), hardwareCounters(p.HwCounters)} {
		for _, c := range counters {
			addIf(w.Series(metrics.NodeInfiniBand.Of(c.name)), c.value, 1, device, port)
		}
	}
}

// portCounter is a counter that a driver may lack.
type portCounter struct {
	name  string
	value *uint64
}

func portCounters(c sysfs.InfiniBandCounters) []portCounter {
	return []portCounter{
		{"legacy_multicast_packets_received_total", c.LegacyPortMulticastRcvPackets},
		{"legacy_multicast_packets_transmitted_total", c.LegacyPortMulticastXmitPackets},
		{"legacy_data_received_bytes_total", c.LegacyPortRcvData64},
		{"legacy_packets_received_total", c.LegacyPortRcvPackets64},
		{"legacy_unicast_packets_received_total", c.LegacyPortUnicastRcvPackets},
		{"legacy_unicast_packets_transmitted_total", c.LegacyPortUnicastXmitPackets},
		{"legacy_data_transmitted_bytes_total", c.LegacyPortXmitData64},
		{"legacy_packets_transmitted_total", c.LegacyPortXmitPackets64},
		{"excessive_buffer_overrun_errors_total", c.ExcessiveBufferOverrunErrors},
		{"link_downed_total", c.LinkDowned},
		{"link_error_recovery_total", c.LinkErrorRecovery},
		{"local_link_integrity_errors_total", c.LocalLinkIntegrityErrors},
		{"multicast_packets_received_total", c.MulticastRcvPackets},
		{"multicast_packets_transmitted_total", c.MulticastXmitPackets},
		{"port_constraint_errors_received_total", c.PortRcvConstraintErrors},
		{"port_constraint_errors_transmitted_total", c.PortXmitConstraintErrors},
		{"port_data_received_bytes_total", c.PortRcvData},
		{"port_data_transmitted_bytes_total", c.PortXmitData},
		{"port_discards_received_total", c.PortRcvDiscards},
		{"port_discards_transmitted_total", c.PortXmitDiscards},
		{"port_errors_received_total", c.PortRcvErrors},
		{"port_packets_received_total", c.PortRcvPackets},
		{"port_packets_transmitted_total", c.PortXmitPackets},
		{"port_transmit_wait_total", c.PortXmitWait},
		{"unicast_packets_received_total", c.UnicastRcvPackets},
		{"unicast_packets_transmitted_total", c.UnicastXmitPackets},
		{"port_receive_remote_physical_errors_total", c.PortRcvRemotePhysicalErrors},
		{"port_receive_switch_relay_errors_total", c.PortRcvSwitchRelayErrors},
		{"symbol_error_total", c.SymbolError},
		{"vl15_dropped_total", c.VL15Dropped},
	}
}

func hardwareCounters(c sysfs.InfiniBandHwCounters) []portCounter {
	return []portCounter{
		{"duplicate_requests_packets_total", c.DuplicateRequest},
		{"implied_nak_seq_errors_total", c.ImpliedNakSeqErr},
		{"local_ack_timeout_errors_total", c.LocalAckTimeoutErr},
		{"np_cnp_packets_sent_total", c.NpCnpSent},
		{"np_ecn_marked_roce_packets_received_total", c.NpEcnMarkedRocePackets},
		{"out_of_buffer_drops_total", c.OutOfBuffer},
		{"out_of_sequence_packets_received_total", c.OutOfSequence},
		{"packet_sequence_errors_total", c.PacketSeqErr},
		{"req_cqes_errors_total", c.ReqCqeError},
		{"req_cqes_flush_errors_total", c.ReqCqeFlushError},
		{"req_remote_access_errors_total", c.ReqRemoteAccessErrors},
		{"req_remote_invalid_request_errors_total", c.ReqRemoteInvalidRequest},
		{"resp_cqes_errors_total", c.RespCqeError},
		{"resp_cqes_flush_errors_total", c.RespCqeFlushError},
		{"resp_local_length_errors_total", c.RespLocalLengthError},
		{"resp_remote_access_errors_total", c.RespRemoteAccessErrors},
		{"rnr_nak_retry_packets_received_total", c.RnrNakRetryErr},
		{"roce_adp_retransmits_total", c.RoceAdpRetrans},
		{"roce_adp_retransmits_timeout_total", c.RoceAdpRetransTo},
		{"roce_slow_restart_used_total", c.RoceSlowRestart},
		{"roce_slow_restart_cnps_total", c.RoceSlowRestartCnps},
		{"roce_slow_restart_total", c.RoceSlowRestartTrans},
		{"rp_cnp_packets_handled_total", c.RpCnpHandled},
		{"rp_cnp_ignored_packets_received_total", c.RpCnpIgnored},
		{"rx_atomic_requests_total", c.RxAtomicRequests},
		{"rx_dct_connect_requests_total", c.RxDctConnect},
		{"rx_read_requests_total", c.RxReadRequests},
		{"rx_write_requests_total", c.RxWriteRequests},
		{"rx_icrc_encapsulated_errors_total", c.RxIcrcEncapsulated},
	}
}
