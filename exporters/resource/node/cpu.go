package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/sysfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// cpu serves what each CPU spent its time on, and its state.
type cpu struct {
	shared  *sharedStat
	sys     sysfs.FS
	proc    procfs.FS
	options CPUOptions
	flags   *regexp.Regexp // of info; nil for none
	bugs    *regexp.Regexp

	served map[int64]cpuTimes // by CPU, what the last scrape was told
}

func newCPU(e environment, shared *sharedStat) *cpu {
	return &cpu{
		shared: shared, sys: e.sys, proc: e.proc, options: e.Kernel.CPU, flags: e.match.tables.cpuFlags, bugs: e.match.tables.cpuBugs,
		served: map[int64]cpuTimes{},
	}
}

// Collect implements serve.Collector's contract: it runs once at a time.
func (c *cpu) Collect(_ context.Context, w *family.Writer) error {
	times, info := c.times(w), c.addInfo(w)
	cpus, err := c.sys.CPUs()
	if err != nil {
		return errors.Join(times, info, fmt.Errorf("list CPUs: %w", err))
	}
	online(w, cpus)
	return errors.Join(times, info, throttles(w, cpus), c.isolated(w))
}

// cpuTimes are the columns of a cpu line of /proc/stat, in seconds.
type cpuTimes [len(cpuModes) + len(guestModes)]float64

var (
	cpuModes   = [...]string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}
	guestModes = [...]string{"user", "nice"}
)

const idleMode = 3 // in cpuModes

func (c *cpu) times(w *family.Writer) error {
	stat, err := c.shared.read(cpuReader)
	if err != nil {
		return fmt.Errorf("read CPU times: %w", err)
	}
	maps.DeleteFunc(c.served, func(id int64, _ cpuTimes) bool {
		_, here := stat.CPU[id]
		return !here // went offline: when it comes back it starts afresh
	})
	all, guests := w.Series(metrics.NodeCPUSeconds), w.Series(metrics.NodeCPUGuestSeconds)
	for _, id := range slices.Sorted(maps.Keys(stat.CPU)) {
		s := stat.CPU[id]
		t := c.served[id].advance(cpuTimes{
			s.User, s.Nice, s.System, s.Idle, s.Iowait, s.IRQ, s.SoftIRQ, s.Steal, s.Guest, s.GuestNice,
		})
		c.served[id] = t
		name := strconv.FormatInt(id, 10)
		for i, mode := range cpuModes {
			all.Add(t[i], name, mode)
		}
		for i, mode := range guestModes {
			if !c.options.Guest {
				break
			}
			guests.Add(t[len(cpuModes)+i], name, mode)
		}
	}
	return nil
}

// resetAfter is how far, in seconds, idle time may fall before the CPU is taken to
// have been unplugged, which starts its counters again.
const resetAfter = 3

// advance returns what to serve after t when the kernel says now. The kernel's
// iowait and idle times can fall, because the CPU that a waiting task is accounted
// to changes (Documentation/filesystems/proc.rst); a counter that falls looks like
// a reset to Prometheus and adds its whole value to the rate. So a column that fell
// keeps its value until the kernel's has caught up.
func (t cpuTimes) advance(now cpuTimes) cpuTimes {
	if t[idleMode]-now[idleMode] >= resetAfter {
		return now
	}
	for i := range now {
		now[i] = max(now[i], t[i])
	}
	return now
}

// throttles counts each core and each package once, however many threads a core
// has. Virtual machines and most ARM processors have no counts.
func throttles(w *family.Writer, cpus []sysfs.CPU) error {
	type core struct{ pkg, id string }
	cores, packages := map[core]bool{}, map[string]bool{}
	var errs []error
	for _, c := range cpus {
		count, err := c.ThermalThrottle()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		topology, topologyErr := c.Topology()
		if err := errors.Join(err, topologyErr); err != nil {
			if !errors.Is(err, fs.ErrNotExist) { // it just went offline
				errs = append(errs, fmt.Errorf("throttling of CPU %s: %w", c.Number(), err))
			}
			continue
		}
		at := core{topology.PhysicalPackageID, topology.CoreID}
		if !cores[at] {
			cores[at] = true
			w.Series(metrics.NodeCPUCoreThrottles).Add(float64(count.CoreThrottleCount), at.pkg, at.id)
		}
		if !packages[at.pkg] {
			packages[at.pkg] = true
			w.Series(metrics.NodeCPUPackageThrottles).Add(float64(count.PackageThrottleCount), at.pkg)
		}
	}
	return errors.Join(errs...)
}

// online says nothing when the first CPU has no state. That is how node_exporter
// knows a kernel without hotplug; x86 lost the first CPU's state in Linux 6.5.
func online(w *family.Writer, cpus []sysfs.CPU) {
	if len(cpus) == 0 {
		return
	}
	if _, err := cpus[0].Online(); errors.Is(err, fs.ErrNotExist) {
		return
	}
	for _, c := range cpus {
		on, err := c.Online()
		w.Series(metrics.NodeCPUOnline).Add(truth(on && err == nil), c.Number())
	}
}

func (c *cpu) isolated(w *family.Writer) error {
	ids, err := c.sys.IsolatedCPUs()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read isolated CPUs: %w", err)
	}
	for _, id := range ids {
		w.Series(metrics.NodeCPUIsolated).Add(1, strconv.Itoa(int(id)))
	}
	return nil
}
