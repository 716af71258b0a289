package kmsg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

const said = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=web,mems_allowed=0,oom_memcg=/pod,task_memcg=/pod/web,task=worker,pid=42,uid=0"

func TestKillsAreFoundInTheKernelsLines(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  []Kill
	}{
		"of a control group": {
			[]string{"6,1,2,-;" + said + "\n", "3,2,2,-;Memory cgroup out of memory: Killed process 42 (worker) total-vm:1kB\n"},
			[]Kill{{PID: 42, Limited: "/pod", Group: "/pod/web"}},
		},
		"of the machine": {
			[]string{
				"6,1,2,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/web,task=a,pid=7,uid=0\n",
				"3,2,2,-;Out of memory: Killed process 7 (a) total-vm:1kB\n",
			},
			[]Kill{{PID: 7, Global: true, Group: "/web"}},
		},
		"whose first line was rate-limited": {
			[]string{"3,2,2,-;Memory cgroup out of memory: Killed process 42 (worker) total-vm:1kB\n", "3,2,2,-;Out of memory: Killed process 43 (x)\n"},
			[]Kill{{PID: 42}, {PID: 43, Global: true}},
		},
		"of another process than the line before": {
			[]string{"6,1,2,-;" + said + "\n", "3,2,2,-;Memory cgroup out of memory: Killed process 41 (worker)\n", "3,2,2,-;Memory cgroup out of memory: Killed process 42 (worker)\n"},
			[]Kill{{PID: 41}, {PID: 42}},
		},
		"of old kernels": {
			[]string{"3,1,2,-;Memory cgroup out of memory: Kill process 5 (a) score 1 or sacrifice child\n", "3,2,2,-;Killed process 5 (a) total-vm:1kB\n"},
			[]Kill{{PID: 5}},
		},
		"made up by a process": {
			[]string{"12,2,2,-;Memory cgroup out of memory: Killed process 42 (worker)\n"}, nil,
		},
		"named like the kernel's words": {
			[]string{"6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a/b,task=,task=,pid=9,x,pid=8,uid=0\n", "3,2,2,-;Memory cgroup out of memory: Killed process 8 (,task=,pid=9,x)\n"},
			[]Kill{{PID: 8, Limited: "/a", Group: "/a/b,task="}},
		},
		"in a process's name": {
			[]string{"6,2,2,-;traps: Killed process [3] trap\n", "6,2,2,-;x: Killed process 3\n"}, nil,
		},
		"without a number": {[]string{"3,2,2,-;Killed process (worker)\n", "3,2,2,-", "", ";", "x;Killed process 1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var p parser
			var got []Kill
			for _, l := range test.lines {
				if k, ok := p.record([]byte(l)); ok {
					got = append(got, k)
				}
			}
			if len(got) != len(test.want) {
				t.Fatalf("got %+v, want %+v", got, test.want)
			}
			for i := range got {
				if got[i] != test.want[i] {
					t.Errorf("got %+v, want %+v", got[i], test.want[i])
				}
			}
		})
	}
}

func TestWatchingReportsWhatIsWrittenAndEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kmsg")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	// Held open for reading and writing, so that the pipe has no end.
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	kills, ready, ended := make(chan Kill, 1), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- Watch(ctx, path, func() { close(ready) }, func(k Kill) { kills <- k })
	}()
	<-ready
	if _, err := w.WriteString("3,2,2,-;Out of memory: Killed process 43 (x)\n"); err != nil {
		t.Fatal(err)
	}
	if k := <-kills; k != (Kill{PID: 43, Global: true}) {
		t.Errorf("got %+v", k)
	}
	cancel()
	wait.For(t, 10*time.Second, "the watch's end", func() error {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("ended with %v", err)
			}
			return nil
		default:
			return errors.New("it goes on")
		}
	})
}

func TestALogThatIsNotThereIsAnError(t *testing.T) {
	err := Watch(t.Context(), "/nonexistent/kmsg", func() {}, func(Kill) {})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add([]byte("6,1,2,-;"+said), []byte("3,2,2,-;Memory cgroup out of memory: Killed process 42 (worker) total-vm:1kB\n"))
	f.Add([]byte("6,1,2,-;oom-kill:,pid="), []byte(";"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var p parser
		for _, r := range [][]byte{a, b} {
			if k, ok := p.record(r); ok && k.PID <= 0 {
				t.Errorf("%q, %q: kill of process %d", a, b, k.PID)
			}
		}
	})
}
