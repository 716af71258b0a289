package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// dmi serves what the firmware says of the machine.
type dmi struct {
	sys  sysfs.FS
	read *sysfs.DMIClass // nil until it was read: it is the same until the next boot
}

// Collect reads /sys/class/dmi/id once. It is missing on machines without DMI, as
// most that are not x86; some of its files are for root only. What is missing is
// an empty label.
func (c *dmi) Collect(_ context.Context, w *family.Writer) error {
	if c.read == nil {
		d, err := c.sys.DMIClass()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			d = &sysfs.DMIClass{}
		case err != nil:
			return fmt.Errorf("read firmware's tables: %w", err)
		}
		c.read = d
	}
	d := c.read
	labels, known := make([]string, 0, len(metrics.NodeDMIInfo.Labels)), false
	for _, v := range []*string{
		d.BiosDate, d.BiosRelease, d.BiosVendor, d.BiosVersion,
		d.BoardAssetTag, d.BoardName, d.BoardSerial, d.BoardVendor, d.BoardVersion,
		d.ChassisAssetTag, d.ChassisSerial, d.ChassisVendor, d.ChassisVersion,
		d.ProductFamily, d.ProductName, d.ProductSerial, d.ProductSKU, d.ProductUUID, d.ProductVersion,
		d.SystemVendor,
	} {
		if v == nil {
			labels = append(labels, "")
			continue
		}
		labels, known = append(labels, *v), true
	}
	if known {
		w.Series(metrics.NodeDMIInfo).Add(1, labels...)
	}
	return nil
}
