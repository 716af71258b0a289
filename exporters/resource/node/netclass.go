package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"

	"github.com/prometheus/procfs/sysfs"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// netclass serves what network devices are, and their state.
type netclass struct {
	sys          sysfs.FS
	wants        matcher
	devices      *netDevices
	virtual      VirtualMode
	invalidSpeed bool // leave out a speed that is not known
}

// Collect reads the files of /sys/class/net/<device>, of no device whose other end
// is in a container.
func (c netclass) Collect(_ context.Context, w *family.Writer) error {
	names, err := c.sys.NetClassDevices()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list network devices: %w", err)
	}
	var errs []error
	var seen netDevicesSeen
	if c.virtual != VirtualList {
		if seen, err = c.devices.look(); err != nil {
			errs = append(errs, err)
		}
	}
	for _, name := range names {
		if !c.wants.wants(name) || c.virtual != VirtualList && seen.isVirtual(name) {
			continue
		}
		device, err := c.sys.NetClassByIface(name)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV):
			// It just went.
		case err != nil:
			errs = append(errs, fmt.Errorf("network device %s: %w", name, err))
		default:
			c.add(w, device)
		}
	}
	return errors.Join(errs...)
}

func (c netclass) add(w *family.Writer, d *sysfs.NetClassIface) {
	w.Series(metrics.NodeNetworkUp).Add(truth(d.OperState == "up"), d.Name)
	w.Series(metrics.NodeNetworkInfo).Add(1, d.Name, d.Address, d.Broadcast, d.Duplex, d.OperState, adminState(d.Flags), d.IfAlias)
	speed := d.Speed
	if speed != nil {
		const megabit = 1000 * 1000 / 8
		v := *speed * megabit
		speed = &v
		if v < 0 && c.invalidSpeed {
			speed = nil
		}
	}
	for _, s := range []struct {
		name  string
		value *int64
	}{
		{"address_assign_type", d.AddrAssignType},
		{"carrier", d.Carrier},
		{"carrier_changes_total", d.CarrierChanges},
		{"carrier_up_changes_total", d.CarrierUpCount},
		{"carrier_down_changes_total", d.CarrierDownCount},
		{"device_id", d.DevID},
		{"dormant", d.Dormant},
		{"flags", d.Flags},
		{"iface_id", d.IfIndex},
		{"iface_link", d.IfLink},
		{"iface_link_mode", d.LinkMode},
		{"mtu_bytes", d.MTU},
		{"name_assign_type", d.NameAssignType},
		{"net_dev_group", d.NetDevGroup},
		{"speed_bytes", speed},
		{"transmit_queue_length", d.TxQueueLen},
		{"protocol_type", d.Type},
	} {
		addIf(w.Series(metrics.NodeNetworkClass.Of(s.name)), s.value, 1, d.Name)
	}
}

// addIf adds a sample of value times unit, if there is one.
func addIf[N int64 | uint64](s *family.Series, value *N, unit float64, labels ...string) {
	if value != nil {
		s.Add(float64(*value)*unit, labels...)
	}
}

// adminState is what the administrator wants a device to be.
func adminState(flags *int64) string {
	switch {
	case flags == nil:
		return "unknown"
	case *flags&int64(net.FlagUp) != 0:
		return "up"
	}
	return "down"
}
