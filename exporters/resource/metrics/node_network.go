package metrics

import (
	"slices"
	"strings"

	"github.com/loadline-exporters/loadline/internal/family"
)

// NodeNetstat holds the families of collector netstat, without labels, by protocol
// and counter (Tcp_RetransSegs): those that node_exporter serves unless told
// otherwise, from /proc/net/netstat, snmp and snmp6. Other counters that
// --collector.netstat.fields asks for are foreign families (NetstatField).
var NodeNetstat = fields(NetstatField, netstatFields())

// NetstatField is the family of a protocol's counter.
func NetstatField(field, help string) *family.Family {
	return nodeUntyped("netstat", "node_netstat_"+field, help)
}

// netstatFields are counters of RFC 1213, RFC 4293 and the kernel's own
// (Documentation/networking/snmp_counter.rst).
func netstatFields() [][2]string {
	return [][2]string{
		{"TcpExt_SyncookiesSent", "SYN cookies sent."},
		{"TcpExt_SyncookiesRecv", "SYN cookies received that were valid."},
		{"TcpExt_SyncookiesFailed", "SYN cookies received that were not valid."},
		{"TcpExt_ListenOverflows", "Connections not accepted because a listening socket's queue was full."},
		{"TcpExt_ListenDrops", "SYNs to listening sockets that were dropped, a full queue included."},
		{"TcpExt_TCPTimeouts", "Retransmission timers that expired."},
		{"TcpExt_TCPRcvQDrop", "TCP segments dropped because a socket's receive queue was full."},
		{"TcpExt_TCPOFOQueue", "TCP segments queued because they came out of order."},
		{"TcpExt_TCPSynRetrans", "SYNs and SYN/ACKs sent again."},
		{"IpExt_InOctets", "Bytes received by IPv4."},
		{"IpExt_OutOctets", "Bytes sent by IPv4."},
		{"Ip_Forwarding", "Whether IPv4 packets are forwarded: 1 yes, 2 no."},
		{"Icmp_InMsgs", "ICMP messages received."},
		{"Icmp_InErrors", "ICMP messages received that were bad."},
		{"Icmp_OutMsgs", "ICMP messages sent."},
		{"Tcp_ActiveOpens", "TCP connections opened from here."},
		{"Tcp_PassiveOpens", "TCP connections accepted."},
		{"Tcp_CurrEstab", "TCP connections that are established or wait to be closed."},
		{"Tcp_InSegs", "TCP segments received."},
		{"Tcp_OutSegs", "TCP segments sent, without those sent again."},
		{"Tcp_RetransSegs", "TCP segments sent again."},
		{"Tcp_InErrs", "TCP segments received that were bad."},
		{"Tcp_OutRsts", "TCP segments sent with RST."},
		{"Udp_InDatagrams", "UDP datagrams delivered."},
		{"Udp_NoPorts", "UDP datagrams received for a port that nobody listens on."},
		{"Udp_InErrors", "UDP datagrams received that could not be delivered, for another reason than the port."},
		{"Udp_OutDatagrams", "UDP datagrams sent."},
		{"Udp_RcvbufErrors", "UDP datagrams dropped because the receive buffer was full."},
		{"Udp_SndbufErrors", "UDP datagrams dropped because the send buffer was full."},
		{"UdpLite_InErrors", "UDP-Lite datagrams received that could not be delivered."},
		{"Ip6_InOctets", "Bytes received by IPv6."},
		{"Ip6_OutOctets", "Bytes sent by IPv6."},
		{"Icmp6_InMsgs", "ICMPv6 messages received."},
		{"Icmp6_InErrors", "ICMPv6 messages received that were bad."},
		{"Icmp6_OutMsgs", "ICMPv6 messages sent."},
		{"Udp6_InDatagrams", "UDP datagrams delivered by IPv6."},
		{"Udp6_NoPorts", "UDP datagrams received by IPv6 for a port that nobody listens on."},
		{"Udp6_InErrors", "UDP datagrams received by IPv6 that could not be delivered, for another reason than the port."},
		{"Udp6_OutDatagrams", "UDP datagrams sent by IPv6."},
		{"Udp6_RcvbufErrors", "UDP datagrams of IPv6 dropped because the receive buffer was full."},
		{"Udp6_SndbufErrors", "UDP datagrams of IPv6 dropped because the send buffer was full."},
		{"UdpLite6_InErrors", "UDP-Lite datagrams received by IPv6 that could not be delivered."},
	}
}

// NodeSockstat holds the families of collector sockstat, without labels, by what
// follows node_sockstat_ in their names: /proc/net/sockstat and sockstat6.
var NodeSockstat = fields(sockstatField, sockstatFields())

func sockstatField(field, help string) *family.Family {
	unit := ""
	if strings.HasSuffix(field, "_bytes") {
		unit = "bytes"
	}
	return nodeGauge("sockstat", "node_sockstat_"+field, unit, help)
}

func sockstatFields() [][2]string {
	return [][2]string{
		{"sockets_used", "Sockets of all kinds."},
		{"TCP_inuse", "TCP sockets of IPv4 that are in use, without those in TIME_WAIT."},
		{"TCP_orphan", "TCP sockets that no process has open any more."},
		{"TCP_tw", "TCP sockets in TIME_WAIT."},
		{"TCP_alloc", "TCP sockets that are allocated, in whatever state."},
		{"TCP_mem", "Pages that TCP's buffers take."},
		{"TCP_mem_bytes", "Memory that TCP's buffers take."},
		{"UDP_inuse", "UDP sockets of IPv4."},
		{"UDP_mem", "Pages that UDP's buffers take."},
		{"UDP_mem_bytes", "Memory that UDP's buffers take."},
		{"UDPLITE_inuse", "UDP-Lite sockets of IPv4."},
		{"RAW_inuse", "Raw sockets of IPv4."},
		{"FRAG_inuse", "IPv4 packets that are being put together of fragments."},
		{"FRAG_memory", "Bytes that fragments of IPv4 take."},
		{"TCP6_inuse", "TCP sockets of IPv6 that are in use, without those in TIME_WAIT."},
		{"UDP6_inuse", "UDP sockets of IPv6."},
		{"UDPLITE6_inuse", "UDP-Lite sockets of IPv6."},
		{"RAW6_inuse", "Raw sockets of IPv6."},
		{"FRAG6_inuse", "IPv6 packets that are being put together of fragments."},
		{"FRAG6_memory", "Bytes that fragments of IPv6 take."},
	}
}

// The families of collector softnet: /proc/net/softnet_stat.
var (
	NodeSoftnetProcessed = nodeCounter("softnet", "node_softnet_processed_total", "",
		"Packets that a CPU took from its backlog or a device.", "cpu")
	NodeSoftnetDropped = nodeCounter("softnet", "node_softnet_dropped_total", "",
		"Packets dropped because a CPU's backlog was full.", "cpu")
	NodeSoftnetTimesSqueezed = nodeCounter("softnet", "node_softnet_times_squeezed_total", "",
		"Times that a CPU stopped taking packets, with some left, because its budget or time was used up.", "cpu")
	NodeSoftnetCPUCollision = nodeCounter("softnet", "node_softnet_cpu_collision_total", "",
		"Times that a CPU wanted to send while another held the device's lock; 0 since Linux 4.7.", "cpu")
	NodeSoftnetReceivedRPS = nodeCounter("softnet", "node_softnet_received_rps_total", "",
		"Times that a CPU was woken to process packets for another (RPS).", "cpu")
	NodeSoftnetFlowLimit = nodeCounter("softnet", "node_softnet_flow_limit_count_total", "",
		"Packets dropped because one flow had too many of a CPU's backlog.", "cpu")
	NodeSoftnetBacklog = nodeGauge("softnet", "node_softnet_backlog_len", "",
		"Packets in a CPU's backlog; 0 before Linux 5.14.", "cpu")
)

// NodeUDPQueues is the family of collector udp_queues: /proc/net/udp and udp6.
var NodeUDPQueues = nodeGauge("udp_queues", "node_udp_queues", "",
	"Bytes in the queues of all UDP sockets: queue is tx or rx, ip is v4 or v6.", "queue", "ip")

// NodeARPEntries is the family of collector arp: /proc/net/arp.
var NodeARPEntries = nodeGauge("arp", "node_arp_entries", "",
	"Entries of the ARP table, incomplete ones included, by network device.", "device")

// The families of collector conntrack: /proc/sys/net/netfilter, and the sums over
// all CPUs of /proc/net/stat/nf_conntrack, which node_exporter calls gauges.
var (
	NodeConntrackEntries = nodeGauge("conntrack", "node_nf_conntrack_entries", "",
		"Connections that are being tracked.")
	NodeConntrackLimit = nodeGauge("conntrack", "node_nf_conntrack_entries_limit", "",
		"Connections that can be tracked.")
	NodeConntrackFound = nodeGauge("conntrack", "node_nf_conntrack_stat_found", "",
		"Lookups of a connection that found it.")
	NodeConntrackInvalid = nodeGauge("conntrack", "node_nf_conntrack_stat_invalid", "",
		"Packets that could not be tracked.")
	NodeConntrackIgnore = nodeGauge("conntrack", "node_nf_conntrack_stat_ignore", "",
		"Packets that were tracked already.")
	NodeConntrackInsert = nodeGauge("conntrack", "node_nf_conntrack_stat_insert", "",
		"Connections inserted into the table.")
	NodeConntrackInsertFailed = nodeGauge("conntrack", "node_nf_conntrack_stat_insert_failed", "",
		"Connections that could not be inserted, mostly because another packet was faster.")
	NodeConntrackDrop = nodeGauge("conntrack", "node_nf_conntrack_stat_drop", "",
		"Packets dropped because their connection could not be tracked.")
	NodeConntrackEarlyDrop = nodeGauge("conntrack", "node_nf_conntrack_stat_early_drop", "",
		"Connections dropped to make room in a full table.")
	NodeConntrackSearchRestart = nodeGauge("conntrack", "node_nf_conntrack_stat_search_restart", "",
		"Lookups that were begun again because the table was resized.")
)

func networkTable() family.Table {
	return slices.Concat(
		listed(NodeNetstat, netstatFields()),
		listed(NodeSockstat, sockstatFields()),
		family.Table{
			NodeSoftnetProcessed, NodeSoftnetDropped, NodeSoftnetTimesSqueezed, NodeSoftnetCPUCollision,
			NodeSoftnetReceivedRPS, NodeSoftnetFlowLimit, NodeSoftnetBacklog,
			NodeUDPQueues,
			NodeARPEntries,
			NodeConntrackEntries, NodeConntrackLimit, NodeConntrackFound, NodeConntrackInvalid, NodeConntrackIgnore,
			NodeConntrackInsert, NodeConntrackInsertFailed, NodeConntrackDrop, NodeConntrackEarlyDrop,
			NodeConntrackSearchRestart,
		},
	)
}
