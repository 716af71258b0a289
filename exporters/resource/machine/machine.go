// Package machine emits the machine_* families: what the machine has, as cAdvisor
// counts it, by cAdvisor's own library.
package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/cadvisor/lib/machine"
	"github.com/google/cadvisor/lib/utils/sysfs"
	"github.com/google/cadvisor/lib/utils/sysinfo"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// info is what does not change while the machine runs.
type info struct {
	cores, physicalCores, sockets int
	memory, swap                  float64 // bytes
	machineID, bootID, systemUUID string
}

// Collector emits the machine's families. The machine is read until that succeeded
// once: memory and processors do not change under a running exporter often enough
// to be read at every scrape.
type Collector struct {
	procFS, rootFS string

	mu    sync.Mutex
	info  info
	whole bool
}

// New returns the collector; rootFS is where the machine's root is seen.
func New(procFS, rootFS string) *Collector { return &Collector{procFS: procFS, rootFS: rootFS} }

// Collect adds the machine's series.
func (c *Collector) Collect(_ context.Context, w *family.Writer) error {
	i, err := c.known()
	for series, v := range map[*family.Family]float64{
		metrics.MachineCPUCores: float64(i.cores), metrics.MachineCPUPhysicalCores: float64(i.physicalCores),
		metrics.MachineCPUSockets: float64(i.sockets), metrics.MachineMemory: i.memory, metrics.MachineSwap: i.swap,
	} {
		if v > 0 || series == metrics.MachineSwap {
			w.Series(series).Add(v, i.machineID, i.bootID, i.systemUUID)
		}
	}
	return err
}

func (c *Collector) known() (info, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.whole {
		return c.info, nil
	}
	var err error
	c.info, err = c.read()
	c.whole = err == nil
	return c.info, err
}

func (c *Collector) read() (i info, err error) {
	fail := func(what string, e error) {
		if e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", what, e))
		}
	}
	fs := sysfs.NewRealSysFs()
	_, cores, e := machine.GetTopology(fs)
	fail("processors", e)
	memory, e := machine.GetMachineMemoryCapacity()
	fail("memory", e)
	swap, e := machine.GetMachineSwapCapacity()
	fail("swap", e)
	// Virtual machines and ARM boards may have none; that is no failure.
	uuid, _ := sysinfo.GetSystemUUID(fs)
	cpuinfo, e := os.ReadFile(filepath.Join(c.procFS, "cpuinfo"))
	fail("processors", e)
	return info{
		cores: cores, physicalCores: machine.GetPhysicalCores(cpuinfo), sockets: machine.GetSockets(cpuinfo),
		memory: float64(memory), swap: float64(swap),
		machineID:  firstLine(filepath.Join(c.rootFS, "etc/machine-id")),
		bootID:     firstLine(filepath.Join(c.procFS, "sys/kernel/random/boot_id")),
		systemUUID: uuid,
	}, err
}

func firstLine(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}
