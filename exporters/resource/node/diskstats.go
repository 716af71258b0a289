package node

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/procfs/blockdevice"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// diskstats serves the counters of block devices and what udev knows of them.
type diskstats struct {
	block blockdevice.FS
	udev  udev
	wants matcher
}

// Collect reads /proc/diskstats and, for each device that is wanted, udev's data
// and /sys/block/<device>/queue/rotational.
func (c diskstats) Collect(_ context.Context, w *family.Writer) error {
	disks, err := c.block.ProcDiskstats()
	if err != nil {
		return fmt.Errorf("read disk statistics: %w", err)
	}
	var errs []error
	for _, d := range disks {
		if !c.wants.wants(d.DeviceName) {
			continue
		}
		properties, err := c.udev.properties(d.MajorNumber, d.MinorNumber)
		if err != nil {
			errs = append(errs, fmt.Errorf("block device %s: %w", d.DeviceName, err))
		}
		addDisk(w, d)
		w.Series(metrics.NodeDiskInfo).Add(1, d.DeviceName,
			strconv.FormatUint(uint64(d.MajorNumber), 10), strconv.FormatUint(uint64(d.MinorNumber), 10),
			properties["ID_PATH"], properties["ID_WWN"], properties["ID_MODEL"], properties.serial(),
			properties["ID_REVISION"], c.rotational(d.DeviceName))
		addUdev(w, d.DeviceName, properties)
	}
	return errors.Join(errs...)
}

// addDisk serves as many columns as the kernel has: 11 at first, discards since
// Linux 4.18, flushes since 5.5 (Documentation/admin-guide/iostats.rst).
func addDisk(w *family.Writer, d blockdevice.Diskstats) {
	const (
		sector = 512  // bytes, whatever the device's own sectors are
		second = 1000 // of the kernel's milliseconds
		names  = 3    // the first columns: major, minor, name
	)
	columns := []struct {
		family *family.Family
		value  float64
	}{
		{metrics.NodeDiskReadsCompleted, float64(d.ReadIOs)},
		{metrics.NodeDiskReadsMerged, float64(d.ReadMerges)},
		{metrics.NodeDiskReadBytes, float64(d.ReadSectors) * sector},
		{metrics.NodeDiskReadTime, float64(d.ReadTicks) / second},
		{metrics.NodeDiskWritesCompleted, float64(d.WriteIOs)},
		{metrics.NodeDiskWritesMerged, float64(d.WriteMerges)},
		{metrics.NodeDiskWrittenBytes, float64(d.WriteSectors) * sector},
		{metrics.NodeDiskWriteTime, float64(d.WriteTicks) / second},
		{metrics.NodeDiskIONow, float64(d.IOsInProgress)},
		{metrics.NodeDiskIOTime, float64(d.IOsTotalTicks) / second},
		{metrics.NodeDiskIOTimeWeighted, float64(d.WeightedIOTicks) / second},
		{metrics.NodeDiskDiscardsCompleted, float64(d.DiscardIOs)},
		{metrics.NodeDiskDiscardsMerged, float64(d.DiscardMerges)},
		{metrics.NodeDiskDiscardedSectors, float64(d.DiscardSectors)},
		{metrics.NodeDiskDiscardTime, float64(d.DiscardTicks) / second},
		{metrics.NodeDiskFlushRequests, float64(d.FlushRequestsCompleted)},
		{metrics.NodeDiskFlushRequestsTime, float64(d.TimeSpentFlushing) / second},
	}
	for _, c := range columns[:min(max(d.IoStatsCount-names, 0), len(columns))] {
		w.Series(c.family).Add(c.value, d.DeviceName)
	}
}

// rotational is "1" for a spinning disk and "0" for others, those included that
// have no queue of their own, such as partitions. sysfs writes a slash in a
// device's name (cciss/c0d0) as an exclamation mark.
func (c diskstats) rotational(device string) string {
	spins, err := c.block.SysBlockDeviceRotational(strings.ReplaceAll(device, "/", "!"))
	if err == nil && spins == 1 {
		return "1"
	}
	return "0"
}

func addUdev(w *family.Writer, device string, p udevProperties) {
	if kind := p["ID_FS_TYPE"]; kind != "" {
		w.Series(metrics.NodeDiskFilesystemInfo).Add(1, device, kind, p["ID_FS_USAGE"], p["ID_FS_UUID"], p["ID_FS_VERSION"])
	}
	if name := p["DM_NAME"]; name != "" {
		w.Series(metrics.NodeDiskDeviceMapperInfo).Add(1, device, name, p["DM_UUID"], p["DM_VG_NAME"], p["DM_LV_NAME"], p["DM_LV_LAYER"])
	}
	if p["ID_ATA"] == "" {
		return
	}
	for _, a := range []struct {
		property string
		family   *family.Family
	}{
		{"ID_ATA_WRITE_CACHE", metrics.NodeDiskATAWriteCache},
		{"ID_ATA_WRITE_CACHE_ENABLED", metrics.NodeDiskATAWriteCacheEnabled},
		{"ID_ATA_ROTATION_RATE_RPM", metrics.NodeDiskATARotationRate},
	} {
		if v, err := strconv.ParseFloat(p[a.property], 64); err == nil {
			w.Series(a.family).Add(v, device)
		}
	}
}
