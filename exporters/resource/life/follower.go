package life

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/internal/source"
)

// Follower waits for the first process of each group and reads the group's totals
// when it ends.
type Follower struct {
	// Source says whether ends are seen. They are not where the host's processes
	// are hidden (no hostPID): then a container counts as far as it was scraped.
	Source *source.Source

	tree   *cgroup.Tree
	book   *Book
	proc   string // the host's /proc
	logger *slog.Logger

	made    chan *Life
	done    chan struct{} // closed once Run has ended
	exits   *exits
	waiting map[*Life]*search // for a process to appear
	of      map[int]*Life     // by pidfd
	buf     cgroup.Buffer
}

// search is the looking for a group's first process.
type search struct {
	next  time.Time
	pause time.Duration
}

// How often, and for how long, a new group is looked at for its first process.
const (
	firstPause = time.Millisecond
	lastPause  = time.Second
)

// NewFollower returns a follower of the tree's groups; Run does the work.
func NewFollower(tree *cgroup.Tree, book *Book, procFS string, logger *slog.Logger) *Follower {
	return &Follower{
		Source: source.New("process-ends"), tree: tree, book: book, proc: procFS, logger: logger,
		made: make(chan *Life, 1024), done: make(chan struct{}), waiting: map[*Life]*search{}, of: map[int]*Life{},
	}
}

// Follow begins to wait for a life's first process. It blocks only while a
// thousand others wait to begin, and no longer than Run runs.
func (f *Follower) Follow(l *Life) {
	select {
	case f.made <- l:
	case <-f.done:
	}
}

// Run follows until the context ends. It is called once.
func (f *Follower) Run(ctx context.Context) {
	defer close(f.done)
	exits, err := newExits()
	if err == nil {
		err = f.sees()
	}
	f.Source.Report(err, f.proc)
	if err != nil {
		f.logger.Info("ends of containers are not seen: what they use after their last scrape is not counted", "err", err)
		f.drain(ctx)
		return
	}
	f.exits = exits
	defer f.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	settle := time.NewTicker(settleAfter / 2)
	defer settle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case l := <-f.made:
			f.begin(l)
		case pidfd := <-exits.ended:
			f.ended(pidfd)
		case <-timer.C:
		case <-settle.C:
			f.book.Settle()
		}
		timer.Reset(f.lookAgain(time.Now()))
	}
}

// begin looks at a group for the first time, and at all others that wait for that:
// with thousands at once, looking again after each would take ever longer.
func (f *Follower) begin(l *Life) {
	for {
		f.look(l, &search{pause: firstPause})
		select {
		case l = <-f.made:
		default:
			return
		}
	}
}

// sees says why the host's processes can't be seen.
func (f *Follower) sees() error {
	switch f.tree.View() {
	case cgroup.OwnGroup:
		return source.Because(source.Absent, errors.New("no control group is seen but this container's own (a cgroup namespace)"))
	case cgroup.NoProcesses:
		return source.Because(source.Absent, errors.New("the host's PID namespace is not this process's (hostPID)"))
	}
	// A private PID namespace shows its own first process as 1, the host's is
	// another: then the groups' processes are not in it.
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return err
	}
	host, err := os.Readlink(filepath.Join(f.proc, "1/ns/pid"))
	if errors.Is(err, fs.ErrPermission) {
		return nil // not root: processes are seen nevertheless
	}
	if err != nil {
		return err
	}
	if own != host {
		return source.Because(source.Absent, errors.New("the host's PID namespace is not this process's (hostPID)"))
	}
	return nil
}

func (f *Follower) drain(ctx context.Context) {
	settle := time.NewTicker(settleAfter / 2)
	defer settle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.made:
		case <-settle.C:
			f.book.Settle()
		}
	}
}

func (f *Follower) close() {
	f.exits.close()
	for pidfd := range f.of {
		unix.Close(pidfd)
	}
}

// lookAgain looks at the groups whose time has come and returns the time until the
// next.
func (f *Follower) lookAgain(now time.Time) time.Duration {
	next := time.Hour
	for l, w := range f.waiting {
		if d := w.next.Sub(now); d > 0 {
			next = min(next, d)
			continue
		}
		delete(f.waiting, l)
		f.look(l, w)
		if w := f.waiting[l]; w != nil {
			next = min(next, w.pause)
		}
	}
	return next
}

// look watches a group's first process, or looks again later: a runtime makes the
// group before it moves a process into it.
func (f *Follower) look(l *Life, w *search) {
	f.totals(l)
	if pid := f.first(l); pid != 0 {
		pidfd, err := f.exits.watch(pid)
		if err == nil {
			f.of[pidfd] = l
			f.book.first(l, pid)
			return
		}
		if !errors.Is(err, fs.ErrNotExist) {
			f.Source.Report(err, f.proc)
			return
		}
	}
	if w.pause > lastPause || f.book.gone(l) {
		f.book.abandon(l)
		return
	}
	w.next = time.Now().Add(w.pause)
	w.pause *= 2
	f.waiting[l] = w
}

// ended reads a group's totals after a process of it has ended. What was taken for
// the first process may have been the runtime's: then the next one is watched.
func (f *Follower) ended(pidfd int) {
	l := f.of[pidfd]
	delete(f.of, pidfd)
	unix.Close(pidfd)
	if l == nil {
		return
	}
	s, err := l.Group.ReadTotals(&f.buf)
	if pid := f.first(l); pid != 0 {
		f.look(l, &search{pause: firstPause})
		return
	}
	if !errors.Is(err, cgroup.ErrGone) {
		l.last(s)
	}
	f.book.firstEnded(l)
}

func (f *Follower) totals(l *Life) {
	if s, err := l.Group.ReadTotals(&f.buf); !errors.Is(err, cgroup.ErrGone) {
		l.Totals(s)
	}
}

// first returns the group's first process: the one that is 1 in its own PID
// namespace, else the first in the list.
func (f *Follower) first(l *Life) int {
	pids := f.tree.Processes(l.Group.Path(), &f.buf)
	if len(pids) == 0 {
		return 0
	}
	for _, pid := range pids[:min(len(pids), 16)] {
		if isFirst(filepath.Join(f.proc, strconv.Itoa(pid), "status")) {
			return pid
		}
	}
	return pids[0]
}

// isFirst says whether a process is the first of a PID namespace below the host's,
// by NSpid of proc_pid_status(5).
func isFirst(status string) bool {
	b, err := os.ReadFile(status)
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), "\nNSpid:")
	line, _, _ := strings.Cut(rest, "\n")
	ids := strings.Fields(line)
	return len(ids) > 1 && ids[len(ids)-1] == "1"
}
