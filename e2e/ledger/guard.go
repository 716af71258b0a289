package ledger

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/loadline-exporters/loadline/e2e/program"
)

// closed is what a ledger that was closed says last.
const closed = "closed"

// guard is a process that outlives the test, if that is killed.
type guard struct {
	command *exec.Cmd
	entries io.WriteCloser
}

// Guard has all that the ledger names removed at once when the test's process ends
// before it has closed the ledger: interrupted, killed, or after too long a time.
// Without it the next test that opens a ledger does so.
func (l *Ledger) Guard() {
	l.t.Helper()
	command := exec.Command(program.Own(l.t, "e2e/ledger/reaper"))
	entries, err := command.StdinPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	// What it says is for who looks for what went wrong; an interrupt from the
	// terminal is not for it.
	log, err := os.OpenFile(filepath.Join(os.TempDir(), "loadline-e2e.reaper.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	defer log.Close()
	command.Stderr = log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		l.t.Fatalf("start what removes what a killed test leaves: %v", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.guard = &guard{command, entries}
	for _, e := range l.mine {
		l.guard.note(e)
	}
}

func (g *guard) note(e entry) { fmt.Fprintln(g.entries, e) }

// release ends it: nothing is left.
func (g *guard) release() error {
	fmt.Fprintln(g.entries, closed)
	if err := g.entries.Close(); err != nil {
		return err
	}
	return g.command.Wait()
}

// Reap reads a ledger's entries until there are no more, and unless it was closed
// removes what they name and says what that was.
func Reap(entries io.Reader) (problems []string) {
	var all []entry
	for lines := bufio.NewScanner(entries); lines.Scan(); {
		if lines.Text() == closed {
			return nil
		}
		if e, ok := parse(lines.Text()); ok {
			all = append(all, e)
		}
	}
	// What makes containers goes before them: it would make others.
	for _, kind := range []string{directory, container, file} {
		for _, e := range all {
			if e.kind == kind {
				problems = append(problems, e.remove()...)
			}
		}
	}
	for _, e := range deepestFirst(all) {
		if e.shared() {
			e.removeEmpty()
		}
	}
	return problems
}
