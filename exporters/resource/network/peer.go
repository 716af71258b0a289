package network

import (
	"net/netip"
)

// peer is where the other end of a connection is.
type peer uint8

// The peers, from near to far.
const (
	peerPod     peer = iota // in the same pod
	peerNode                // the node itself
	peerCluster             // another pod, or a service
	peerOutside
	peers
)

// peerNames are the values of the label peer.
var peerNames = [peers]string{"pod", "node", "cluster", "outside"}

// neighbourhood tells where an address is.
//
// The kernel knows a node's addresses and those of the pods on it. Of the rest of a
// cluster it has no list: other nodes' pods and the addresses of services are known by
// the networks that the operator names, and by those that pods of this node are on.
type neighbourhood struct {
	node    map[netip.Addr]struct{}
	inside  map[netip.Addr]struct{} // pods of this node, services on a device of it
	cluster []netip.Prefix
}

// of tells where the other end of a connection is; own are the pod's addresses.
func (n *neighbourhood) of(s *socket, own []netip.Prefix) peer {
	// What is sent to an own address has that as its source too, unless the program
	// chose another.
	if s.remote == s.local || s.remote.IsLoopback() || s.local.IsLoopback() || isOwn(s.remote, own) {
		return peerPod
	}
	if _, ok := n.node[s.remote]; ok {
		return peerNode
	}
	if _, ok := n.inside[s.remote]; ok {
		return peerCluster
	}
	for _, p := range n.cluster {
		if p.Contains(s.remote) {
			return peerCluster
		}
	}
	return peerOutside
}

func isOwn(a netip.Addr, own []netip.Prefix) bool {
	for _, p := range own {
		if p.Addr() == a {
			return true
		}
	}
	return false
}

// privateNetworks are those that pods' networks are learnt in without being told: what
// a pod says of itself can be wrong on purpose, and must not make the internet a part
// of the cluster. RFC 1918, RFC 6598, RFC 4193.
var privateNetworks = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fc00::/7"),
}

// learnable says whether the network of a pod's interface can be taken for one of
// pods: it is private, and not the network by which the node reaches the world, which
// a pod with macvlan is on, and half the data centre with it.
func learnable(network netip.Prefix, ways []netip.Addr) bool {
	for _, way := range ways {
		if network.Contains(way) {
			return false
		}
	}
	for _, p := range privateNetworks {
		if p.Bits() <= network.Bits() && p.Contains(network.Addr()) {
			return true
		}
	}
	return false
}
