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

	NetClassIgnored    string // regular expression of network devices that netclass leaves out
	IgnoreInvalidSpeed bool   // leave out a network device's speed that is not known
}

func defaultHardwareOptions() HardwareOptions {
	return HardwareOptions{Virtual: VirtualSum, NetClassIgnored: ignoreNothing}
}

// ignoreNothing is what node_exporter's --*.ignored-* flags are by default.
const ignoreNothing = "^$"

const (
	flagVirtual         = "collector.netdev.virtual"
	flagNetClassIgnored = "collector.netclass.ignored-devices"
)

func (o *HardwareOptions) addFlags(g serve.FlagGroup) {
	d := defaultHardwareOptions()
	g.Flag(flagVirtual, "What netdev and netclass do with network devices whose other end is in a container, such as veths: sum (count them and add them up), list (as any other), off.").
		Default(string(d.Virtual)).EnumVar((*string)(&o.Virtual), string(VirtualSum), string(VirtualList), string(VirtualOff))
	ignored := func(to *string, flag, subject string) {
		g.Flag(flag, "Regular expression of the "+subject+" to leave out.").Default(ignoreNothing).StringVar(to)
	}
	ignored(&o.NetClassIgnored, flagNetClassIgnored, "network devices")
	g.Flag("collector.netclass.ignore-invalid-speed", "Leave out a network device's speed when it is not known.").BoolVar(&o.IgnoreInvalidSpeed)
}

type hardwareMatchers struct{ netClass matcher }

func (o HardwareOptions) matchers() (hardwareMatchers, error) {
	errs := []error{checkVirtualMode(o.Virtual)}
	ignored := func(flag, expr string) matcher {
		m, err := ignore(flag, expr)
		errs = append(errs, err)
		return m
	}
	m := hardwareMatchers{netClass: ignored(flagNetClassIgnored, o.NetClassIgnored)}
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
