package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// NodeFibreChannelInfo belongs to collector fibrechannel.
var NodeFibreChannelInfo = nodeGauge("fibrechannel", "node_fibrechannel_info", "",
	"What a Fibre Channel host port is, and its state, always 1.",
	"fc_host", "speed", "port_state", "port_type", "port_id", "port_name", "fabric_name", "symbolic_name",
	"supported_classes", "supported_speeds", "dev_loss_tmo")

// NodeFibreChannel are the counters of collector fibrechannel:
// /sys/class/fc_host/<host>/statistics. An adapter may lack some.
var NodeFibreChannel = group("fibrechannel", "node_fibrechannel_", []string{"fc_host"}, [][2]string{
	{"dumped_frames_total", "Frames that were given up."},
	{"error_frames_total", "Frames received that were bad."},
	{"invalid_crc_total", "Frames received with a wrong checksum."},
	{"rx_frames_total", "Frames received."},
	{"rx_words_total", "Words of four bytes received."},
	{"tx_frames_total", "Frames sent."},
	{"tx_words_total", "Words of four bytes sent."},
	{"seconds_since_last_reset_total", "Time since the port was reset, in seconds."},
	{"invalid_tx_words_total", "Words that were no valid code."},
	{"link_failure_total", "Times the link failed."},
	{"loss_of_sync_total", "Times the port lost the beat of the words."},
	{"loss_of_signal_total", "Times the port lost the signal."},
	{"nos_total", "Times the other side said that it is not operational."},
	{"fcp_packet_aborts_total", "SCSI exchanges that were broken off."},
})

// NodeInfiniBandInfo belongs to collector infiniband.
var NodeInfiniBandInfo = nodeGauge("infiniband", "node_infiniband_info", "",
	"What an InfiniBand or RoCE device is, always 1.", "device", "board_id", "firmware_version", "hca_type")

// NodeInfiniBand are the families of collector infiniband with one number of a
// port: /sys/class/infiniband (Documentation/ABI/stable/sysfs-class-infiniband);
// those from hw_counters depend on the driver.
var NodeInfiniBand = group("infiniband", "node_infiniband_", []string{"device", "port"}, [][2]string{
	{"state_id", "Logical state of a port: 0 none, 1 down, 2 initializing, 3 armed, 4 active, 5 active and deferred."},
	{"physical_state_id", "Physical state of a port: 0 none, 1 sleeping, 2 polling, 3 disabled, 4 training, 5 up, 6 recovering, 7 in test."},
	{"rate_bytes_per_second", "Speed of a port's link."},
	{"legacy_multicast_packets_received_total", "Multicast packets received, from counters_ext."},
	{"legacy_multicast_packets_transmitted_total", "Multicast packets sent, from counters_ext."},
	{"legacy_data_received_bytes_total", "Bytes received, from counters_ext."},
	{"legacy_packets_received_total", "Packets received, from counters_ext."},
	{"legacy_unicast_packets_received_total", "Unicast packets received, from counters_ext."},
	{"legacy_unicast_packets_transmitted_total", "Unicast packets sent, from counters_ext."},
	{"legacy_data_transmitted_bytes_total", "Bytes sent, from counters_ext."},
	{"legacy_packets_transmitted_total", "Packets sent, from counters_ext."},
	{"excessive_buffer_overrun_errors_total", "Times buffers overran in several periods of flow control running."},
	{"link_downed_total", "Times the link could not be recovered and went down."},
	{"link_error_recovery_total", "Times the link was recovered from an error."},
	{"local_link_integrity_errors_total", "Times there were more physical errors than the port allows."},
	{"multicast_packets_received_total", "Multicast packets received, bad ones included."},
	{"multicast_packets_transmitted_total", "Multicast packets sent, bad ones included."},
	{"port_constraint_errors_received_total", "Packets received that a switch's rules dropped."},
	{"port_constraint_errors_transmitted_total", "Packets that a switch's rules kept from being sent."},
	{"port_data_received_bytes_total", "Bytes received."},
	{"port_data_transmitted_bytes_total", "Bytes sent."},
	{"port_discards_received_total", "Packets received that were dropped because the port is down or congested."},
	{"port_discards_transmitted_total", "Packets dropped before they were sent because the port is down or congested."},
	{"port_errors_received_total", "Packets received that were bad."},
	{"port_packets_received_total", "Packets received, bad ones included."},
	{"port_packets_transmitted_total", "Packets sent, bad ones included."},
	{"port_transmit_wait_total", "Ticks in which the port had something to send and could not."},
	{"unicast_packets_received_total", "Unicast packets received, bad ones included."},
	{"unicast_packets_transmitted_total", "Unicast packets sent, bad ones included."},
	{"port_receive_remote_physical_errors_total", "Packets received that a switch on the way marked as bad."},
	{"port_receive_switch_relay_errors_total", "Packets received that the switch could not pass on."},
	{"symbol_error_total", "Small errors of the lanes of the link."},
	{"vl15_dropped_total", "Management packets dropped for want of buffers."},
	{"duplicate_requests_packets_total", "Requests received that had been served already."},
	{"implied_nak_seq_errors_total", "Acknowledgements of a read that came out of order."},
	{"lifespan_seconds", "Time for which the device may answer with what it counted before."},
	{"local_ack_timeout_errors_total", "Times an acknowledgement did not come in time."},
	{"np_cnp_packets_sent_total", "Congestion notifications sent."},
	{"np_ecn_marked_roce_packets_received_total", "Packets received that the network marked as congested."},
	{"out_of_buffer_drops_total", "Packets dropped because no receive request was posted."},
	{"out_of_sequence_packets_received_total", "Packets received out of order."},
	{"packet_sequence_errors_total", "Packets that the other side reported as out of order."},
	{"req_cqes_errors_total", "Own requests that ended in an error."},
	{"req_cqes_flush_errors_total", "Own requests that were flushed by an error."},
	{"req_remote_access_errors_total", "Own requests that the other side did not allow."},
	{"req_remote_invalid_request_errors_total", "Own requests that the other side found invalid."},
	{"resp_cqes_errors_total", "Answers that ended in an error."},
	{"resp_cqes_flush_errors_total", "Answers that were flushed by an error."},
	{"resp_local_length_errors_total", "Requests received that were too long for their buffer."},
	{"resp_remote_access_errors_total", "Requests received that were not allowed."},
	{"rnr_nak_retry_packets_received_total", "Times the other side was not ready to receive."},
	{"roce_adp_retransmits_total", "Adaptive retransmissions."},
	{"roce_adp_retransmits_timeout_total", "Timeouts of adaptive retransmission."},
	{"roce_slow_restart_used_total", "Uses of slow restart."},
	{"roce_slow_restart_cnps_total", "Congestion notifications that slow restart made."},
	{"roce_slow_restart_total", "Times a flow began a slow restart."},
	{"rp_cnp_packets_handled_total", "Congestion notifications that slowed sending down."},
	{"rp_cnp_ignored_packets_received_total", "Congestion notifications that were ignored."},
	{"rx_atomic_requests_total", "Atomic requests received."},
	{"rx_dct_connect_requests_total", "Connection requests of dynamically connected transport received."},
	{"rx_read_requests_total", "Read requests received."},
	{"rx_write_requests_total", "Write requests received."},
	{"rx_icrc_encapsulated_errors_total", "Packets received with a wrong checksum."},
})

func fabricsTable() family.Table {
	return slices.Concat(
		family.Table{NodeFibreChannelInfo}, NodeFibreChannel.Table,
		family.Table{NodeInfiniBandInfo}, NodeInfiniBand.Table,
	)
}
