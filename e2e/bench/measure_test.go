package bench

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/peers"
)

// program is what one took while it was scraped.
type program struct {
	name string
	// cpu is the program's processor time and runtime what containerd and its shims
	// took more than without it, in seconds a minute.
	cpu, runtime float64
	// startRSS is the highest resident size until the first scrape was answered and
	// peakRSS the highest from then on; kernel is the kernel's memory for the program
	// at the end. In bytes.
	startRSS, peakRSS, kernel float64
	descriptors               int
	p50, p99                  time.Duration
	sent, series              int
	body                      []byte
}

// peak is the highest resident size of all.
func (f program) peak() float64 { return max(f.startRSS, f.peakRSS) }

// total is the processor time with the runtime's.
func (f program) total() float64 { return f.cpu + max(f.runtime, 0) }

// idle is what containerd and its shims take in a minute when nobody asks.
func (c *cluster) idle(b *testing.B) float64 {
	b.Helper()
	before := c.runtime(b)
	<-time.After(*observed) // the measured time, not a wait
	return (c.runtime(b) - before) / observed.Minutes()
}

func (c *cluster) runtime(b *testing.B) float64 {
	b.Helper()
	seconds, err := peers.RuntimeCPU(c.PID, c.Address)
	if err != nil {
		b.Fatal(err)
	}
	return seconds
}

// measure scrapes a program as Prometheus does and reports what it took. It must
// have started and answered a first scrape already.
func (c *cluster) measure(b *testing.B, p *peers.Program, idle float64) program {
	b.Helper()
	f := program{name: p.Name}
	first := p.MustScrape()
	f.startRSS = float64(must(p.PeakRSS())(b))
	if err := p.ResetPeak(); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	last := first
	cpu, runtime := must(p.CPU())(b), c.runtime(b)
	begin := time.Now()
	for tick := time.NewTicker(*interval); time.Since(begin) < *observed-*interval/2; <-tick.C {
		last = p.MustScrape()
		took = append(took, last.Took)
	}
	minutes := time.Since(begin).Minutes()
	f.cpu = (must(p.CPU())(b) - cpu) / minutes
	f.runtime = (c.runtime(b)-runtime)/minutes - idle
	f.peakRSS = float64(must(p.PeakRSS())(b))
	f.kernel = float64(must(p.KernelMemory())(b))
	f.descriptors = must(p.Descriptors())(b)
	slices.Sort(took)
	f.p50, f.p99 = took[len(took)/2], took[(len(took)*99+99)/100-1]
	f.sent, f.body, f.series = last.Sent, last.Body, series(last.Body)
	b.Logf("%s: %.3f CPU s/min (+%.3f of containerd), peak RSS %.1f MiB (start %.1f), kernel %.1f MiB, %d descriptors, p50 %v, p99 %v, %d bytes, %d series",
		f.name, f.cpu, f.runtime, f.peakRSS/mebibyte, f.startRSS/mebibyte, f.kernel/mebibyte, f.descriptors, f.p50, f.p99, f.sent, f.series)
	return f
}

const mebibyte = 1 << 20

func series(body []byte) int {
	n := 0
	for line := range bytes.Lines(body) {
		if len(line) > 1 && line[0] != '#' {
			n++
		}
	}
	return n
}

// must fails the benchmark on an error.
func must[T any](v T, err error) func(*testing.B) T {
	return func(b *testing.B) T {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
		return v
	}
}
