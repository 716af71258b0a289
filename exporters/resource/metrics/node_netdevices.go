package metrics

import "github.com/loadline-exporters/loadline/internal/family"

// The families of network devices whose other end is in a container: they come and
// go with containers, so they are counted and summed. The counters keep what
// devices had that are gone. They belong to collector netdev.
var (
	NodeVirtualNetworkInterfaces = &family.Family{
		Name: "loadline_node_virtual_network_interfaces", Type: family.Gauge, Collector: "netdev",
		Help: "Network devices whose other end is in a container, such as veths, which are summed and not listed.",
	}
	NodeVirtualNetworkReceiveBytes    = virtualNetCounter("receive_bytes", "bytes", "Bytes that the node received from containers' network devices, those that are gone included.")
	NodeVirtualNetworkReceivePackets  = virtualNetCounter("receive_packets", "", "Packets that the node received from containers' network devices.")
	NodeVirtualNetworkReceiveErrs     = virtualNetCounter("receive_errs", "", "Packets received from containers' network devices that were bad.")
	NodeVirtualNetworkReceiveDrop     = virtualNetCounter("receive_drop", "", "Packets received from containers' network devices that were dropped.")
	NodeVirtualNetworkTransmitBytes   = virtualNetCounter("transmit_bytes", "bytes", "Bytes that the node sent to containers' network devices, those that are gone included.")
	NodeVirtualNetworkTransmitPackets = virtualNetCounter("transmit_packets", "", "Packets that the node sent to containers' network devices.")
	NodeVirtualNetworkTransmitErrs    = virtualNetCounter("transmit_errs", "", "Packets that could not be sent to containers' network devices.")
	NodeVirtualNetworkTransmitDrop    = virtualNetCounter("transmit_drop", "", "Packets to containers' network devices that were dropped before they were sent.")
)

func virtualNetCounter(name, unit, help string) *family.Family {
	return &family.Family{
		Name: "loadline_node_virtual_network_" + name + "_total", Type: family.Counter, Help: help, Unit: unit, Collector: "netdev",
	}
}

// The families of collector netclass: /sys/class/net/<device>
// (Documentation/ABI/testing/sysfs-class-net).
var (
	NodeNetworkUp = nodeGauge("netclass", "node_network_up", "",
		"Whether a network device's operational state is up.", "device")
	NodeNetworkInfo = nodeGauge("netclass", "node_network_info", "",
		"Addresses, duplex mode, states and alias of a network device, always 1.",
		"device", "address", "broadcast", "duplex", "operstate", "adminstate", "ifalias")
	// NodeNetworkClass are the families with a number of a network device each.
	NodeNetworkClass = group("netclass", "node_network_", []string{"device"}, [][2]string{
		{"address_assign_type", "Where the hardware address comes from: 0 the device, 1 chance, 2 another device, 3 the administrator."},
		{"carrier", "Whether there is a link."},
		{"carrier_changes_total", "Times the link came or went."},
		{"carrier_up_changes_total", "Times the link came."},
		{"carrier_down_changes_total", "Times the link went."},
		{"device_id", "Tells devices that share a hardware address apart."},
		{"dormant", "Whether the device waits for an event, such as authentication."},
		{"flags", "The device's flags (IFF_UP is 1), as netdevice(7) has them."},
		{"iface_id", "The kernel's number of the device."},
		{"iface_link", "The number of the device that this one is linked to, its own when to none."},
		{"iface_link_mode", "How the operational state is set: 0 by the driver, 1 dormant."},
		{"mtu_bytes", "Largest packet that the device sends."},
		{"name_assign_type", "Where the name comes from: 1 the kernel, 2 predictable, 3 user space, 4 renamed."},
		{"net_dev_group", "The group that the device was put in."},
		{"speed_bytes", "Speed of the link in bytes a second; negative when unknown."},
		{"transmit_queue_length", "Packets that the queue for sending holds."},
		{"protocol_type", "Hardware type of the device (ARPHRD_ETHER is 1)."},
	})
)

// netDevicesTable are the families above.
func netDevicesTable() family.Table {
	return append(family.Table{
		NodeVirtualNetworkInterfaces, NodeVirtualNetworkReceiveBytes, NodeVirtualNetworkReceivePackets,
		NodeVirtualNetworkReceiveErrs, NodeVirtualNetworkReceiveDrop, NodeVirtualNetworkTransmitBytes,
		NodeVirtualNetworkTransmitPackets, NodeVirtualNetworkTransmitErrs, NodeVirtualNetworkTransmitDrop,
		NodeNetworkUp, NodeNetworkInfo,
	}, NodeNetworkClass.Table...)
}
