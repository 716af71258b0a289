package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// InterruptOptions say which interrupts are served.
type InterruptOptions struct {
	Names Filter // by "NAME;INFO;DEVICES"
	Zeros bool   // also those that a CPU never had
}

// interrupts serves interrupts by CPU. procfs panics at lines that are shorter
// than it expects, and ARM's have no blank after the name.
type interrupts struct {
	proc   string
	wants  matcher
	zeros  bool
	buffer buffer
}

// Collect reads /proc/interrupts.
func (c *interrupts) Collect(_ context.Context, w *family.Writer) error {
	data, err := c.buffer.read(filepath.Join(c.proc, "interrupts"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read interrupts: %w", err)
	}
	s := w.Series(metrics.NodeInterruptsByCPU)
	return eachInterrupt(data, func(name, info, devices string, counts []float64) {
		if !c.wants.wants(name + ";" + info + ";" + devices) {
			return
		}
		for cpu, n := range counts {
			if n != 0 || c.zeros {
				s.Add(n, strconv.Itoa(cpu), name, info, devices)
			}
		}
	})
}

// eachInterrupt calls do for each line. The first has a column for each CPU that
// is online, by whose order CPUs are numbered. Lines without a text after the
// columns (ERR, MIS) belong to no CPU and are passed over.
func eachInterrupt(data []byte, do func(name, info, devices string, counts []float64)) error {
	header, data, _ := bytes.Cut(data, []byte{'\n'})
	counts := make([]float64, len(bytes.Fields(header)))
	var errs []error
	seen := map[string]bool{}
	for line := range bytes.Lines(data) {
		label, rest, ok := bytes.Cut(line, []byte{':'})
		columns := strings.Fields(string(rest))
		name := string(bytes.TrimSpace(label))
		if !ok || len(columns) <= len(counts) || seen[name] {
			continue
		}
		seen[name] = true
		var err error
		for i := range counts {
			if counts[i], err = strconv.ParseFloat(columns[i], 64); err != nil {
				break
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("interrupt %s: %w", name, err))
			continue
		}
		text := columns[len(counts):]
		info, devices := strings.Join(text, " "), ""
		if _, err := strconv.Atoi(name); err == nil {
			info, devices = text[0], strings.Join(text[1:], " ")
		}
		do(name, info, devices, counts)
	}
	return errors.Join(errs...)
}

// softIRQs serves soft interrupts by CPU.
type softIRQs struct{ proc procfs.FS }

// Collect reads /proc/softirqs, which has a column for each possible CPU.
func (c softIRQs) Collect(_ context.Context, w *family.Writer) error {
	t, err := c.proc.Softirqs()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read soft interrupts: %w", err)
	}
	for _, v := range []struct {
		name   string
		counts []uint64
	}{
		{"HI", t.Hi}, {"TIMER", t.Timer}, {"NET_TX", t.NetTx}, {"NET_RX", t.NetRx}, {"BLOCK", t.Block},
		{"IRQ_POLL", t.IRQPoll}, {"TASKLET", t.Tasklet}, {"SCHED", t.Sched}, {"HRTIMER", t.HRTimer}, {"RCU", t.RCU},
	} {
		for cpu, n := range v.counts {
			w.Series(metrics.NodeSoftIRQsFunctions).Add(float64(n), strconv.Itoa(cpu), v.name)
		}
	}
	return nil
}
