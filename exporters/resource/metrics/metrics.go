// Package metrics is the one table of the families that the resource exporter
// emits. It is the best page to start reading the exporter at: what stands here is
// what the documentation says, what rules may use and what flags turn off.
package metrics

import (
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// Table lists every family of the exporter, in the order of exposition.
func Table() family.Table {
	return slices.Concat(
		nodeTable(), kernelTable(), hardwareTable(),
		containerTable(), workloadTable(), storageTable(), connectionTable(), taskTable(),
	)
}

// Optional are the collectors that are off unless --collector.NAME turns them on:
// what node_exporter has off by default too, or what costs more than most need.
func Optional() []string {
	return slices.Concat(kernelOptional(), hardwareOptional(), []string{"container-tasks"})
}
