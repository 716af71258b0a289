// Package daemon runs a server program of a test: it starts it, keeps its log
// and stops it by its process id.
package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// tailSize is how much of a log goes into an error.
const tailSize = 4096

// Config says what to run.
type Config struct {
	// Program is the path, Args what follows it.
	Program string
	Args    []string
	// Log is the file that standard output and error are appended to.
	Log string
	// OwnNetwork starts it in a network namespace of its own, which has
	// nothing but a loopback device. Unix sockets are reached from outside.
	OwnNetwork bool
	// Inside, where it is not zero, is a process whose mount and network
	// namespaces it starts in, by nsenter.
	Inside int
}

// Daemon is a started program. Restart changes it; the rest may be used
// concurrently.
type Daemon struct {
	// PID is its process id.
	PID int

	config Config
	*process
}

// process is one life of a program.
type process struct {
	ended  chan struct{} // closed once it has ended
	status error         // how it ended; valid then
}

// Start starts the program. It is told to stop when the test process dies
// before it calls Stop.
func Start(config Config) (*Daemon, error) {
	d := &Daemon{config: config}
	if err := d.start(); err != nil {
		return nil, err
	}
	return d, nil
}

// Restart starts the program again, as it was started, after it has ended.
func (d *Daemon) Restart() error {
	select {
	case <-d.ended:
		return d.start()
	default:
		return d.failure("start it again", errors.New("it has not ended"))
	}
}

// command is the program's, or nsenter's, which becomes the program.
func (c Config) command() *exec.Cmd {
	if c.Inside == 0 {
		return exec.Command(c.Program, c.Args...)
	}
	enter := []string{"--target", strconv.Itoa(c.Inside), "--mount", "--net", "--", c.Program}
	return exec.Command("nsenter", append(enter, c.Args...)...)
}

func (d *Daemon) start() error {
	log, err := os.OpenFile(d.config.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the log of %s: %w", d.config.Program, err)
	}
	defer log.Close()
	command := d.config.command()
	command.Stdout, command.Stderr = log, log
	// A process group of its own: an interrupt from the terminal ends the test
	// process alone, and that ends the daemon once.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	d.process = &process{ended: make(chan struct{})}
	started := make(chan error)
	go d.run(d.process, command, started)
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", d.config.Program, err)
	}
	return nil
}

// run holds the thread that starts the program until it has ended: the kernel
// sends the parent-death signal when that thread ends (prctl(2)), and the
// program takes its network namespace from it. The thread is not unlocked, so
// that it ends with the goroutine and its namespace is not used for others.
func (d *Daemon) run(p *process, command *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	if d.config.OwnNetwork {
		if err := enterOwnNetwork(); err != nil {
			started <- err
			return
		}
	}
	if err := command.Start(); err != nil {
		started <- err
		return
	}
	d.PID = command.Process.Pid
	started <- nil
	p.status = command.Wait()
	close(p.ended)
}

// Ready waits until check returns nil, and gives up at once when the program
// ends. Errors carry the end of its log.
func (d *Daemon) Ready(limit time.Duration, check func() error) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait.Limit(limit))
	defer cancel()
	ctx, cancelCause := context.WithCancelCause(ctx)
	defer cancelCause(nil)
	go func(p *process) {
		select {
		case <-p.ended:
			cancelCause(fmt.Errorf("it ended: %w", orNil(p.status)))
		case <-ctx.Done():
		}
	}(d.process)
	if err := wait.Until(ctx, check); err != nil {
		return d.failure("wait until it answers", err)
	}
	return nil
}

// Answers is a check for Ready: that a URL is answered with status 200.
func Answers(url string) func() error {
	return func() error {
		response, err := http.Get(url)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s", url, response.Status)
		}
		return nil
	}
}

// orNil keeps an end with status 0 an error: a daemon stays.
func orNil(status error) error {
	if status == nil {
		return errors.New("exit status 0")
	}
	return status
}

// Stop ends the program with SIGTERM. It is killed, and an error returned,
// when that takes longer than limit or its end is not a clean one.
func (d *Daemon) Stop(limit time.Duration) error {
	select {
	case <-d.ended:
		return d.failure("stop it", fmt.Errorf("it had ended before: %w", orNil(d.status)))
	default:
	}
	if err := syscall.Kill(d.PID, syscall.SIGTERM); err != nil {
		return d.failure("send it SIGTERM", err)
	}
	limit = wait.Limit(limit)
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-d.ended:
		if d.status != nil {
			return d.failure("stop it with SIGTERM", d.status)
		}
		return nil
	case <-timer.C:
	}
	_ = syscall.Kill(d.PID, syscall.SIGKILL)
	<-d.ended
	return d.failure("stop it with SIGTERM", fmt.Errorf("still running after %v: killed", limit))
}

// Kill ends the program with SIGKILL, as the kernel's OOM killer does: it leaves
// all that it had open or made.
func (d *Daemon) Kill() error {
	if err := syscall.Kill(d.PID, syscall.SIGKILL); err != nil {
		return d.failure("kill it", err)
	}
	<-d.ended
	return nil
}

// Ended is closed once the program has ended.
func (d *Daemon) Ended() <-chan struct{} { return d.ended }

// Tail is the end of the program's log.
func (d *Daemon) Tail() string {
	content, err := os.ReadFile(d.config.Log)
	if err != nil {
		return fmt.Sprintf("(no log: %v)", err)
	}
	if len(content) > tailSize {
		content = content[len(content)-tailSize:]
	}
	return string(bytes.TrimSpace(content))
}

func (d *Daemon) failure(tried string, err error) error {
	return fmt.Errorf("%s (process %d): %s: %w; the end of its log:\n%s", filepath.Base(d.config.Program), d.PID, tried, err, d.Tail())
}
