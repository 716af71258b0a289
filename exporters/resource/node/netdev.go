package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// netdev serves the counters of the network devices in the network namespace that
// the exporter runs in, which is the node's only on the host's network. Those of
// containers are summed.
type netdev struct {
	proc    procfs.FS
	sys     string
	wants   matcher
	devices *netDevices
	virtual VirtualMode

	sums netSums
}

// Collect reads /proc/net/dev, whose columns sum up the kernel's detailed counters
// as node_exporter does (net/core/net-procfs.c), and one file of /sys/class/net for
// each device that is listed. It runs once at a time.
func (c *netdev) Collect(_ context.Context, w *family.Writer) error {
	devices, err := c.proc.NetDev()
	if err != nil {
		return fmt.Errorf("read network devices: %w", err)
	}
	var errs []error
	var seen netDevicesSeen
	if c.virtual != VirtualList {
		if seen, err = c.devices.look(); err != nil {
			errs = append(errs, err)
		}
	}
	var virtual []netCounters
	for _, name := range slices.Sorted(maps.Keys(devices)) {
		if !c.wants.wants(name) {
			continue
		}
		if c.virtual != VirtualList && seen.isVirtual(name) {
			virtual = append(virtual, countersOf(seen.id(name), devices[name]))
			continue
		}
		addDevice(w, devices[name])
		errs = append(errs, c.noHandler(w.Series(metrics.NodeNetworkReceiveNoHandler), name))
	}
	if c.virtual == VirtualSum {
		c.sums.update(virtual)
		c.sums.add(w)
	}
	return errors.Join(errs...)
}

func addDevice(w *family.Writer, d procfs.NetDevLine) {
	for _, s := range []struct {
		family *family.Family
		value  uint64
	}{
		{metrics.NodeNetworkReceiveBytes, d.RxBytes},
		{metrics.NodeNetworkReceivePackets, d.RxPackets},
		{metrics.NodeNetworkReceiveErrs, d.RxErrors},
		{metrics.NodeNetworkReceiveDrop, d.RxDropped},
		{metrics.NodeNetworkReceiveFIFO, d.RxFIFO},
		{metrics.NodeNetworkReceiveFrame, d.RxFrame},
		{metrics.NodeNetworkReceiveCompressed, d.RxCompressed},
		{metrics.NodeNetworkReceiveMulticast, d.RxMulticast},
		{metrics.NodeNetworkTransmitBytes, d.TxBytes},
		{metrics.NodeNetworkTransmitPackets, d.TxPackets},
		{metrics.NodeNetworkTransmitErrs, d.TxErrors},
		{metrics.NodeNetworkTransmitDrop, d.TxDropped},
		{metrics.NodeNetworkTransmitFIFO, d.TxFIFO},
		{metrics.NodeNetworkTransmitColls, d.TxCollisions},
		{metrics.NodeNetworkTransmitCarrier, d.TxCarrier},
		{metrics.NodeNetworkTransmitCompressed, d.TxCompressed},
	} {
		w.Series(s.family).Add(float64(s.value), d.Name)
	}
}

// noHandler reads the one counter that /proc/net/dev lacks and procfs does not
// parse; node_exporter has it from netlink. It is missing before Linux 4.6 and for
// a device that just went.
func (c *netdev) noHandler(s *family.Series, device string) error {
	if !s.Enabled() {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(c.sys, "class/net", device, "statistics/rx_nohandler"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("network device %s: %w", device, err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		return fmt.Errorf("network device %s: rx_nohandler: %w", device, err)
	}
	s.Add(float64(n), device)
	return nil
}
