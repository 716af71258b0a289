package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// The collectors of memory that are off unless they are asked for.

// swap serves areas of swap.
type swap struct{ proc procfs.FS }

// Collect reads /proc/swaps, whose sizes are in KiB.
func (c swap) Collect(_ context.Context, w *family.Writer) error {
	areas, err := c.proc.Swaps()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read swap areas: %w", err)
	}
	for _, a := range areas {
		w.Series(metrics.NodeSwapSize).Add(float64(a.Size)*1024, a.Filename, a.Type)
		w.Series(metrics.NodeSwapUsed).Add(float64(a.Used)*1024, a.Filename, a.Type)
		w.Series(metrics.NodeSwapPriority).Add(float64(a.Priority), a.Filename, a.Type)
	}
	return nil
}

// buddyinfo serves how fragmented memory is.
type buddyinfo struct{ proc procfs.FS }

// Collect reads /proc/buddyinfo.
func (c buddyinfo) Collect(_ context.Context, w *family.Writer) error {
	zones, err := c.proc.BuddyInfo()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read free blocks: %w", err)
	}
	for _, z := range zones {
		for size, n := range z.Sizes {
			w.Series(metrics.NodeBuddyinfoBlocks).Add(n, z.Node, z.Zone, strconv.Itoa(size))
		}
	}
	return nil
}

// ksmd serves what the merging of equal pages does. procfs does not parse it.
type ksmd struct{ sys string }

// Collect reads /sys/kernel/mm/ksm, whose files are a number each.
func (c ksmd) Collect(_ context.Context, w *family.Writer) error {
	var errs []error
	for _, f := range []struct {
		name    string
		family  *family.Family
		divisor float64
	}{
		{"full_scans", metrics.NodeKSMFullScans, 1},
		{"merge_across_nodes", metrics.NodeKSMMergeAcrossNodes, 1},
		{"pages_shared", metrics.NodeKSMPagesShared, 1},
		{"pages_sharing", metrics.NodeKSMPagesSharing, 1},
		{"pages_to_scan", metrics.NodeKSMPagesToScan, 1},
		{"pages_unshared", metrics.NodeKSMPagesUnshared, 1},
		{"pages_volatile", metrics.NodeKSMPagesVolatile, 1},
		{"run", metrics.NodeKSMRun, 1},
		{"sleep_millisecs", metrics.NodeKSMSleep, 1000},
	} {
		data, err := os.ReadFile(filepath.Join(c.sys, "kernel/mm/ksm", f.name))
		if errors.Is(err, fs.ErrNotExist) { // merge_across_nodes is for NUMA only
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("read merging of pages: %w", err))
			continue
		}
		v, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
		if err != nil {
			errs = append(errs, fmt.Errorf("merging of pages: %s: %w", f.name, err))
			continue
		}
		w.Series(f.family).Add(float64(v) / f.divisor)
	}
	return errors.Join(errs...)
}

// slabinfo serves the kernel's caches of objects.
type slabinfo struct {
	proc  procfs.FS
	wants matcher
}

// Collect reads /proc/slabinfo.
func (c slabinfo) Collect(_ context.Context, w *family.Writer) error {
	caches, err := c.proc.SlabInfo()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read slab caches: %w", err)
	}
	for _, s := range caches.Slabs {
		if !c.wants.wants(s.Name) {
			continue
		}
		w.Series(metrics.NodeSlabActiveObjects).Add(float64(s.ObjActive), s.Name)
		w.Series(metrics.NodeSlabObjects).Add(float64(s.ObjNum), s.Name)
		w.Series(metrics.NodeSlabObjectSize).Add(float64(s.ObjSize), s.Name)
		w.Series(metrics.NodeSlabObjectsPerSlab).Add(float64(s.ObjPerSlab), s.Name)
		w.Series(metrics.NodeSlabPagesPerSlab).Add(float64(s.PagesPerSlab), s.Name)
	}
	return nil
}
