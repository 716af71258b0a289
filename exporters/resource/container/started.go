package container

import (
	"time"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
)

// StartedBy returns a function that tells when a cgroup's first process started. A
// process of another PID namespace is not seen (exporter in a container without
// hostPID); the directory's own time stands for it then.
func StartedBy(tree *cgroup.Tree, fs procfs.FS) func(string, cgroup.Dir) time.Time {
	return func(path string, dir cgroup.Dir) time.Time {
		var first float64
		for _, pid := range tree.Processes(path, new(cgroup.Buffer)) {
			p, err := fs.Proc(pid)
			if err != nil {
				continue
			}
			stat, err := p.Stat()
			if err != nil {
				continue
			}
			if at, err := stat.StartTime(); err == nil && (first == 0 || at < first) {
				first = at
			}
		}
		if first == 0 {
			return dir.Changed
		}
		return time.UnixMilli(int64(first * 1000))
	}
}
