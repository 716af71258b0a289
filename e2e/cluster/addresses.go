package cluster

import (
	"encoding/binary"
	"net"
	"net/netip"
)

const (
	// loopback is where a control plane without nodes listens.
	loopback = "127.0.0.1"
	// unreachable is an address for documentation (RFC 5737).
	unreachable = "192.0.2.1"
)

// addresses are those of a cluster.
type addresses struct {
	// host is where the control plane listens.
	host string
	// pods are those of pods, services those of services.
	pods, services netip.Prefix
}

// loopbackAddresses are those of a control plane without nodes: nobody routes
// services' addresses.
func loopbackAddresses() addresses {
	return addresses{host: loopback, services: netip.MustParsePrefix("10.96.0.0/16")}
}

// service is the nth address of services.
func (n addresses) service(nth uint32) net.IP {
	first := n.services.Addr().As4()
	return binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(first[:])+nth)
}
