package node

import (
	"fmt"
	"path/filepath"

	"github.com/prometheus/procfs/btrfs"
	"github.com/prometheus/procfs/xfs"

	"github.com/loadline-exporters/loadline/internal/serve"
)

// hardwareCollectors are those of hardware, file systems and services.
func (e environment) hardwareCollectors() ([]serve.Collector, error) {
	xfsFS, err := xfs.NewFS(e.ProcFS, e.SysFS)
	if err != nil {
		return nil, fmt.Errorf("xfs: %w", err)
	}
	btrfsFS, err := btrfs.NewFS(e.SysFS)
	if err != nil {
		return nil, fmt.Errorf("btrfs: %w", err)
	}
	class := func(name string) string { return filepath.Join(e.SysFS, "class", name) }
	h, m := e.Hardware, e.match.hardware
	return []serve.Collector{
		{Name: "netclass", Collect: netclass{e.sys, m.netClass, e.netDevices, h.Virtual, h.IgnoreInvalidSpeed}.Collect},
		{Name: "bonding", Collect: bonding{class("net")}.Collect},
		{Name: "cpufreq", Collect: cpufreq{e.sys}.Collect},
		{Name: "thermal_zone", Collect: thermal{e.sys}.Collect},
		{Name: "hwmon", Collect: hwmon{class("hwmon"), m.hwmonChips, m.hwmonSensors}.Collect},
		{Name: "powersupplyclass", Collect: powersupply{e.sys, m.powerSupplies}.Collect},
		{Name: "edac", Collect: edac{filepath.Join(e.SysFS, "devices/system/edac/mc")}.Collect},
		{Name: "watchdog", Collect: watchdog{e.sys}.Collect},
		{Name: "rapl", Collect: rapl{e.sys, h.RAPLZoneLabel}.Collect},
		{Name: "nvme", Collect: nvme{e.sys}.Collect},
		{Name: "nvmesubsystem", Collect: nvmeSubsystem{e.sys}.Collect},
		{Name: "mdadm", Collect: mdadm{e.proc, e.sys}.Collect},
		{Name: "tapestats", Collect: tapestats{e.sys, m.tapes}.Collect},
		{Name: "fibrechannel", Collect: fibrechannel{e.sys}.Collect},
		{Name: "infiniband", Collect: infiniband{e.sys, m.infiniBand}.Collect},
		{Name: "xfs", Collect: xfsStats{xfsFS}.Collect},
		{Name: "btrfs", Collect: btrfsStats{btrfsFS, &btrfsDevices{e.proc, e.RootFS, e.kernel.btrfs}}.Collect},
		{Name: "zfs", Collect: zfs{filepath.Join(e.ProcFS, "spl/kstat/zfs")}.Collect},
	}, nil
}

func (e environment) netdev() *netdev {
	return &netdev{proc: e.proc, sys: e.SysFS, wants: e.match.netDevices, devices: e.netDevices, virtual: e.Hardware.Virtual}
}
