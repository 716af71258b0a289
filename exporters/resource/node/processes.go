package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// processes counts processes and threads by what they do. It reads a file for each
// of them.
type processes struct{ proc procfs.FS }

type processCounts struct {
	processes, threads           int
	processStates, threadsStates map[string]int
}

// Collect reads /proc/PID/stat, and /proc/PID/task/TID/stat of processes with more
// than one thread. Those that end meanwhile are left out.
func (c processes) Collect(ctx context.Context, w *family.Writer) error {
	var errs []error
	for _, limit := range []struct {
		name   string
		family *family.Family
	}{
		{"kernel.threads-max", metrics.NodeProcessesMaxThreads},
		{"kernel.pid_max", metrics.NodeProcessesMaxProcesses},
	} {
		v, err := sysctl(c.proc, limit.name, 1)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		w.Series(limit.family).Add(float64(v[0]))
	}
	n, err := c.count(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	w.Series(metrics.NodeProcessesPIDs).Add(float64(n.processes))
	w.Series(metrics.NodeProcessesThreads).Add(float64(n.threads))
	addStates(w.Series(metrics.NodeProcessesState), n.processStates)
	addStates(w.Series(metrics.NodeProcessesThreadsState), n.threadsStates)
	return errors.Join(errs...)
}

func addStates(s *family.Series, states map[string]int) {
	for _, state := range slices.Sorted(maps.Keys(states)) {
		s.Add(float64(states[state]), state)
	}
}

func (c processes) count(ctx context.Context) (processCounts, error) {
	n := processCounts{processStates: map[string]int{}, threadsStates: map[string]int{}}
	all, err := c.proc.AllProcs()
	if err != nil {
		return n, fmt.Errorf("list processes: %w", err)
	}
	for _, p := range all {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		s, err := p.Stat()
		if ended(err) {
			continue
		}
		if err != nil {
			return n, fmt.Errorf("read process %d: %w", p.PID, err)
		}
		n.processes++
		n.processStates[s.State]++
		n.threads += s.NumThreads
		n.threadsStates[s.State]++ // of the first thread
		if s.NumThreads > 1 {
			if err := c.countThreads(p.PID, n.threadsStates); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// countThreads counts all threads of a process but the first.
func (c processes) countThreads(pid int, states map[string]int) error {
	threads, err := c.proc.AllThreads(pid)
	if ended(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list threads of process %d: %w", pid, err)
	}
	for _, t := range threads {
		if t.PID == pid {
			continue
		}
		s, err := t.Stat()
		if ended(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read thread %d of process %d: %w", t.PID, pid, err)
		}
		states[s.State]++
	}
	return nil
}

// ended says whether an error means that a process has ended.
func ended(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }
