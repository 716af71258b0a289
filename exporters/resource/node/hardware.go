package node

import "github.com/loadline-exporters/loadline/internal/serve"

// hardwareCollectors are those of hardware, file systems and services.
func (e environment) hardwareCollectors() []serve.Collector {
	return []serve.Collector{
		{Name: "netclass", Collect: netclass{e.sys, e.match.hardware.netClass, e.netDevices, e.Hardware.Virtual, e.Hardware.IgnoreInvalidSpeed}.Collect},
	}
}

func (e environment) netdev() *netdev {
	return &netdev{proc: e.proc, sys: e.SysFS, wants: e.match.netDevices, devices: e.netDevices, virtual: e.Hardware.Virtual}
}
