package network

import (
	"fmt"
	"net/netip"

	"github.com/loadline-exporters/loadline/internal/serve"
)

// Options are what an operator says of the network.
type Options struct {
	clusterCIDRs []string
}

// AddFlags adds the flags.
func (o *Options) AddFlags(g serve.FlagGroup) {
	g.Flag("network.cluster-cidr", "Network of the cluster's pods or services, such as 10.96.0.0/12; can be repeated. Peers in it count as in the cluster, besides those on the private networks that pods of this node are on.").
		StringsVar(&o.clusterCIDRs)
}

// Cluster are the networks that are named; a bad one is an error that says which.
func (o *Options) Cluster() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range o.clusterCIDRs {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("--network.cluster-cidr: %w", err)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
