package peers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
)

// CPU is the processor time of the program and of children that it waited for, in
// seconds.
func (p *Program) CPU() (float64, error) { return CPU(p.PID) }

// CPU is the processor time of a process and of children that it waited for, in
// seconds.
func CPU(pid int) (float64, error) {
	process, err := procfs.NewProc(pid)
	if err != nil {
		return 0, err
	}
	s, err := process.Stat()
	if err != nil {
		return 0, err
	}
	const ticks = 100 // a second: USER_HZ, which every Linux on amd64 and arm64 has
	return s.CPUTime() + float64(s.CUTime+s.CSTime)/ticks, nil
}

// PeakRSS is the highest resident size since the start or since ResetPeak, in bytes.
func (p *Program) PeakRSS() (uint64, error) {
	process, err := procfs.NewProc(p.PID)
	if err != nil {
		return 0, err
	}
	s, err := process.NewStatus()
	return s.VmHWM, err
}

// RSS is the resident size, in bytes.
func (p *Program) RSS() (uint64, error) {
	process, err := procfs.NewProc(p.PID)
	if err != nil {
		return 0, err
	}
	s, err := process.NewStatus()
	return s.VmRSS, err
}

// LiveHeap is what a program that serves Go's profiles has on its heap after it has
// collected its garbage, in bytes.
func (p *Program) LiveHeap() (float64, error) {
	at := p.URL
	if found := telemetry.FindStringSubmatch(p.Log()); found != nil {
		at = "http://" + found[1]
	}
	a, err := get(at+"/debug/pprof/heap?gc=1&debug=1", "*/*", limit)
	if err != nil {
		return 0, err
	}
	found := heapAlloc.FindSubmatch(a.Body)
	if found == nil {
		return 0, fmt.Errorf("the profile of %s does not say what is on its heap", p.Name)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// telemetry is where kube-state-metrics tells of itself.
var telemetry = regexp.MustCompile(`Listening on.*address="?(127\.0\.0\.2:[1-9][0-9]*)`)

// heapAlloc is a line of a heap profile's text form: runtime.MemStats.HeapAlloc.
var heapAlloc = regexp.MustCompile(`(?m)^# HeapAlloc = ([0-9]+)$`)

// ResetPeak makes the present resident size the peak: proc_pid_clear_refs(5).
func (p *Program) ResetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.PID), []byte("5"), 0)
}

// KernelMemory is what the kernel holds on the program's behalf (open files,
// buffers of what they are read into, sockets, page tables), in bytes, as its
// control group counts it.
func (p *Program) KernelMemory() (int64, error) {
	value, err := cgroup.Value(p.memory(), "memory.kmem.usage_in_bytes")
	if errors.Is(err, os.ErrNotExist) {
		return cgroup.Field(p.memory(), "memory.stat", "kernel") // version 2, Linux 5.18
	}
	return value, err
}

// Descriptors is how many the program has open.
func (p *Program) Descriptors() (int, error) {
	process, err := procfs.NewProc(p.PID)
	if err != nil {
		return 0, err
	}
	return process.FileDescriptorsLen()
}

// RuntimeCPU is the processor time of a containerd and of its shims, in seconds:
// what an exporter makes them spend is the difference of two.
func RuntimeCPU(containerd int, address string) (float64, error) {
	sum, err := CPU(containerd)
	if err != nil {
		return 0, err
	}
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(line), "containerd-shim") || !strings.Contains(string(line), address) {
			continue
		}
		var pid int
		if _, err := fmt.Sscanf(name, "/proc/%d/", &pid); err != nil {
			return 0, err
		}
		shim, err := CPU(pid)
		if err != nil {
			continue // gone
		}
		sum += shim
	}
	return sum, nil
}

// Collect makes a program that serves Go's profiles collect its garbage.
func (p *Program) Collect() error {
	_, err := get(p.URL+"/debug/pprof/heap?gc=1", "*/*", limit)
	return err
}
