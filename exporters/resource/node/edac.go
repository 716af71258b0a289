package node

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// edac serves the memory errors that the hardware reports. No library parses its
// files.
type edac struct{ dir string } // /sys/devices/system/edac/mc

// Collect reads the counters of each memory controller, each row of modules and
// each channel of a row.
func (c edac) Collect(_ context.Context, w *family.Writer) error {
	var errs []error
	for _, controller := range numbered(c.dir, "mc") {
		dir := filepath.Join(c.dir, "mc"+controller)
		errs = append(errs,
			addSysUint(w.Series(metrics.NodeEDACCorrectable), filepath.Join(dir, "ce_count"), controller),
			addSysUint(w.Series(metrics.NodeEDACUncorrectable), filepath.Join(dir, "ue_count"), controller),
			addSysUint(w.Series(metrics.NodeEDACRowCorrectable), filepath.Join(dir, "ce_noinfo_count"), controller, "unknown"),
			addSysUint(w.Series(metrics.NodeEDACRowUncorrectable), filepath.Join(dir, "ue_noinfo_count"), controller, "unknown"))
		for _, row := range numbered(dir, "csrow") {
			errs = append(errs, c.row(w, filepath.Join(dir, "csrow"+row), controller, row))
		}
	}
	return errors.Join(errs...)
}

func (c edac) row(w *family.Writer, dir, controller, row string) error {
	errs := []error{
		addSysUint(w.Series(metrics.NodeEDACRowCorrectable), filepath.Join(dir, "ce_count"), controller, row),
		addSysUint(w.Series(metrics.NodeEDACRowUncorrectable), filepath.Join(dir, "ue_count"), controller, row),
	}
	for _, file := range names(dir) {
		channel, ok := strings.CutSuffix(strings.TrimPrefix(file, "ch"), "_ce_count")
		if !ok || !strings.HasPrefix(file, "ch") || !digits(channel) {
			continue
		}
		prefix := filepath.Join(dir, "ch"+channel)
		label := dimmLabel(prefix + "_dimm_label")
		errs = append(errs,
			addSysUint(w.Series(metrics.NodeEDACChannelCorrectable), prefix+"_ce_count", controller, row, channel, label),
			addSysUint(w.Series(metrics.NodeEDACChannelUncorrectable), prefix+"_ue_count", controller, row, channel, label))
	}
	return errors.Join(errs...)
}

// dimmLabel is the name of a memory module as node_exporter writes it:
// mc#0csrow#1channel#0 becomes mc0_csrow1_channel0.
func dimmLabel(file string) string {
	label, err := readSysFile(file)
	if err != nil {
		return "unknown"
	}
	return strings.NewReplacer("#", "", "csrow", "_csrow", "channel", "_channel").Replace(label)
}

// addSysUint adds an attribute of sysfs. One that is not there is no error: the
// counters of rows and channels depend on the driver.
func addSysUint(s *family.Series, path string, labels ...string) error {
	v, err := readSysUint(path)
	if err != nil {
		if unreadable(err) {
			return nil
		}
		return fmt.Errorf("read errors of memory: %w", err)
	}
	s.Add(float64(v), labels...)
	return nil
}

// names are the names of a directory's entries, none when it is not there.
func names(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Name()
	}
	return out
}

// numbered are the numbers of a directory's entries that are prefix and a number.
func numbered(dir, prefix string) []string {
	var out []string
	for _, name := range names(dir) {
		if n, ok := strings.CutPrefix(name, prefix); ok && digits(n) {
			out = append(out, n)
		}
	}
	return out
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
