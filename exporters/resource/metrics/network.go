package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// PodLabels begin the families of pods.
var PodLabels = []string{"namespace", "pod", "workload", "workload_type"}

const collectorNetwork = "network"

func network(name, unit, help string) *family.Family {
	return &family.Family{
		Name: name, Type: family.Counter, Unit: unit, Help: help, Labels: slices.Concat(ContainerLabels, []string{"interface"}),
		Compat: family.Container, Collector: collectorNetwork,
	}
}

// Interfaces of pods, once a pod: in Kubernetes on its sandbox, elsewhere on the
// container. A pod on the node's own network has none: they would be the node's.
var (
	ContainerNetworkReceiveBytes = network("container_network_receive_bytes_total", "bytes",
		"Bytes that the pod's interface received.")
	ContainerNetworkReceivePackets = network("container_network_receive_packets_total", "",
		"Packets that the pod's interface received.")
	ContainerNetworkReceiveDropped = network("container_network_receive_packets_dropped_total", "",
		"Packets that the pod's interface received and dropped.")
	ContainerNetworkReceiveErrors = network("container_network_receive_errors_total", "",
		"Errors of the pod's interface while receiving.")
	ContainerNetworkTransmitBytes = network("container_network_transmit_bytes_total", "bytes",
		"Bytes that the pod's interface sent.")
	ContainerNetworkTransmitPackets = network("container_network_transmit_packets_total", "",
		"Packets that the pod's interface sent.")
	ContainerNetworkTransmitDropped = network("container_network_transmit_packets_dropped_total", "",
		"Packets that the pod's interface was to send and dropped.")
	ContainerNetworkTransmitErrors = network("container_network_transmit_errors_total", "",
		"Errors of the pod's interface while sending.")
)

// connectionTable lists the families of the network of pods: interfaces,
// connections, listening sockets.
func connectionTable() family.Table {
	return family.Table{
		ContainerNetworkReceiveBytes, ContainerNetworkReceivePackets, ContainerNetworkReceiveDropped, ContainerNetworkReceiveErrors,
		ContainerNetworkTransmitBytes, ContainerNetworkTransmitPackets, ContainerNetworkTransmitDropped, ContainerNetworkTransmitErrors,
		PodTCPConnections, PodTCPListenSockets, PodTCPAcceptQueueConnections, PodTCPAcceptQueueLimit,
		PodTCPAcceptQueueOverflows, PodTCPListenDrops, PodTCPSegmentsSent, PodTCPSegmentsRetransmitted,
		PodTCPConnectionsOpened, PodTCPConnectionsFailed, PodTCPConnectionsReset, PodTCPResetsSent,
	}
}
