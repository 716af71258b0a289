package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// vmstat serves counters of the kernel's memory management. procfs does not parse
// the file.
type vmstat struct {
	proc   string
	fields *counters
	buffer buffer
}

func newVMStat(proc string, wants *regexp.Regexp) *vmstat {
	return &vmstat{proc: proc, fields: newCounters(metrics.NodeVMStat, metrics.VMStatField, wants)}
}

// Collect reads /proc/vmstat.
func (c *vmstat) Collect(_ context.Context, w *family.Writer) error {
	path := filepath.Join(c.proc, "vmstat")
	data, err := c.buffer.read(path)
	if err != nil {
		return fmt.Errorf("read counters of memory: %w", err)
	}
	c.fields.begin(w)
	eachPair(data, c.fields.add)
	if err := errors.Join(c.fields.errs...); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// eachPair calls do with the name and the value of each line. Lines of another
// form are passed over.
func eachPair(data []byte, do func(name, value []byte)) {
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		i := bytes.IndexAny(line, " \t")
		if i < 0 {
			continue
		}
		if value := bytes.TrimLeft(line[i:], " \t"); bytes.IndexByte(value, ' ') < 0 {
			do(line[:i], value)
		}
	}
}
