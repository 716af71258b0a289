package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// rapl serves the energy that CPUs and memory take. Reading it needs root.
type rapl struct {
	sys       sysfs.FS
	zoneLabel bool // one family with a label for the zone, instead of a family a zone
}

// notInNames are the characters that a metric's name cannot have.
var notInNames = regexp.MustCompile(`[^a-zA-Z0-9_]+`)

// Collect reads /sys/class/powercap.
func (c rapl) Collect(_ context.Context, w *family.Writer) error {
	zones, err := sysfs.GetRaplZones(c.sys)
	if err != nil {
		if unreadable(err) {
			return nil
		}
		return fmt.Errorf("list RAPL zones: %w", err)
	}
	other := others{w: w}
	var errs []error
	for _, z := range zones {
		energy, err := z.GetEnergyMicrojoules()
		if err != nil {
			if !unreadable(err) {
				errs = append(errs, fmt.Errorf("RAPL zone %s: %w", z.Name, err))
			}
			continue
		}
		joules := float64(energy) / 1e6
		// As the node has it, wherever its sysfs is mounted for the exporter.
		index, path := strconv.Itoa(z.Index), "/sys/class/powercap/"+filepath.Base(z.Path)
		if c.zoneLabel {
			w.Series(metrics.NodeRAPLJoules).Add(joules, index, path, z.Name)
			continue
		}
		name := notInNames.ReplaceAllString(z.Name, "_") + "_joules_total"
		if f := metrics.NodeRAPL.Of(name); f != nil {
			w.Series(f).Add(joules, index, path)
			continue
		}
		other.add(&family.Family{
			Name: "node_rapl_" + name, Type: family.Counter, Help: "Energy that zone " + z.Name + " took.",
			Labels: []string{"index", "path"}, Compat: family.Node, Collector: "rapl",
		}, joules, index, path)
	}
	return errors.Join(append(errs, other.errs...)...)
}
