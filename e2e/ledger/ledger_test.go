package ledger

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/need"
)

// recorder is a testing.TB that keeps errors and runs its cleanups when told.
type recorder struct {
	testing.TB
	errors, logs []string
	cleanups     []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, a ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, a...))
}
func (r *recorder) Logf(format string, a ...any) { r.logs = append(r.logs, fmt.Sprintf(format, a...)) }

func (r *recorder) end() {
	for len(r.cleanups) > 0 {
		last := len(r.cleanups) - 1
		f := r.cleanups[last]
		r.cleanups = r.cleanups[:last]
		f()
	}
}

// open starts a ledger on a shared file of this test's own.
func open(t *testing.T, shared string) (*Ledger, *recorder) {
	t.Helper()
	r := &recorder{TB: t}
	l := openAt(r, shared)
	t.Cleanup(r.end)
	return l, r
}

func sharedFile(t *testing.T) string { return filepath.Join(t.TempDir(), "ledger") }

func absent(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", path, err)
	}
}

func TestDirectoryGoesWithoutComplaint(t *testing.T) {
	l, r := open(t, sharedFile(t))
	dir := l.Dir()
	if err := os.WriteFile(filepath.Join(dir, "log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.end()
	absent(t, dir)
	if len(r.errors) > 0 {
		t.Errorf("errors: %q", r.errors)
	}
}

func TestProcessThatIsLeftIsKilledAndFailsTheTest(t *testing.T) {
	l, r := open(t, sharedFile(t))
	process := exec.Command("sh", "-c", "read line", l.Dir()+"/socket")
	input, err := process.StdinPipe() // keeps it waiting
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	r.end()
	_ = process.Wait()
	if status, ok := process.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("the process ended with %v, want SIGKILL", process.ProcessState)
	}
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], fmt.Sprint("process ", process.Process.Pid)) {
		t.Errorf("errors %q do not name process %d alone", r.errors, process.Process.Pid)
	}
}

func TestMountThatIsLeftIsUnmountedAndFailsTheTest(t *testing.T) {
	need.Root(t)
	l, r := open(t, sharedFile(t))
	dir := l.Dir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	r.end()
	absent(t, dir)
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "mount "+dir) {
		t.Errorf("errors %q do not name the mount %s alone", r.errors, dir)
	}
}

// groups makes a cgroup in each hierarchy.
func groups(t *testing.T, path string) cgroup.Groups {
	t.Helper()
	all, err := cgroup.At(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range all {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestCgroupThatIsLeftGoesAndFailsTheTest(t *testing.T) {
	need.Root(t)
	l, r := open(t, sharedFile(t))
	path := fmt.Sprintf("/loadline-ledger-%d/pod", os.Getpid())
	l.Cgroup(path)
	made := groups(t, path+"/nested")
	r.end()
	if left := made.Existing(); len(left) > 0 {
		t.Errorf("cgroups %v are left", left)
	}
	if len(r.errors) == 0 || !strings.Contains(r.errors[0], path) {
		t.Errorf("errors %q do not name %s", r.errors, path)
	}
	parents, err := cgroup.At(filepath.Dir(path))
	if err != nil || len(parents.Existing()) > 0 {
		t.Errorf("parents %v are left (%v)", parents.Existing(), err)
	}
}

func TestShimSocketThatIsLeftGoesAndFailsTheTest(t *testing.T) {
	l, r := open(t, sharedFile(t))
	bundle := t.TempDir()
	socket := filepath.Join(bundle, "socket")
	for name, content := range map[string]string{"address": "unix://" + socket, "socket": ""} {
		if err := os.WriteFile(filepath.Join(bundle, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.Shim(bundle)
	r.end()
	absent(t, socket)
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], socket) {
		t.Errorf("errors %q do not name %s alone", r.errors, socket)
	}
}

func TestWhatIsSharedGoesWithTheLastTest(t *testing.T) {
	shared, place := sharedFile(t), t.TempDir()
	inner := filepath.Join(place, "made", "inside")
	first, firstTest := open(t, shared)
	first.Shared(inner, filepath.Dir(inner), place)
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	_, secondTest := open(t, shared)
	firstTest.end()
	if _, err := os.Stat(inner); err != nil {
		t.Errorf("it went while another test was running: %v", err)
	}
	secondTest.end()
	absent(t, filepath.Dir(inner))
	if _, err := os.Stat(place); err != nil {
		t.Errorf("what was there before went too: %v", err)
	}
}

func TestWhatAKilledTestLeftGoesWhenTheNextStarts(t *testing.T) {
	shared := sharedFile(t)
	killed, killedTest := open(t, shared)
	dir := killed.Dir()
	killedTest.cleanups = nil                   // they never run,
	if err := killed.file.Close(); err != nil { // and the kernel unlocks
		t.Fatal(err)
	}
	open(t, shared)
	absent(t, dir)
}

func TestWhatAKilledTestLeavesGoesAtOnceWhenItIsGuarded(t *testing.T) {
	dir := t.TempDir()
	process := exec.Command("sh", "-c", "read line", dir+"/socket")
	input, err := process.StdinPipe() // keeps it waiting
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	if problems := Reap(strings.NewReader(entry{directory, dir}.String() + "\n")); len(problems) != 1 {
		t.Errorf("it says %q, want the process alone", problems)
	}
	_ = process.Wait()
	absent(t, dir)
}

func TestAGuardedLedgerThatIsClosedLeavesTheRestAlone(t *testing.T) {
	l, r := open(t, sharedFile(t))
	l.Guard()
	dir, other := l.Dir(), t.TempDir()
	r.end()
	absent(t, dir)
	if len(r.errors) > 0 {
		t.Errorf("errors: %q", r.errors)
	}
	if problems := Reap(strings.NewReader(entry{directory, other}.String() + "\n" + closed + "\n")); problems != nil {
		t.Errorf("it says %q", problems)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}

func TestLinesThatSayNothingAreNotFollowed(t *testing.T) {
	for _, line := range []string{"", "directory", "directory /", "directory relative", "other /tmp/x", "shared-cgroup /"} {
		if e, ok := parse(line); ok {
			t.Errorf("%q is taken for %v", line, e)
		}
	}
}
