// Package ledger keeps what a test brings onto the machine, so that all of it
// goes again: directories with what is mounted and what runs below them, and
// control groups.
//
// A Ledger is closed by the test's cleanup, after the daemons have stopped;
// whatever is then left is removed and fails the test. A file that all tests
// of the machine share holds the same facts, for two reasons: the parents of
// control groups (/default, /kubepods …) can be shared by tests that run at
// the same time and go with the last of them, as directories in fixed places
// do; and what a test that was killed
// left behind goes when the next one starts.
package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
)

// longestDir leaves room for the longest socket path below a directory that
// daemons make: sun_path of unix(7) holds 108 bytes.
const longestDir = 40

// Ledger is one test's entries. Its methods may be called concurrently.
type Ledger struct {
	t    testing.TB
	file *os.File // shared, locked with flock(2) as long as the ledger is open

	mu    sync.Mutex
	mine  []entry
	guard *guard // nil without
}

// Open starts a ledger that the test's cleanup closes. What is opened before a
// daemon starts is closed after it has stopped.
func Open(t testing.TB) *Ledger {
	t.Helper()
	return openAt(t, filepath.Join(os.TempDir(), "loadline-e2e.ledger"))
}

func openAt(t testing.TB, path string) *Ledger {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatalf("open the ledger of what tests leave on this machine: %v", err)
	}
	l := &Ledger{t: t, file: file}
	if l.alone() {
		for _, problem := range l.sweep() {
			t.Logf("what an earlier test left behind: %s", problem)
		}
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatalf("lock the ledger %s: %v", path, err)
	}
	t.Cleanup(l.close)
	return l
}

// Dir makes a directory with a path short enough for unix sockets in it.
func (l *Ledger) Dir() string {
	l.t.Helper()
	dir, err := os.MkdirTemp("", "ll")
	if err != nil {
		l.t.Fatalf("make a directory for a daemon: %v", err)
	}
	l.note(entry{kind: directory, path: dir})
	if len(dir) > longestDir {
		l.t.Fatalf("the path %s is too long for unix sockets below it (%d bytes): set TMPDIR to a shorter one", dir, len(dir))
	}
	return dir
}

// Cgroup notes a container's cgroup path before the container is made. It
// must be gone when the test ends, with what is below it; parents that it
// brings along go with the last test that runs.
func (l *Ledger) Cgroup(path string) {
	l.t.Helper()
	for parent := filepath.Dir(path); parent != "/" && parent != "."; parent = filepath.Dir(parent) {
		l.SharedCgroup(parent)
	}
	l.note(entry{kind: container, path: path})
}

// SharedCgroup notes a cgroup path that containers of several tests use,
// unless it exists already. It goes, empty, with the last test.
func (l *Ledger) SharedCgroup(path string) {
	l.t.Helper()
	groups, err := cgroup.At(path)
	if err != nil {
		l.t.Fatal(err)
	}
	if len(groups.Existing()) == 0 {
		l.note(entry{kind: sharedCgroup, path: path})
	}
}

// Shim notes the socket of a containerd shim, from the bundle of its task. It
// lies in /run/containerd/s, whatever containerd's own directories are.
func (l *Ledger) Shim(bundle string) {
	l.t.Helper()
	content, err := os.ReadFile(filepath.Join(bundle, "address"))
	if err != nil {
		return // ended and removed already, or a containerd that keeps it elsewhere
	}
	if socket, ok := strings.CutPrefix(strings.TrimSpace(string(content)), "unix://"); ok {
		l.note(entry{kind: file, path: socket})
	}
}

// Shared notes directories that programs make in fixed places, unless they
// exist already. They go, empty, with the last test.
func (l *Ledger) Shared(dirs ...string) {
	l.t.Helper()
	for _, dir := range dirs {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			l.note(entry{kind: sharedDirectory, path: dir})
		}
	}
}

// note writes an entry to the shared file and keeps it.
func (l *Ledger) note(e entry) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mine = append(l.mine, e)
	if l.guard != nil {
		l.guard.note(e)
	}
	if _, err := fmt.Fprintln(l.file, e); err != nil {
		l.t.Fatalf("write to the ledger %s: %v", l.file.Name(), err)
	}
}

// close removes what is left, fails the test if that was anything, and ends
// the ledger.
func (l *Ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.mine {
		for _, problem := range e.remove() {
			l.t.Errorf("left behind: %s", problem)
		}
	}
	if l.alone() {
		for _, problem := range l.sweep() {
			l.t.Errorf("left behind: %s", problem)
		}
	}
	if l.guard != nil {
		if err := l.guard.release(); err != nil {
			l.t.Errorf("end the ledger's guard: %v", err)
		}
	}
	if err := l.file.Close(); err != nil { // and unlocks it
		l.t.Errorf("close the ledger: %v", err)
	}
}

// alone says whether no other test on this machine has the ledger open. The
// lock is exclusive then, else it is none.
func (l *Ledger) alone() bool {
	return syscall.Flock(int(l.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// sweep removes all that the shared file names, and empties it.
func (l *Ledger) sweep() []string {
	content, err := os.ReadFile(l.file.Name())
	if err != nil {
		return []string{err.Error()}
	}
	var shared []entry
	var problems []string
	for line := range strings.Lines(string(content)) {
		switch e, ok := parse(strings.TrimSuffix(line, "\n")); {
		case !ok:
			problems = append(problems, fmt.Sprintf("the line %q, which says nothing", line))
		case e.shared():
			shared = append(shared, e)
		default:
			problems = append(problems, e.remove()...)
		}
	}
	for _, e := range deepestFirst(shared) {
		e.removeEmpty()
	}
	if err := l.file.Truncate(0); err != nil {
		problems = append(problems, err.Error())
	}
	return problems
}
