package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// ipvs serves the kernel's load balancer, on which kube-proxy's mode of that name
// and Swarm build.
type ipvs struct {
	proc   procfs.FS
	labels ipvsLabels
}

// ipvsLabels says which of metrics.IPVSBackendLabels tell backends apart. The
// others are empty, and backends that are then the same are summed.
type ipvsLabels [6]bool

// newIPVSLabels reads a comma-separated list. A name that is not a label's is an
// error that says so.
func newIPVSLabels(list string) (l ipvsLabels, err error) {
	all := metrics.IPVSBackendLabels()
	for _, name := range strings.Split(list, ",") {
		if name == "" {
			continue
		}
		i := slices.Index(all, name)
		if i < 0 {
			return l, fmt.Errorf("--%s: %q is none of %s", flagIPVSLabels, name, strings.Join(all, ", "))
		}
		l[i] = true
	}
	return l, nil
}

// ipvsBackend are the values of a backend's labels.
type ipvsBackend [len(ipvsLabels{})]string

type ipvsCounts struct{ active, inactive, weight uint64 }

// Collect reads /proc/net/ip_vs_stats and ip_vs, which are missing while the
// kernel's module is not loaded.
func (c ipvs) Collect(_ context.Context, w *family.Writer) error {
	s, err := c.proc.IPVSStats()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read statistics of IPVS: %w", err)
	}
	w.Series(metrics.NodeIPVSConnections).Add(float64(s.Connections))
	w.Series(metrics.NodeIPVSIncomingPackets).Add(float64(s.IncomingPackets))
	w.Series(metrics.NodeIPVSOutgoingPackets).Add(float64(s.OutgoingPackets))
	w.Series(metrics.NodeIPVSIncomingBytes).Add(float64(s.IncomingBytes))
	w.Series(metrics.NodeIPVSOutgoingBytes).Add(float64(s.OutgoingBytes))
	backends, err := c.proc.IPVSBackendStatus()
	if err != nil {
		return fmt.Errorf("read backends of IPVS: %w", err)
	}
	sums := map[ipvsBackend]ipvsCounts{}
	for i := range backends {
		b := &backends[i]
		at := c.labels.of(b)
		sum := sums[at]
		sums[at] = ipvsCounts{sum.active + b.ActiveConn, sum.inactive + b.InactConn, sum.weight + b.Weight}
	}
	for _, at := range slices.SortedFunc(maps.Keys(sums), func(a, b ipvsBackend) int { return slices.Compare(a[:], b[:]) }) {
		sum := sums[at]
		w.Series(metrics.NodeIPVSBackendActive).Add(float64(sum.active), at[:]...)
		w.Series(metrics.NodeIPVSBackendInactive).Add(float64(sum.inactive), at[:]...)
		w.Series(metrics.NodeIPVSBackendWeight).Add(float64(sum.weight), at[:]...)
	}
	return nil
}

func (l ipvsLabels) of(b *procfs.IPVSBackendStatus) ipvsBackend {
	local := ""
	if b.LocalAddress != nil { // it is not for services by firewall mark
		local = b.LocalAddress.String()
	}
	at := ipvsBackend{
		local, strconv.FormatUint(uint64(b.LocalPort), 10),
		b.RemoteAddress.String(), strconv.FormatUint(uint64(b.RemotePort), 10), b.Proto, b.LocalMark,
	}
	for i, on := range l {
		if !on {
			at[i] = ""
		}
	}
	return at
}
