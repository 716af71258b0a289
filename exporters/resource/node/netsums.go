package node

import (
	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// netValues are the counters of a network device that are summed: bytes, packets,
// errors and drops received, then those sent.
type netValues [8]uint64

// netCounters are one device's.
type netCounters struct {
	id     netDeviceID
	values netValues
}

func countersOf(id netDeviceID, d procfs.NetDevLine) netCounters {
	return netCounters{id, netValues{
		d.RxBytes, d.RxPackets, d.RxErrors, d.RxDropped, d.TxBytes, d.TxPackets, d.TxErrors, d.TxDropped,
	}}
}

// netSums adds up the counters of devices that come and go. A sum never falls: what
// a device had when it was last seen stays in it. What a device counts after that,
// and one that came and went between two scrapes, is not known.
type netSums struct {
	gone netValues
	last map[netDeviceID]netValues
}

// update takes the devices that are there now.
func (s *netSums) update(now []netCounters) {
	next := make(map[netDeviceID]netValues, len(now))
	for _, d := range now {
		next[d.id] = d.values
		for i, was := range s.last[d.id] {
			if d.values[i] < was {
				s.gone[i] += was // the driver was reset, or it is another device of this name
			}
		}
	}
	for id, values := range s.last {
		if _, here := next[id]; !here {
			for i, v := range values {
				s.gone[i] += v
			}
		}
	}
	s.last = next
}

func (s *netSums) add(w *family.Writer) {
	total := s.gone
	for _, values := range s.last {
		for i, v := range values {
			total[i] += v
		}
	}
	w.Series(metrics.NodeVirtualNetworkInterfaces).Add(float64(len(s.last)))
	for i, f := range [len(netValues{})]*family.Family{
		metrics.NodeVirtualNetworkReceiveBytes, metrics.NodeVirtualNetworkReceivePackets,
		metrics.NodeVirtualNetworkReceiveErrs, metrics.NodeVirtualNetworkReceiveDrop,
		metrics.NodeVirtualNetworkTransmitBytes, metrics.NodeVirtualNetworkTransmitPackets,
		metrics.NodeVirtualNetworkTransmitErrs, metrics.NodeVirtualNetworkTransmitDrop,
	} {
		w.Series(f).Add(float64(total[i]))
	}
}
