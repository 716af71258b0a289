package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// bonding serves how many devices each bond has, and how many of them work. No
// library parses its files.
type bonding struct{ dir string } // /sys/class/net

// Collect reads bonding_masters, which is missing while the kernel's module is, and
// the state of each device of each bond.
func (c bonding) Collect(_ context.Context, w *family.Writer) error {
	masters, err := readSysFile(filepath.Join(c.dir, "bonding_masters"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list bonds: %w", err)
	}
	var errs []error
	for master := range strings.FieldsSeq(masters) {
		slaves, active, err := c.bond(filepath.Join(c.dir, filepath.Base(master)))
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // it just went
				errs = append(errs, fmt.Errorf("bond %s: %w", master, err))
			}
			continue
		}
		w.Series(metrics.NodeBondingSlaves).Add(float64(slaves), master)
		w.Series(metrics.NodeBondingActive).Add(float64(active), master)
	}
	return errors.Join(errs...)
}

// bond counts the devices of a bond. The links to them were called slave_ before
// Linux 3.13.
func (c bonding) bond(dir string) (slaves, active int, err error) {
	names, err := readSysFile(filepath.Join(dir, "bonding/slaves"))
	if err != nil {
		return 0, 0, err
	}
	for name := range strings.FieldsSeq(names) {
		const state = "bonding_slave/mii_status"
		link, err := readSysFile(filepath.Join(dir, "lower_"+filepath.Base(name), state))
		if errors.Is(err, fs.ErrNotExist) {
			link, err = readSysFile(filepath.Join(dir, "slave_"+filepath.Base(name), state))
		}
		if err != nil {
			return 0, 0, err
		}
		slaves++
		if link == "up" {
			active++
		}
	}
	return slaves, active, nil
}
