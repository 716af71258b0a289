package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// sockstat serves how many sockets of which protocol there are.
type sockstat struct{ proc procfs.FS }

// Collect reads /proc/net/sockstat and sockstat6; either is missing where the
// kernel has no such protocol.
func (c sockstat) Collect(_ context.Context, w *family.Writer) error {
	v4, err4 := c.proc.NetSockstat()
	v6, err6 := c.proc.NetSockstat6()
	var errs []error
	for _, s := range []struct {
		stat *procfs.NetSockstat
		err  error
	}{{v4, err4}, {v6, err6}} {
		switch {
		case errors.Is(s.err, fs.ErrNotExist):
		case s.err != nil:
			errs = append(errs, fmt.Errorf("read socket statistics: %w", s.err))
		default:
			addSockets(w, s.stat)
		}
	}
	return errors.Join(errs...)
}

func addSockets(w *family.Writer, s *procfs.NetSockstat) {
	add := func(field string, v *int, factor int) {
		// A protocol that the table does not know is newer than it.
		if f := metrics.NodeSockstat[field]; f != nil && v != nil {
			w.Series(f).Add(float64(*v) * float64(factor))
		}
	}
	add("sockets_used", s.Used, 1)
	for i := range s.Protocols {
		p := &s.Protocols[i]
		add(p.Protocol+"_inuse", &p.InUse, 1)
		add(p.Protocol+"_orphan", p.Orphan, 1)
		add(p.Protocol+"_tw", p.TW, 1)
		add(p.Protocol+"_alloc", p.Alloc, 1)
		add(p.Protocol+"_mem", p.Mem, 1)
		add(p.Protocol+"_mem_bytes", p.Mem, os.Getpagesize())
		add(p.Protocol+"_memory", p.Memory, 1)
	}
}
