package node

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/loadline-exporters/loadline/internal/serve"
)

// HardwareOptions say what the collectors of hardware leave out.
type HardwareOptions struct {
	Virtual VirtualMode // what becomes of containers' network devices

	NetClassIgnored      string // regular expression of network devices that netclass leaves out
	IgnoreInvalidSpeed   bool   // leave out a network device's speed that is not known
	HwmonChips           Filter // chips, by name
	HwmonSensors         Filter // sensors, by CHIP;SENSOR
	InfiniBandDevices    Filter
	TapesIgnored         string // regular expression of tape drives
	PowerSuppliesIgnored string // regular expression of power supplies
	RAPLZoneLabel        bool   // one family with a label for the zone
}

func defaultHardwareOptions() HardwareOptions {
	return HardwareOptions{
		Virtual: VirtualSum, NetClassIgnored: ignoreNothing, TapesIgnored: ignoreNothing, PowerSuppliesIgnored: ignoreNothing,
	}
}

// ignoreNothing is what node_exporter's --*.ignored-* flags are by default.
const ignoreNothing = "^$"

const (
	flagVirtual              = "collector.netdev.virtual"
	flagNetClassIgnored      = "collector.netclass.ignored-devices"
	flagHwmonChips           = "collector.hwmon.chip"
	flagHwmonSensors         = "collector.hwmon.sensor"
	flagInfiniBandDevices    = "collector.infiniband.device"
	flagTapesIgnored         = "collector.tapestats.ignored-devices"
	flagPowerSuppliesIgnored = "collector.powersupply.ignored-supplies"
)

func (o *HardwareOptions) addFlags(g serve.FlagGroup) {
	d := defaultHardwareOptions()
	g.Flag(flagVirtual, "What netdev and netclass do with network devices whose other end is in a container, such as veths: sum (count them and add them up), list (as any other), off.").
		Default(string(d.Virtual)).EnumVar((*string)(&o.Virtual), string(VirtualSum), string(VirtualList), string(VirtualOff))
	for flag, byDefault := range map[string]string{"collector.netdev.netlink": "true", "collector.netclass.netlink": "false"} {
		g.Flag(flag, "Without effect: network devices are read from /proc and /sys either way.").Default(byDefault).Bool()
	}
	ignored := func(to *string, flag, subject string) {
		g.Flag(flag, "Regular expression of the "+subject+" to leave out.").Default(ignoreNothing).StringVar(to)
	}
	ignored(&o.NetClassIgnored, flagNetClassIgnored, "network devices")
	ignored(&o.TapesIgnored, flagTapesIgnored, "tape drives")
	ignored(&o.PowerSuppliesIgnored, flagPowerSuppliesIgnored, "power supplies")
	g.Flag("collector.netclass.ignore-invalid-speed", "Leave out a network device's speed when it is not known.").BoolVar(&o.IgnoreInvalidSpeed)
	filter(g, &o.HwmonChips, flagHwmonChips, "chips of sensors", "")
	filter(g, &o.HwmonSensors, flagHwmonSensors, "sensors, as CHIP;SENSOR,", "")
	filter(g, &o.InfiniBandDevices, flagInfiniBandDevices, "InfiniBand devices", "")
	g.Flag("collector.rapl.enable-zone-label", "Serve the energy of all zones in one family with a label for the zone.").BoolVar(&o.RAPLZoneLabel)
}

type hardwareMatchers struct {
	netClass, hwmonChips, hwmonSensors, infiniBand, tapes, powerSupplies matcher
}

func (o HardwareOptions) matchers() (hardwareMatchers, error) {
	errs := []error{checkVirtualMode(o.Virtual)}
	ignored := func(flag, expr string) matcher {
		m, err := ignore(flag, expr)
		errs = append(errs, err)
		return m
	}
	compile := func(flag string, f Filter) matcher {
		m, err := f.compile(flag, Filter{})
		errs = append(errs, err)
		return m
	}
	m := hardwareMatchers{
		netClass:      ignored(flagNetClassIgnored, o.NetClassIgnored),
		hwmonChips:    compile(flagHwmonChips, o.HwmonChips),
		hwmonSensors:  compile(flagHwmonSensors, o.HwmonSensors),
		infiniBand:    compile(flagInfiniBandDevices, o.InfiniBandDevices),
		tapes:         ignored(flagTapesIgnored, o.TapesIgnored),
		powerSupplies: ignored(flagPowerSuppliesIgnored, o.PowerSuppliesIgnored),
	}
	return m, errors.Join(errs...)
}

// ignore is the filter of a flag that says what to leave out and has no opposite.
func ignore(flag, expr string) (matcher, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return matcher{}, fmt.Errorf("--%s: %w", flag, err)
	}
	return matcher{exclude: re}, nil
}
