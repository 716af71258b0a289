package resource

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
)

// kernel are the values that the kernel's files have for a container, in the units
// of the families that they are compared with, by the families' names.
type kernel map[string]float64

// readKernel reads them, on cgroup version 1 or 2.
func readKernel(t testing.TB, groups cgroup.Groups) kernel {
	t.Helper()
	r := kernelReader{groups: groups, out: kernel{}}
	if _, v1 := groups["memory"]; v1 {
		r.v1()
	} else {
		r.v2()
	}
	r.value("container_threads", "pids", "pids.current", 1)
	for _, resource := range []string{"cpu", "memory", "io"} {
		r.pressure(resource)
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.out
}

type kernelReader struct {
	groups cgroup.Groups
	out    kernel
	err    error
}

func (r *kernelReader) value(name, controller, file string, unit float64) {
	v, err := cgroup.Value(r.groups.Dir(controller), file)
	r.err = errors.Join(r.err, err)
	r.out[name] = float64(v) * unit
}

func (r *kernelReader) field(name, controller, file, key string, unit float64) {
	v, err := cgroup.Field(r.groups.Dir(controller), file, key)
	r.err = errors.Join(r.err, err)
	r.out[name] = float64(v) * unit
}

// Units of the kernel's files.
const (
	nanosecond  = 1e-9
	microsecond = 1e-6
	userHZ      = 1e-2 // a tick of USER_HZ, in seconds
)

func (r *kernelReader) v1() {
	r.value("container_cpu_usage_seconds_total", "cpuacct", "cpuacct.usage", nanosecond)
	r.field("container_cpu_user_seconds_total", "cpuacct", "cpuacct.stat", "user", userHZ)
	r.field("container_cpu_system_seconds_total", "cpuacct", "cpuacct.stat", "system", userHZ)
	r.field("container_cpu_cfs_periods_total", "cpu", "cpu.stat", "nr_periods", 1)
	r.field("container_cpu_cfs_throttled_periods_total", "cpu", "cpu.stat", "nr_throttled", 1)
	r.field("container_cpu_cfs_throttled_seconds_total", "cpu", "cpu.stat", "throttled_time", nanosecond)
	r.value("container_memory_usage_bytes", "memory", "memory.usage_in_bytes", 1)
	r.value("container_spec_memory_limit_bytes", "memory", "memory.limit_in_bytes", 1)
	r.value("container_memory_max_usage_bytes", "memory", "memory.max_usage_in_bytes", 1)
	r.value("container_memory_failcnt", "memory", "memory.failcnt", 1)
	r.field("container_memory_rss", "memory", "memory.stat", "total_rss", 1)
	r.field("container_memory_cache", "memory", "memory.stat", "total_cache", 1)
	r.field("container_memory_mapped_file", "memory", "memory.stat", "total_mapped_file", 1)
	r.field("container_memory_working_set_bytes", "memory", "memory.stat", "total_inactive_file", -1)
	r.out["container_memory_working_set_bytes"] += r.out["container_memory_usage_bytes"]
	r.field("container_oom_events_total", "memory", "memory.oom_control", "oom_kill", 1)
}

// v2: the containers that are compared have a memory limit, else memory.max holds
// no number.
func (r *kernelReader) v2() {
	r.field("container_cpu_usage_seconds_total", "cpu", "cpu.stat", "usage_usec", microsecond)
	r.field("container_cpu_user_seconds_total", "cpu", "cpu.stat", "user_usec", microsecond)
	r.field("container_cpu_system_seconds_total", "cpu", "cpu.stat", "system_usec", microsecond)
	r.field("container_cpu_cfs_periods_total", "cpu", "cpu.stat", "nr_periods", 1)
	r.field("container_cpu_cfs_throttled_periods_total", "cpu", "cpu.stat", "nr_throttled", 1)
	r.field("container_cpu_cfs_throttled_seconds_total", "cpu", "cpu.stat", "throttled_usec", microsecond)
	r.value("container_memory_usage_bytes", "memory", "memory.current", 1)
	r.value("container_spec_memory_limit_bytes", "memory", "memory.max", 1)
	r.value("container_memory_max_usage_bytes", "memory", "memory.peak", 1)
	r.field("container_memory_failcnt", "memory", "memory.events", "max", 1)
	r.field("container_memory_rss", "memory", "memory.stat", "anon", 1)
	r.field("container_memory_cache", "memory", "memory.stat", "file", 1)
	r.field("container_memory_mapped_file", "memory", "memory.stat", "file_mapped", 1)
	r.field("container_memory_working_set_bytes", "memory", "memory.stat", "inactive_file", -1)
	r.out["container_memory_working_set_bytes"] += r.out["container_memory_usage_bytes"]
	r.field("container_oom_events_total", "memory", "memory.events", "oom_kill", 1)
}

// pressure reads a *.pressure file of the version 2 hierarchy, which machines with
// both versions have too; kernels without pressure have none.
func (r *kernelReader) pressure(resource string) {
	dir, ok := r.groups[cgroup.V2]
	if !ok {
		return
	}
	content, err := os.ReadFile(filepath.Join(dir, resource+".pressure"))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	r.err = errors.Join(r.err, err)
	kinds := map[string]string{"some": "waiting", "full": "stalled"}
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		total, ok := strings.CutPrefix(fields[len(fields)-1], "total=")
		us, err := strconv.ParseFloat(total, 64)
		if !ok || err != nil {
			r.err = errors.Join(r.err, fmt.Errorf("%s.pressure has the line %q", resource, line))
			return
		}
		r.out["container_pressure_"+resource+"_"+kinds[fields[0]]+"_seconds_total"] = us * microsecond
	}
}

// wantBetween checks that what was scraped lies between two readings of the
// kernel's files, within 1 %; of memory within the kernel's stock.
func wantBetween(t *testing.T, scraped exposition, before, after kernel) {
	t.Helper()
	for name, b := range before {
		got, a := scraped.value(name), after[name]
		low, high := min(a, b)*0.99, max(a, b)*1.01
		if strings.HasPrefix(name, "container_memory_") {
			low, high = low-cgroup.Stock(), high+cgroup.Stock()
		}
		if !(got >= low && got <= high) {
			t.Errorf("%s is %v; the kernel said %v before and %v after", name, got, b, a)
		}
	}
}

// processStarted is when a process started, by its age (proc_pid_stat(5), field
// 22, in ticks since the boot).
func processStarted(t testing.TB, pid int) time.Time {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatalf("find when a process started: %v", err)
	}
	// The second field is the program's name, which may hold spaces.
	after := string(stat)[strings.LastIndexByte(string(stat), ')')+1:]
	ticks, err := strconv.ParseFloat(strings.Fields(after)[22-3], 64)
	if err != nil {
		t.Fatalf("find when process %d started: %v", pid, err)
	}
	// The two clocks are read at once, or again.
	var now time.Time
	var uptime []byte
	for now.IsZero() || time.Since(now) > 50*time.Millisecond {
		now = time.Now()
		if uptime, err = os.ReadFile("/proc/uptime"); err != nil {
			t.Fatalf("find when the machine started: %v", err)
		}
	}
	up, err := strconv.ParseFloat(strings.Fields(string(uptime))[0], 64)
	if err != nil {
		t.Fatalf("find when the machine started: %v", err)
	}
	return now.Add(-time.Duration((up - ticks*userHZ) * float64(time.Second)))
}
