package network

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
)

func prefixesOf(list string) (out []netip.Prefix) {
	for _, s := range strings.Fields(list) {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func TestPeersAreToldByTheirAddress(t *testing.T) {
	node := nodeAddresses{
		own:      prefixesOf("192.168.1.10/24 10.88.0.1/16 fe80::1/64 2001:db8:1::10/64"),
		ways:     []netip.Addr{netip.MustParseAddr("192.168.1.10"), netip.MustParseAddr("2001:db8:1::10")},
		services: prefixesOf("10.96.0.1/32"),
	}
	pods := [][]netip.Prefix{
		prefixesOf("10.88.0.5/16 fd00:1::5/64 fe80::5/64"),
		prefixesOf("192.168.1.77/24"),      // macvlan
		prefixesOf("100.65.0.9/32"),        // routed, as with Calico and the clouds
		prefixesOf("203.0.113.9/24"),       // public
		prefixesOf("8.8.8.8/0 10.9.9.9/4"), // says what it likes
	}
	n := newNeighbourhood(node, pods, prefixesOf("10.244.0.0/16"))
	own := pods[0]
	for name, test := range map[string]struct {
		local, remote string
		want          string
	}{
		"loopback":                                         {"127.0.0.1", "127.0.0.1", "pod"},
		"another loopback address":                         {"127.0.0.1", "127.0.0.9", "pod"},
		"loopback of IPv6":                                 {"::1", "::1", "pod"},
		"from loopback to the own address":                 {"127.0.0.1", "10.88.0.5", "pod"},
		"the own address":                                  {"10.88.0.5", "10.88.0.5", "pod"},
		"another own address":                              {"10.88.0.5", "fd00:1::5", "pod"},
		"an own address that is not known yet":             {"10.77.0.5", "10.77.0.5", "pod"},
		"the node by its address":                          {"10.88.0.5", "192.168.1.10", "node"},
		"the node by its bridge":                           {"10.88.0.5", "10.88.0.1", "node"},
		"the node by IPv6":                                 {"fd00:1::5", "2001:db8:1::10", "node"},
		"a pod beside it":                                  {"10.88.0.5", "10.88.0.6", "cluster"},
		"a pod beside it by IPv6":                          {"fd00:1::5", "fd00:1::6", "cluster"},
		"a pod of this node on another network":            {"10.88.0.5", "100.65.0.9", "cluster"},
		"a pod of this node with a public address":         {"10.88.0.5", "203.0.113.9", "cluster"},
		"a pod of this node on the node's own network":     {"10.88.0.5", "192.168.1.77", "cluster"},
		"what is named as the cluster's":                   {"10.88.0.5", "10.244.7.7", "cluster"},
		"a service on the node's device for services":      {"10.88.0.5", "10.96.0.1", "cluster"},
		"a machine on the node's network":                  {"10.88.0.5", "192.168.1.11", "outside"},
		"a neighbour of a pod with a routed address":       {"10.88.0.5", "100.65.0.10", "outside"},
		"a neighbour of a pod with a public address":       {"10.88.0.5", "203.0.113.10", "outside"},
		"the internet, whatever a pod says of its network": {"10.88.0.5", "1.1.1.1", "outside"},
		"a private network, whatever a pod says":           {"10.88.0.5", "10.10.10.10", "outside"},
		"a service that nothing is known of":               {"10.88.0.5", "10.96.0.10", "outside"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &socket{local: netip.MustParseAddr(test.local), remote: netip.MustParseAddr(test.remote)}
			if got := peerNames[n.of(s, own)]; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestTheNodesAddressesAreReadWithTheWayToTheWorld(t *testing.T) {
	r := newRealPods(t, "node")
	ip(t, r.pid["node"], "link", "add", "out", "type", "veth", "peer", "name", "router")
	ip(t, r.pid["node"], "address", "add", "192.168.7.10/24", "dev", "out")
	ip(t, r.pid["node"], "link", "add", "kube-ipvs0", "type", "bridge")
	ip(t, r.pid["node"], "address", "add", "10.96.0.1/32", "dev", "kube-ipvs0")
	ip(t, r.pid["node"], "link", "set", "router", "up")
	ip(t, r.pid["node"], "link", "set", "out", "up")
	ip(t, r.pid["node"], "route", "add", "default", "via", "192.168.7.1")
	var got nodeAddresses
	r.in("node", func() (err error) {
		got, err = readNode()
		return err
	})
	got.own = slices.DeleteFunc(got.own, func(p netip.Prefix) bool { return p.Addr().IsLinkLocalUnicast() })
	if !slices.Equal(got.own, prefixesOf("192.168.7.10/24")) || !slices.Equal(got.services, prefixesOf("10.96.0.1/32")) {
		t.Errorf("got %v", got)
	}
	if !slices.Contains(got.ways, netip.MustParseAddr("192.168.7.10")) {
		t.Errorf("the way is %v", got.ways)
	}
}

func TestNamedNetworksAreChecked(t *testing.T) {
	for args, want := range map[string]string{
		"":                                    "[] <nil>",
		"--network.cluster-cidr=10.96.1.1/12": "[10.96.0.0/12] <nil>",
		"--network.cluster-cidr=10.0.0.0/8 --network.cluster-cidr=fd00::/8": "[10.0.0.0/8 fd00::/8] <nil>",
		"--network.cluster-cidr=10.0.0.0":                                   `[] --network.cluster-cidr: netip.ParsePrefix("10.0.0.0"): no '/'`,
	} {
		var o Options
		app := kingpin.New("test", "")
		o.AddFlags(app)
		if _, err := app.Parse(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		got, err := o.Cluster()
		if show := strings.TrimSpace(showPrefixes(got) + " " + showError(err)); show != want {
			t.Errorf("%s: got %s, want %s", args, show, want)
		}
	}
}

func showPrefixes(list []netip.Prefix) string {
	out := []string{}
	for _, p := range list {
		out = append(out, p.String())
	}
	return "[" + strings.Join(out, " ") + "]"
}

func showError(err error) string {
	if err == nil {
		return "<nil>"
	}
	return err.Error()
}
