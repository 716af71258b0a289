// Package footprint measures what `loadline up` costs on a machine of 120 real
// containers: memory, processor time, and the time until the page shows them.
package footprint

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// containers is how many run: some 60 pods' worth.
const containers = 120

// observed is how long the process is observed after its page shows everything.
const observed = 2 * time.Minute

// BenchmarkUp runs the program once, whatever b.N is: it is about a state, not an
// operation.
func BenchmarkUp(b *testing.B) {
	if b.N > 1 {
		return
	}
	c := containerd.Start(b)
	runContainers(b, c)
	program := filepath.Join(b.TempDir(), "loadline")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "../../cmd/loadline")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	start := time.Now()
	cmd, url := up(b, program, c.Address)
	wait.For(b, time.Minute, "the page to show every container", func() error {
		page, err := get(url)
		if err != nil {
			return err
		}
		if n := strings.Count(page, "footprint-"); n < containers {
			return fmt.Errorf("%d names on the page", n)
		}
		return nil
	})
	b.ReportMetric(time.Since(start).Seconds(), "s-to-page")
	observe(b, cmd.Process.Pid, url)
}

func runContainers(b *testing.B, c *containerd.Containerd) {
	ctx := b.Context()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i := range containers {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c.Run(ctx, containerd.Spec{
				Namespace: "default", ID: fmt.Sprintf("footprint-%03d", i), Args: []string{"hold", "2MiB"},
				MemoryLimit: 16 << 20, CPUQuota: 50_000, CPUPeriod: 100_000,
			})
		})
	}
	wg.Wait()
}

// up starts the program and returns the address that it says to open.
func up(b *testing.B, program, containerdAddress string) (*exec.Cmd, string) {
	b.Helper()
	cmd := exec.Command(program, "up", "--web.listen-address=127.0.0.1:0", "--data-dir="+filepath.Join(b.TempDir(), "data"),
		"--containerd-address="+containerdAddress, "--docker-host=unix:///nowhere/docker.sock", "--kubelet-url=http://127.0.0.1:1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			b.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Errorf("stopping: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "Open "); ok {
			go io.Copy(io.Discard, out)
			return cmd, url
		}
	}
	b.Fatalf("it did not say what to open: %v", lines.Err())
	return nil, ""
}

// observe looks at the page now and then, as a person would, and reports what the
// process took.
func observe(b *testing.B, pid int, url string) {
	before := stat(b, pid)
	ctx, cancel := context.WithTimeout(b.Context(), observed)
	defer cancel()
	look := time.NewTicker(5 * time.Second)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if _, err := get(url + "live"); err != nil {
				b.Error(err)
			}
			continue
		case <-ctx.Done():
		}
		break
	}
	after := stat(b, pid)
	b.ReportMetric((after.CPUTime()-before.CPUTime())/observed.Minutes(), "cpu-s/min")
	b.ReportMetric(float64(status(b, pid).VmHWM)/(1<<20), "MiB-peak-RSS")
	b.ReportMetric(float64(status(b, pid).VmRSS)/(1<<20), "MiB-RSS")
	b.ReportMetric(0, "ns/op")
}

func process(b *testing.B, pid int) procfs.Proc {
	b.Helper()
	p, err := procfs.NewProc(pid)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func stat(b *testing.B, pid int) procfs.ProcStat {
	b.Helper()
	s, err := process(b, pid).Stat()
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func status(b *testing.B, pid int) procfs.ProcStatus {
	b.Helper()
	s, err := process(b, pid).NewStatus()
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func get(url string) (string, error) {
	client := &http.Client{Timeout: 20 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return string(body), nil
}
