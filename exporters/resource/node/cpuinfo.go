package node

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// CPUOptions say what of each CPU is served besides its times.
type CPUOptions struct {
	Guest bool   // the times that virtual machines took
	Info  bool   // the model of each CPU
	Flags string // regular expression of flags to serve; empty for none
	Bugs  string // regular expression of bugs to serve; empty for none
}

// addInfo reads /proc/cpuinfo when it is asked for: that costs the kernel an
// interrupt of each CPU.
func (c *cpu) addInfo(w *family.Writer) error {
	if !c.options.Info && c.flags == nil && c.bugs == nil {
		return nil
	}
	cpus, err := c.proc.CPUInfo()
	if err != nil {
		return fmt.Errorf("read what the CPUs are: %w", err)
	}
	for i := range cpus {
		p := &cpus[i]
		w.Series(metrics.NodeCPUInfo).Add(1, p.PhysicalID, p.CoreID, strconv.FormatUint(uint64(p.Processor), 10),
			p.VendorID, p.CPUFamily, p.Model, p.ModelName, p.Microcode, p.Stepping, p.CacheSize)
	}
	if len(cpus) > 0 {
		addFeatures(w.Series(metrics.NodeCPUFlagInfo), cpus[0].Flags, c.flags)
		addFeatures(w.Series(metrics.NodeCPUBugInfo), cpus[0].Bugs, c.bugs)
	}
	return nil
}

// addFeatures takes the first CPU for all.
func addFeatures(s *family.Series, names []string, wants *regexp.Regexp) {
	for _, name := range names {
		if wants != nil && wants.MatchString(name) {
			s.Add(1, name)
		}
	}
}
