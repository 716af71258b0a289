package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// hardwareTable lists the families of hardware, file systems and services: the collectors cpufreq to systemd.
func hardwareTable() family.Table {
	return slices.Concat(netDevicesTable())
}

// hardwareOptional are the collectors of them that are off by default.
func hardwareOptional() []string { return nil }
