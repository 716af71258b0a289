package network

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
)

// maxAddresses bounds what is kept of a pod's addresses.
const maxAddresses = 64

// addresses are those of the interfaces in the namespace that the thread is in, with
// their networks; without loopback's.
func addresses() ([]netip.Prefix, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list the addresses of a network namespace: %w", err)
	}
	return prefixes(all), nil
}

func prefixes(all []net.Addr) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if !ok {
			continue
		}
		address, ok := netip.AddrFromSlice(n.IP)
		ones, _ := n.Mask.Size()
		if address = address.Unmap(); ok && !address.IsLoopback() {
			out = append(out, netip.PrefixFrom(address, ones))
		}
	}
	return out
}

// nodeAddresses are what is known of the node's own network.
type nodeAddresses struct {
	own      []netip.Prefix
	ways     []netip.Addr // by which it reaches the world
	services []netip.Prefix
}

// readNode reads them in the namespace that the thread is in.
func readNode() (n nodeAddresses, err error) {
	if n.own, err = addresses(); err != nil {
		return n, err
	}
	n.ways = ways()
	// kube-proxy in mode ipvs puts the addresses of all services on a device that
	// exists for that alone.
	if device, err := net.InterfaceByName("kube-ipvs0"); err == nil {
		if all, err := device.Addrs(); err == nil {
			n.services = prefixes(all)
			n.own = slices.DeleteFunc(n.own, func(p netip.Prefix) bool { return slices.Contains(n.services, p) })
		}
	}
	return n, nil
}

// ways are the addresses from which the namespace that the thread is in would reach
// the world: the kernel chooses one when a datagram socket is connected, which sends
// nothing. The destinations are documentation's (RFC 5737, RFC 3849), which nobody
// has a route to but the default one.
func ways() []netip.Addr {
	var out []netip.Addr
	for family, to := range map[int]unix.Sockaddr{
		unix.AF_INET:  &unix.SockaddrInet4{Port: 9, Addr: [4]byte{192, 0, 2, 1}},
		unix.AF_INET6: &unix.SockaddrInet6{Port: 9, Addr: [16]byte{0x20, 0x01, 0x0d, 0xb8, 15: 1}},
	} {
		fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			continue
		}
		if unix.Connect(fd, to) == nil {
			switch from, _ := unix.Getsockname(fd); from := from.(type) {
			case *unix.SockaddrInet4:
				out = append(out, netip.AddrFrom4(from.Addr))
			case *unix.SockaddrInet6:
				out = append(out, netip.AddrFrom16(from.Addr))
			}
		}
		unix.Close(fd)
	}
	return out
}

// newNeighbourhood joins what is known of the node, of the pods on it, and what the
// operator named.
func newNeighbourhood(node nodeAddresses, pods [][]netip.Prefix, named []netip.Prefix) *neighbourhood {
	n := &neighbourhood{
		node: map[netip.Addr]struct{}{}, inside: map[netip.Addr]struct{}{}, cluster: slices.Clone(named),
	}
	for _, p := range node.own {
		n.node[p.Addr()] = struct{}{}
	}
	for _, p := range node.services {
		n.inside[p.Addr()] = struct{}{}
	}
	for _, own := range pods {
		for _, p := range own {
			if p.Addr().IsLinkLocalUnicast() {
				continue
			}
			n.inside[p.Addr()] = struct{}{}
			if network := p.Masked(); !network.IsSingleIP() && learnable(network, node.ways) && !slices.Contains(n.cluster, network) {
				n.cluster = append(n.cluster, network)
			}
		}
	}
	return n
}
