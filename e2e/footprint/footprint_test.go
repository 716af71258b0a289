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

// The benchmarks run the program once, whatever b.N is: they are about a state, not
// an operation.

// BenchmarkUp measures the program as it is started.
func BenchmarkUp(b *testing.B) {
	m := newMachine(b)
	start := time.Now()
	p := m.up(b)
	b.ReportMetric(p.shown(b).Sub(start).Seconds(), "s-to-page")
	p.observe(b, observed)
	p.stop(b)
}

// BenchmarkUpWithThreeHoursOfSamples measures it with as many samples in memory as
// there are before a block is written, which three hours make at the usual
// interval; then after a restart, which reads them back.
func BenchmarkUpWithThreeHoursOfSamples(b *testing.B) {
	const scrapes = 3 * 3600 / 5
	m := newMachine(b)
	p := m.up(b, "--scrape-interval=100ms")
	p.shown(b)
	p.observe(b, scrapes*100*time.Millisecond)
	p.stop(b)
	start := time.Now()
	p = m.up(b)
	p.shown(b)
	b.ReportMetric(time.Since(start).Seconds(), "s-to-page-again")
	b.ReportMetric(float64(p.status(b).VmHWM)/(1<<20), "MiB-peak-RSS-again")
	p.stop(b)
}

// machine is this one, with containers on it.
type machine struct {
	program, data, containerd string
}

func newMachine(b *testing.B) *machine {
	c := containerd.Start(b)
	runContainers(b, c)
	m := &machine{program: filepath.Join(b.TempDir(), "loadline"), data: filepath.Join(b.TempDir(), "data"), containerd: c.Address}
	build := exec.Command("go", "build", "-trimpath", "-o", m.program, "../../cmd/loadline")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building: %v\n%s", err, out)
	}
	return m
}

func name(i int) string { return fmt.Sprintf("footprint-%03d", i) }

func runContainers(b *testing.B, c *containerd.Containerd) {
	ctx := b.Context()
	var wg sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i := range containers {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c.Run(ctx, containerd.Spec{
				Namespace: "default", ID: name(i), Args: []string{"hold", "2MiB"},
				MemoryLimit: 16 << 20, CPUQuota: 50_000, CPUPeriod: 100_000,
			})
		})
	}
	wg.Wait()
}

// program is a running `loadline up`.
type program struct {
	cmd *exec.Cmd
	url string
}

// up starts the program and waits until it says what to open.
func (m *machine) up(b *testing.B, flags ...string) *program {
	b.Helper()
	cmd := exec.Command(m.program, append([]string{
		"up", "--web.listen-address=127.0.0.1:0", "--data-dir=" + m.data,
		"--containerd-address=" + m.containerd, "--docker-host=unix:///nowhere/docker.sock", "--kubelet-url=http://127.0.0.1:1",
	}, flags...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill() }) // if it was not stopped
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if url, ok := strings.CutPrefix(lines.Text(), "Open "); ok {
			go io.Copy(io.Discard, out)
			return &program{cmd, url}
		}
	}
	b.Fatalf("it did not say what to open: %v", lines.Err())
	return nil
}

// stop orders the program to stop and waits until it has.
func (p *program) stop(b *testing.B) {
	b.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.Error(err)
	}
	if err := p.cmd.Wait(); err != nil {
		b.Errorf("stopping: %v", err)
	}
	b.ReportMetric(0, "ns/op") // says nothing here
}

// shown waits until the page has every container, and tells when that was.
func (p *program) shown(b *testing.B) time.Time {
	b.Helper()
	wait.For(b, time.Minute, "the page to show every container", func() error {
		page, err := get(p.url)
		if err != nil {
			return err
		}
		for i := range containers {
			if !strings.Contains(page, name(i)) {
				return fmt.Errorf("%s is not on the page", name(i))
			}
		}
		return nil
	})
	return time.Now()
}

// observe looks at the page now and then, as a person would, and reports what the
// process took.
func (p *program) observe(b *testing.B, length time.Duration) {
	b.Helper()
	before := p.stat(b)
	ctx, cancel := context.WithTimeout(b.Context(), length)
	defer cancel()
	look := time.NewTicker(5 * time.Second)
	defer look.Stop()
	for ctx.Err() == nil {
		select {
		case <-look.C:
			if _, err := get(p.url + "live"); err != nil {
				b.Error(err)
			}
		case <-ctx.Done():
		}
	}
	b.ReportMetric((p.stat(b).CPUTime()-before.CPUTime())/length.Minutes(), "cpu-s/min")
	b.ReportMetric(float64(p.status(b).VmHWM)/(1<<20), "MiB-peak-RSS")
	b.ReportMetric(float64(p.status(b).VmRSS)/(1<<20), "MiB-RSS")
}

func (p *program) process(b *testing.B) procfs.Proc {
	b.Helper()
	process, err := procfs.NewProc(p.cmd.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	return process
}

func (p *program) stat(b *testing.B) procfs.ProcStat {
	b.Helper()
	s, err := p.process(b).Stat()
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (p *program) status(b *testing.B) procfs.ProcStatus {
	b.Helper()
	s, err := p.process(b).NewStatus()
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
