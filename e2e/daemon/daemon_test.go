package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/need"
)

const limit = 10 * time.Second

// shell starts a script as a daemon.
func shell(t *testing.T, script string, ownNetwork bool) *Daemon {
	t.Helper()
	d, err := Start(Config{
		Program:    need.Program(t, "sh", "dash"),
		Args:       []string{"-c", script},
		Log:        filepath.Join(t.TempDir(), "log"),
		OwnNetwork: ownNetwork,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// says is a check that the daemon's log contains text.
func says(d *Daemon, text string) func() error {
	return func() error {
		if tail := d.Tail(); !strings.Contains(tail, text) {
			return fmt.Errorf("its log %q lacks %q", tail, text)
		}
		return nil
	}
}

func TestDaemonStopsCleanlyWhenTold(t *testing.T) {
	d := shell(t, `trap 'echo bye; exit 0' TERM; echo up; while :; do :; done`, false)
	if err := d.Ready(limit, says(d, "up")); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(limit); err != nil || !strings.Contains(d.Tail(), "bye") {
		t.Errorf("Stop = %v, log %q", err, d.Tail())
	}
}

func TestReadyGivesUpAtOnceWithTheLogWhenTheDaemonEnds(t *testing.T) {
	d := shell(t, "echo cannot bind; exit 7", false)
	start := time.Now()
	err := d.Ready(time.Minute, func() error { return errors.New("no answer") })
	if err == nil || !strings.Contains(err.Error(), "exit status 7") || !strings.Contains(err.Error(), "cannot bind") {
		t.Errorf("Ready = %v, want the status and the log", err)
	}
	if took := time.Since(start); took > limit {
		t.Errorf("it took %v", took)
	}
	if err := d.Stop(limit); err == nil {
		t.Error("Stop of a daemon that had ended is no error")
	}
}

func TestDaemonThatDoesNotStopIsKilledAndAnError(t *testing.T) {
	d := shell(t, `trap '' TERM; echo up; while :; do :; done`, false)
	if err := d.Ready(limit, says(d, "up")); err != nil {
		t.Fatal(err)
	}
	if err := d.Stop(100 * time.Millisecond); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Stop = %v, want one that says that it was killed", err)
	}
	<-d.Ended()
}

func TestKilledDaemonIsStartedAgainAsItWas(t *testing.T) {
	d := shell(t, `trap 'exit 0' TERM; echo up $$; while :; do :; done`, false)
	first := d.PID
	if err := d.Ready(limit, says(d, fmt.Sprint("up ", first))); err != nil {
		t.Fatal(err)
	}
	if err := d.Restart(); err == nil {
		t.Fatal("Restart of a daemon that runs is no error")
	}
	if err := d.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := d.Restart(); err != nil || d.PID == first {
		t.Fatalf("Restart = %v, process %d after %d", err, d.PID, first)
	}
	if err := d.Ready(limit, says(d, fmt.Sprint("up ", d.PID))); err != nil {
		t.Error(err)
	}
	if err := d.Stop(limit); err != nil {
		t.Error(err)
	}
}

func TestOwnNetworkHasNothingButLoopback(t *testing.T) {
	need.Root(t)
	d := shell(t, `trap 'exit 0' TERM; cat /proc/net/dev; cat /proc/net/fib_trie; echo up; while :; do :; done`, true)
	if err := d.Ready(limit, says(d, "up")); err != nil {
		t.Fatal(err)
	}
	devices := 0
	for line := range strings.Lines(d.Tail()) {
		if name, _, ok := strings.Cut(line, ": "); ok && !strings.Contains(name, "|") {
			devices++
			if strings.TrimSpace(name) != "lo" {
				t.Errorf("it has the device %s", name)
			}
		}
	}
	if devices == 0 || !strings.Contains(d.Tail(), "127.0.0.1") {
		t.Errorf("loopback is not up: %s", d.Tail())
	}
	ours, _ := os.Readlink("/proc/self/ns/net")
	if its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", d.PID)); err != nil || its == ours {
		t.Errorf("its network namespace is %s (%v), the test's is %s", its, err, ours)
	}
	if err := d.Stop(limit); err != nil {
		t.Error(err)
	}
}
