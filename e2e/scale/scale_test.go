// Package scale measures what the orchestrator exporter costs beside
// kube-state-metrics, on a real API server with many pods.
package scale

import (
	"bytes"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/figures"
	"github.com/loadline-exporters/loadline/e2e/peers"
)

var (
	observed = flag.Duration("observed", 2*time.Minute, "how long each program is observed, first while nothing changes and then while pods change")
	interval = flag.Duration("interval", 10*time.Second, "time from scrape to scrape")
	large    = flag.Int("pods", 10_000, "pods that there are; a tenth of them for the growth")
	aSecond  = flag.Int("changes", 100, "pods that change in a second")
	update   = flag.Bool("update", false, "write the figures into docs/benchmarks.md")
)

// timed is how many scrapes of each kind are timed.
const timed = 20

// program is what one took.
type program struct {
	name                      string
	quiet, busy               float64 // processor time while nothing and while pods change, in seconds a minute
	server                    float64 // the API server's while pods change, in seconds a minute
	starting, steady, changed float64 // resident size: its peak until it was settled, then, and after pods have changed; in bytes
	live                      float64 // heap, after the garbage was collected, in bytes
	plain, packed             time.Duration
	bytes, series             int
	families                  map[string]int // series by family
}

// BenchmarkOrchestrator measures kube-state-metrics, the exporter with the same
// families and the exporter with all of its own, one after the other, on the same
// objects. It runs once, whatever b.N is.
func BenchmarkOrchestrator(b *testing.B) {
	o := newObjects(b)
	few := max(*large/10, podsOfDeployment)
	o.grow(b, few)
	small := o.measure(b, "orchestrator-exporter", 0, o.exporter)
	small.name = fmt.Sprintf("%s, %d pods", small.name, few)
	o.grow(b, *large)
	idle := o.baseline(b)
	theirs := o.measure(b, "kube-state-metrics", idle, func(b *testing.B) *peers.Program {
		return peers.KubeStateMetrics(b, o.Kubeconfig, "--enable-gzip-encoding")
	})
	alike := o.measure(b, "the same families", idle, o.compatible)
	same(b, theirs.families, alike.families)
	all := o.measure(b, "orchestrator-exporter", idle, o.exporter)
	b.ReportMetric(0, "ns/op") // says nothing here
	bars := []figures.Bar{
		figures.Ratio("steady RSS, same families", alike.steady, theirs.steady, 0.7),
		figures.Ratio("live heap, same families", alike.live, theirs.live, 0.7),
		figures.Ratio("peak RSS while starting, against steady", alike.starting, alike.steady, 1.5),
		figures.Ratio("scrape p50, plain", alike.plain.Seconds(), theirs.plain.Seconds(), 0.5),
		figures.Ratio("scrape p50, gzip", alike.packed.Seconds(), theirs.packed.Seconds(), 0.5),
		figures.Ratio(fmt.Sprintf("CPU while %d pods a second change, same families", *aSecond), alike.busy, theirs.busy, 1),
		figures.Ratio("steady RSS, with the exporter's own families", all.steady, theirs.steady, 1.1),
		figures.Ratio("live heap of ten times as many pods", all.live, small.live, 11),
		figures.Ratio("scrape p50 of ten times as many pods", all.packed.Seconds(), small.packed.Seconds(), 11),
	}
	text := o.table(b, theirs, alike, all, small) + "\n" + figures.Table(bars)
	fmt.Println(text)
	if *update {
		figures.Write(b, "orchestrator", text)
	}
}

func (o *objects) exporter(b *testing.B) *peers.Program {
	return peers.Orchestrator(b, o.Kubeconfig, "--web.enable-pprof")
}

// compatible is the exporter with what kube-state-metrics has, and no more.
func (o *objects) compatible(b *testing.B) *peers.Program {
	return peers.Orchestrator(b, o.Kubeconfig, "--web.enable-pprof", "--metric-denylist=loadline_.*")
}

func (o *objects) table(b *testing.B, rows ...program) string {
	b.Helper()
	var t strings.Builder
	fmt.Fprintf(&t, "%s\n", figures.Where(b, "kube-state-metrics "+peers.KubeStateMetricsVersion+", Kubernetes 1.36.3"))
	fmt.Fprintf(&t, "%d pods of two containers in %d deployments with a service each, on %d nodes; each program was scraped every %v, for %v while nothing changed and for %v while %d pods a second did, one after the other in the order of the table; %d scrapes of each kind were timed.\n\n",
		o.deployments*podsOfDeployment, o.deployments, nodes, *interval, *observed, *observed, *aSecond, timed)
	t.WriteString("| program | RSS MiB | peak while starting | after changes | live heap MiB | p50 ms plain | p50 ms gzip | CPU s/min quiet | CPU s/min busy | + API server | MB a scrape | series |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range rows {
		fmt.Fprintf(&t, "| %s | %.1f | %.1f | %.1f | %.1f | %.0f | %.0f | %.2f | %.2f | %.2f | %.1f | %d |\n", p.name,
			p.steady/mebibyte, p.starting/mebibyte, p.changed/mebibyte, p.live/mebibyte, milliseconds(p.plain), milliseconds(p.packed),
			p.quiet, p.busy, p.server, float64(p.bytes)/1e6, p.series)
	}
	return t.String()
}

const mebibyte = 1 << 20

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// baseline is the API server's processor time while pods change and nobody watches.
func (o *objects) baseline(b *testing.B) float64 {
	b.Helper()
	stop := o.change(b, *aSecond)
	defer stop()
	before := must(peers.CPU(o.APIServer.PID()))(b)
	<-time.After(*observed) // the measured time, not a wait
	return (must(peers.CPU(o.APIServer.PID()))(b) - before) / observed.Minutes()
}

// measure starts a program, waits until it serves every pod, and measures it.
func (o *objects) measure(b *testing.B, name string, idle float64, start func(*testing.B) *peers.Program) program {
	b.Helper()
	p := start(b)
	defer p.Stop()
	r := program{name: name}
	o.settle(b, p)
	r.quiet = o.scraped(b, p)
	// What a start leaves behind is returned by then, or never.
	r.starting, r.steady = float64(must(p.PeakRSS())(b)), float64(must(p.RSS())(b))
	r.packed = median(func() peers.Answer { return must(p.Scrape())(b) })
	var last peers.Answer
	r.plain = median(func() peers.Answer { last = must(p.ScrapePlain())(b); return last })
	r.bytes, r.families = len(last.Body), families(last.Body)
	for _, n := range r.families {
		r.series += n
	}

	stop := o.change(b, *aSecond)
	before := must(peers.CPU(o.APIServer.PID()))(b)
	r.busy = o.scraped(b, p)
	r.server = (must(peers.CPU(o.APIServer.PID()))(b)-before)/observed.Minutes() - idle
	stop()
	r.changed = float64(must(p.RSS())(b))
	r.live = must(p.LiveHeap())(b)
	b.Logf("%s: RSS %.1f MiB, started with %.1f, after changes %.1f, live heap %.1f; p50 %v plain, %v gzip; %.2f and %.2f CPU s/min, API server %.2f",
		r.name, r.steady/mebibyte, r.starting/mebibyte, r.changed/mebibyte, r.live/mebibyte, r.plain, r.packed, r.quiet, r.busy, r.server)
	return r
}

// settle waits until every pod is served.
func (o *objects) settle(b *testing.B, p *peers.Program) {
	b.Helper()
	want := o.deployments * podsOfDeployment
	for deadline := time.Now().Add(3 * time.Minute); ; {
		got := bytes.Count(must(p.ScrapePlain())(b).Body, []byte("\nkube_pod_info{"))
		if got >= want {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s serves %d pods of %d", p.Name, got, want)
		}
		<-time.After(time.Second)
	}
}

// scraped scrapes a program for as long as it is observed, and returns its processor
// time in seconds a minute.
func (o *objects) scraped(b *testing.B, p *peers.Program) float64 {
	b.Helper()
	before, began := must(p.CPU())(b), time.Now()
	for tick := time.NewTicker(*interval); time.Since(began) < *observed-*interval/2; <-tick.C {
		p.MustScrape()
	}
	return (must(p.CPU())(b) - before) / time.Since(began).Minutes()
}

func median(scrape func() peers.Answer) time.Duration {
	var took []time.Duration
	for range timed {
		took = append(took, scrape().Took)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func families(body []byte) map[string]int {
	by := map[string]int{}
	for line := range bytes.Lines(body) {
		if len(line) > 1 && line[0] != '#' {
			by[string(line[:bytes.IndexAny(line, "{ ")])]++
		}
	}
	return by
}

// same checks that kube-state-metrics' families have as many series in both, but for
// those that only pods have which are ready: some are not after each measurement.
func same(b *testing.B, theirs, ours map[string]int) {
	b.Helper()
	for name, n := range theirs {
		if ours[name] != n && !strings.HasSuffix(name, "_ready_time") {
			b.Errorf("kube-state-metrics has %d series of %s, the exporter %d", n, name, ours[name])
		}
	}
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
