package node

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// stat serves what /proc/stat says of the machine as a whole, boot time included.
type stat struct {
	shared  *sharedStat
	softIRQ bool // --collector.stat.softirq
}

// Collect reads /proc/stat.
func (c stat) Collect(_ context.Context, w *family.Writer) error {
	s, err := c.shared.read(statReader)
	if err != nil {
		return fmt.Errorf("read kernel statistics: %w", err)
	}
	w.Series(metrics.NodeInterrupts).Add(float64(s.IRQTotal))
	w.Series(metrics.NodeContextSwitches).Add(float64(s.ContextSwitches))
	w.Series(metrics.NodeForks).Add(float64(s.ProcessCreated))
	w.Series(metrics.NodeBootTime).Add(float64(s.BootTime))
	w.Series(metrics.NodeProcessesRunning).Add(float64(s.ProcessesRunning))
	w.Series(metrics.NodeProcessesBlocked).Add(float64(s.ProcessesBlocked))
	if c.softIRQ {
		addSoftIRQs(w.Series(metrics.NodeSoftIRQs), s.SoftIRQ)
	}
	return nil
}

func addSoftIRQs(s *family.Series, t procfs.SoftIRQStat) {
	for _, v := range []struct {
		name  string
		count uint64
	}{
		{"hi", t.Hi}, {"timer", t.Timer}, {"net_tx", t.NetTx}, {"net_rx", t.NetRx}, {"block", t.Block},
		{"block_iopoll", t.BlockIoPoll}, {"tasklet", t.Tasklet}, {"sched", t.Sched}, {"hrtimer", t.Hrtimer}, {"rcu", t.Rcu},
	} {
		s.Add(float64(v.count), v.name)
	}
}

// The collectors that read /proc/stat.
const (
	cpuReader = iota
	statReader
	statReaders
)

// sharedStat lets the collectors of one scrape, which run at the same time, read
// /proc/stat once: its parsing is a good part of what the node's metrics cost. A
// contents is handed to each collector once at the most, and only for a moment.
type sharedStat struct {
	proc procfs.FS

	mu    sync.Mutex
	stat  procfs.Stat
	at    time.Time
	fresh [statReaders]bool // for those that were not given it yet
}

const statMaxAge = time.Second

// read returns what /proc/stat says. It must not be changed.
func (s *sharedStat) read(reader int) (procfs.Stat, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fresh[reader] || time.Since(s.at) > statMaxAge {
		stat, err := s.proc.Stat()
		if err != nil {
			s.fresh = [statReaders]bool{}
			return procfs.Stat{}, err
		}
		s.stat, s.at = stat, time.Now()
		for i := range s.fresh {
			s.fresh[i] = true
		}
	}
	s.fresh[reader] = false
	return s.stat, nil
}
