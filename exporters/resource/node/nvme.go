package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// nvme serves NVMe controllers and their namespaces.
type nvme struct{ sys sysfs.FS }

// Collect reads /sys/class/nvme.
func (c nvme) Collect(_ context.Context, w *family.Writer) error {
	controllers, err := c.sys.NVMeClass()
	if err != nil {
		if unreadable(err) {
			return nil
		}
		return fmt.Errorf("read NVMe controllers: %w", err)
	}
	var errs []error
	for _, name := range sortedNames(controllers) {
		d := controllers[name]
		w.Series(metrics.NodeNVMeInfo).Add(1, name, d.FirmwareRevision, d.Model, d.Serial, d.State, d.ControllerID)
		seen := map[string]bool{}
		for _, n := range d.Namespaces {
			if seen[n.ID] {
				continue // with multipath, a namespace is there by itself and by its path
			}
			seen[n.ID] = true
			w.Series(metrics.NodeNVMeNamespaceInfo).Add(1, name, n.ID, n.ANAState)
			w.Series(metrics.NodeNVMeNamespaceCapacity).Add(float64(n.CapacityBytes), name, n.ID)
			w.Series(metrics.NodeNVMeNamespaceSize).Add(float64(n.SizeBytes), name, n.ID)
			w.Series(metrics.NodeNVMeNamespaceLogicalBlockSize).Add(float64(n.LogicalBlockSize), name, n.ID)
			used, err := n.UsedBlocks()
			if err != nil && !unreadable(err) {
				errs = append(errs, fmt.Errorf("NVMe namespace %s: %w", n.Name, err))
			}
			addIf(w.Series(metrics.NodeNVMeNamespaceUsed), used, float64(n.LogicalBlockSize), name, n.ID)
		}
	}
	return errors.Join(errs...)
}

// nvmeSubsystem serves the paths to NVMe subsystems, of which there are several
// with multipath and fabrics.
type nvmeSubsystem struct{ sys sysfs.FS }

// Collect reads /sys/class/nvme-subsystem.
func (c nvmeSubsystem) Collect(_ context.Context, w *family.Writer) error {
	subsystems, err := c.sys.NVMeSubsystemClass()
	if err != nil {
		if unreadable(err) {
			return nil
		}
		return fmt.Errorf("read NVMe subsystems: %w", err)
	}
	// The kernel's states (nvme_sysfs_show_state in drivers/nvme/host/sysfs.c).
	states := []string{"connecting", "dead", "deleting", "live", "new", "resetting", "unknown"}
	for _, s := range subsystems {
		w.Series(metrics.NodeNVMeSubsystemInfo).Add(1, s.Name, s.NQN, s.Model, s.Serial, s.IOPolicy)
		for _, device := range s.Namespaces {
			w.Series(metrics.NodeNVMeSubsystemNamespaceInfo).Add(1, s.Name, device)
		}
		live := 0
		for _, path := range s.Controllers {
			state := path.State
			if state == "deleting (no IO)" {
				state = "deleting"
			}
			if !slices.Contains(states, state) {
				state = "unknown"
			}
			if state == "live" {
				live++
			}
			for _, is := range states {
				w.Series(metrics.NodeNVMeSubsystemPathState).Add(truth(is == state), s.Name, path.Name, path.Transport, is)
			}
		}
		w.Series(metrics.NodeNVMeSubsystemPaths).Add(float64(len(s.Controllers)), s.Name)
		w.Series(metrics.NodeNVMeSubsystemPathsLive).Add(float64(live), s.Name)
	}
	return nil
}
