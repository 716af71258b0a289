package resource

import (
	"log/slog"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/processes"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// How often containers' processes are looked at, and their threads if that is asked
// for.
const (
	processesEvery = 30 * time.Second
	threadsEvery   = 5 * time.Second
)

// processes are the collectors of what runs in containers.
func (s *sources) processes(o *Options, logger *slog.Logger) []serve.Collector {
	poll := func(name string, threads bool, every time.Duration, files *source.Source) processes.Collector {
		buffer := new(cgroup.Buffer)
		from := &processes.Source{
			List: s.index.List, ProcFS: o.Node.ProcFS, Threads: threads, Files: files,
			Processes: func(path string) []int { return s.watcher.Tree.Processes(path, buffer) },
		}
		p := source.NewPolled(name, logger, from.Fetch)
		p.Every, p.Spacing = every, every/2
		s.joined = append(s.joined, p.Wake)
		s.polled = append(s.polled, p.Source)
		s.runs = append(s.runs, p.Run)
		return processes.Collector{Get: p.Get, List: s.index.List}
	}
	var out []serve.Collector
	if name := "container-processes"; o.collectors.Enabled(name) {
		files := source.New("file-descriptors")
		files.Report(nil, o.Node.ProcFS) // until one is refused
		out = append(out, serve.Collector{Name: name, Collect: poll(name, false, processesEvery, files).Collect})
		s.polled = append(s.polled, files)
	}
	if name := "container-tasks"; o.collectors.Enabled(name) {
		out = append(out, serve.Collector{Name: name, Collect: poll(name, true, threadsEvery, nil).CollectTasks})
	}
	return out
}
