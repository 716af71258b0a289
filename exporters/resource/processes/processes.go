// Package processes counts the processes of containers, their open files and
// sockets, and what their threads do.
//
// It is the one thing about containers whose cost grows with what they do, not with
// how many they are: a socket is told from a file by reading a link for each
// descriptor. So it is polled in the background, with a bound.
package processes

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
)

// maxLinks is how many descriptors are looked at in one poll. A container whose
// descriptors would exceed what is left has no count of its sockets this time; the
// next poll begins with it.
const maxLinks = 50_000

// Facts are a container's, at the time of the poll.
type Facts struct {
	*container.Container
	Processes    int
	Files        int
	FilesKnown   bool // its descriptors may be read (root, or CAP_SYS_PTRACE)
	Sockets      int
	SocketsKnown bool
	OpenFiles    float64 // soft limit of the first process, -1 for none
	LimitKnown   bool
	States       *States // nil unless they were asked for
	Load         load
}

// States counts threads by what they do.
type States struct{ Sleeping, Running, Stopped, Uninterruptible int }

// Source polls the processes of containers. It is used by one goroutine at a time.
type Source struct {
	List      func() []*container.Container
	Processes func(cgroupPath string) []int
	ProcFS    string
	// Threads has every thread's state read too, and averages what they do.
	Threads bool
	// Files, if set, says whether the descriptors of all processes may be read.
	Files *source.Source

	refused error // why those of one may not, in the present poll

	next  string          // where the next poll begins
	loads map[string]load // by cgroup
}

// Fetch reads all containers' processes. One that is gone meanwhile is left out.
func (s *Source) Fetch(ctx context.Context) ([]Facts, string, error) {
	proc, err := procfs.NewFS(s.ProcFS)
	if err != nil {
		return nil, "", err
	}
	list := s.List()
	begin := 0
	for i, c := range list {
		if c.CgroupPath == s.next {
			begin = i
		}
	}
	s.next, s.refused = "", nil
	out := make([]Facts, len(list))
	links := maxLinks
	for n := range list {
		if err := ctx.Err(); err != nil {
			return nil, "", fmt.Errorf("not all processes were read: %w", err)
		}
		i := (begin + n) % len(list)
		out[i] = s.facts(proc, list[i], &links)
	}
	s.average(out)
	if s.Files != nil {
		s.Files.Report(s.refused, s.ProcFS)
	}
	return out, s.ProcFS, nil
}

// average takes the states into the averages.
func (s *Source) average(facts []Facts) {
	now, loads := time.Now(), make(map[string]load, len(facts))
	for i := range facts {
		if f := &facts[i]; f.States != nil {
			f.Load = s.loads[f.CgroupPath].next(now, f.States)
			loads[f.CgroupPath] = f.Load
		}
	}
	s.loads = loads
}

func (s *Source) facts(proc procfs.FS, c *container.Container, links *int) Facts {
	f := Facts{Container: c, FilesKnown: true, SocketsKnown: true}
	if s.Threads {
		f.States = &States{}
	}
	for _, pid := range s.Processes(c.CgroupPath) {
		p, err := proc.Proc(pid)
		if err != nil {
			continue
		}
		f.Processes++
		s.files(p, &f, links)
		if !f.LimitKnown {
			if limits, err := p.Limits(); err == nil {
				f.OpenFiles, f.LimitKnown = softLimit(limits.OpenFiles), true
			}
		}
		if s.Threads {
			f.States.add(filepath.Join(s.ProcFS, strconv.Itoa(pid), "task"))
		}
	}
	return f
}

// files counts a process's descriptors. What ended meanwhile has none.
func (s *Source) files(p procfs.Proc, f *Facts, links *int) {
	n, err := p.FileDescriptorsLen()
	if errors.Is(err, fs.ErrPermission) {
		f.FilesKnown, f.SocketsKnown = false, false
		s.refused = err
	}
	if err != nil {
		return
	}
	f.Files += n
	if n > *links {
		if s.next == "" {
			s.next = f.CgroupPath
		}
		f.SocketsKnown = false
		return
	}
	*links -= n
	targets, err := p.FileDescriptorTargets()
	if errors.Is(err, fs.ErrPermission) {
		// Since kernel 6.2 anybody may know how many there are, but not what they are.
		f.SocketsKnown, s.refused = false, err
	}
	if err != nil {
		return
	}
	for _, t := range targets {
		if strings.HasPrefix(t, "socket:[") {
			f.Sockets++
		}
	}
}

// softLimit is a limit as cAdvisor has it.
func softLimit(n uint64) float64 {
	const unlimited = 18446744073709551615 // as procfs has it
	if n == unlimited {
		return -1
	}
	return float64(n)
}

// add counts the threads below a process's task directory.
func (s *States) add(dir string) {
	threads, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, t := range threads {
		b, err := os.ReadFile(filepath.Join(dir, t.Name(), "stat"))
		if err != nil {
			continue
		}
		switch state(b) {
		case 'R':
			s.Running++
		case 'S', 'I':
			s.Sleeping++
		case 'D':
			s.Uninterruptible++
		case 'T', 't':
			s.Stopped++
		}
	}
}

// state finds a thread's state in proc_pid_stat(5): the field after the name, which
// may hold anything, parentheses too.
func state(stat []byte) byte {
	i := strings.LastIndex(string(stat), ") ")
	if i < 0 || i+2 >= len(stat) {
		return 0
	}
	return stat[i+2]
}
