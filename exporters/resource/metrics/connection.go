package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

const collectorConnection = "connection"

func connection(name string, t family.Type, help string, labels ...string) *family.Family {
	return &family.Family{
		Name: name, Type: t, Help: help, Labels: slices.Concat(PodLabels, labels), Collector: collectorConnection,
	}
}

// TCP of pods, IPv4 and IPv6 together.
var (
	PodTCPConnections = connection("loadline_pod_tcp_connections", family.Gauge,
		"TCP connections of the pod, by state (established, syn_sent, syn_recv, fin_wait, time_wait, close_wait, last_ack, closing) and by where the peer is (pod: the same, node: the pod's node, cluster: a pod or a network of the cluster, outside). Counted anew within a minute of a change.",
		"state", "peer")
	PodTCPListenSockets = connection("loadline_pod_tcp_listen_sockets", family.Gauge,
		"TCP sockets of the pod that listen.")
	PodTCPAcceptQueueConnections = connection("loadline_pod_tcp_accept_queue_connections", family.Gauge,
		"Connections that wait to be accepted, at the pod's listening socket whose queue is the fullest.")
	PodTCPAcceptQueueLimit = connection("loadline_pod_tcp_accept_queue_limit", family.Gauge,
		"Connections that may wait to be accepted there: the program's backlog or net.core.somaxconn; when one more waits, further ones are dropped.")

	PodTCPAcceptQueueOverflows = connection("loadline_pod_tcp_accept_queue_overflows_total", family.Counter,
		"Times that a connection could not be put into an accept queue of the pod because it was full (ListenOverflows).")
	PodTCPListenDrops = connection("loadline_pod_tcp_listen_drops_total", family.Counter,
		"Connections to listening sockets of the pod that were dropped, for a full accept queue or another reason (ListenDrops).")
	PodTCPSegmentsSent = connection("loadline_pod_tcp_segments_sent_total", family.Counter,
		"TCP segments that the pod sent for the first time (OutSegs).")
	PodTCPSegmentsRetransmitted = connection("loadline_pod_tcp_segments_retransmitted_total", family.Counter,
		"TCP segments that the pod sent again (RetransSegs).")
	PodTCPConnectionsOpened = connection("loadline_pod_tcp_connections_opened_total", family.Counter,
		"TCP connections that the pod opened (outgoing: ActiveOpens) and that were opened to it (incoming: PassiveOpens).", "direction")
	PodTCPConnectionsFailed = connection("loadline_pod_tcp_connections_failed_total", family.Counter,
		"TCP connections of the pod that were not established (AttemptFails).")
	PodTCPConnectionsReset = connection("loadline_pod_tcp_connections_reset_total", family.Counter,
		"Established TCP connections of the pod that ended at once instead of being closed (EstabResets).")
	PodTCPResetsSent = connection("loadline_pod_tcp_resets_sent_total", family.Counter,
		"TCP resets that the pod sent (OutRsts): to what it does not listen on, or for connections that it broke off.")
)
