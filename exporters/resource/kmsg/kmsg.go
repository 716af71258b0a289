// Package kmsg reads the kernel's log for what the OOM killer says it did.
//
// For each process that it kills the kernel writes "Killed process <pid>"; the
// line "oom-kill:" before it, which says whose limit was reached, is rate-limited
// (ten in five seconds). So a kill is reported for each of the former, with what
// the latter said where it was written (mm/oom_kill.c).
package kmsg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// DefaultPath is the kernel's log (Documentation/ABI/testing/dev-kmsg).
const DefaultPath = "/dev/kmsg"

// Kill is a process that the OOM killer ended.
type Kill struct {
	PID int // in the host's PID namespace
	// Global: the machine was short of memory, not a control group.
	Global bool
	// Limited is the control group whose limit was reached, Group the victim's;
	// both empty where the kernel did not say.
	Limited, Group string
}

// maxRecord is the kernel's bound on a record (CONSOLE_EXT_LOG_MAX).
const maxRecord = 8 << 10

// Watch opens the log and reports each kill from now on, until the context ends or
// the log can't be read. ready is called once it listens.
func Watch(ctx context.Context, path string, ready func(), on func(Kill)) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("the kernel's log: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(0, io.SeekEnd); err != nil && !errors.Is(err, unix.ESPIPE) {
		return fmt.Errorf("the end of the kernel's log %s: %w", path, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = f.Close() })
	defer stop()
	ready()
	var p parser
	buf := make([]byte, maxRecord)
	for {
		n, err := f.Read(buf)
		switch {
		case errors.Is(err, unix.EPIPE): // records were overwritten before they were read
			continue
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("reading the kernel's log %s: %w", path, err)
		}
		if kill, ok := p.record(buf[:n]); ok {
			on(kill)
		}
	}
}

// parser puts the lines of a kill together.
type parser struct {
	said Kill // what the last oom-kill line said
}

// record takes one record, "<priority>,<sequence>,<time>,<flags>;<text>\n", and
// says whether it tells of a kill.
func (p *parser) record(b []byte) (Kill, bool) {
	head, text, ok := bytes.Cut(b, []byte(";"))
	if !ok {
		return Kill{}, false
	}
	priority, _, _ := bytes.Cut(head, []byte(","))
	// Below 8 the facility is the kernel. What processes write to the log has
	// another, whatever they ask for, so that they can't make kills up.
	if n, err := strconv.Atoi(string(priority)); err != nil || n < 0 || n >= 8 {
		return Kill{}, false
	}
	line, _, _ := bytes.Cut(text, []byte("\n")) // what follows are the device's properties
	return p.line(string(line))
}

func (p *parser) line(line string) (Kill, bool) {
	if rest, ok := strings.CutPrefix(line, "oom-kill:"); ok {
		p.said = parseSaid(rest)
		return Kill{}, false
	}
	before, rest, ok := strings.Cut(line, "Killed process ")
	global := strings.HasPrefix(before, "Out of memory")
	if !ok || !global && before != "" && !strings.HasPrefix(before, "Memory cgroup out of memory") {
		return Kill{}, false
	}
	pid, ok := leadingNumber(rest)
	if !ok {
		return Kill{}, false
	}
	kill := Kill{PID: pid, Global: global}
	if p.said.PID == pid {
		kill = p.said
	}
	p.said = Kill{}
	return kill, true
}

// parseSaid parses what follows "oom-kill:", from its end, since a process's name
// may be anything:
//
//	constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=x,pid=1,uid=0
func parseSaid(s string) Kill {
	i := strings.LastIndex(s, ",pid=")
	if i < 0 {
		return Kill{}
	}
	pid, ok := leadingNumber(s[i+len(",pid="):])
	if !ok {
		return Kill{}
	}
	k := Kill{PID: pid}
	s = s[:i]
	if i := strings.LastIndex(s, ",task="); i >= 0 {
		s = s[:i]
	}
	before, group, _ := strings.Cut(s, ",task_memcg=")
	k.Group = group
	_, k.Limited, _ = strings.Cut(before, ",oom_memcg=")
	k.Global = strings.Contains(before, ",global_oom")
	return k
}

func leadingNumber(s string) (int, bool) {
	end := 0
	for end < len(s) && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	return n, err == nil && n > 0
}
