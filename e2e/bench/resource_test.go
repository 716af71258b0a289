// Package bench measures what the exporters cost beside what they replace, on real
// containers.
package bench

import (
	"flag"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/peers"
)

var (
	observed = flag.Duration("observed", 2*time.Minute, "how long each program is observed")
	interval = flag.Duration("interval", 10*time.Second, "time from scrape to scrape")
	small    = flag.Int("pods", 60, "pods that run; four times as many for the growth")
	growth   = flag.Bool("growth", true, "measure the exporter with four times as many pods, too")
	profiled = flag.Bool("profile", false, "print the exporter's profile when a bar is missed")
	update   = flag.Bool("update", false, "write the figures into docs/benchmarks.md")
)

// BenchmarkResource measures the resource exporter, node_exporter, cAdvisor at two
// intervals and the floor, one after the other, on the same containers. It runs
// once, whatever b.N is.
func BenchmarkResource(b *testing.B) {
	c := newCluster(b)
	c.grow(b, *small)
	var r results
	r.containers = c.containers()
	r.idle = c.idle(b)

	exporter := peers.Exporter(b, c.Address)
	r.ours = c.measure(b, exporter, r.idle)
	r.files = exporter.Reads()
	exporter.Stop()

	idle := r.idle
	with := func(p *peers.Program) program {
		defer p.Stop()
		return c.measure(b, p, idle)
	}
	r.node = with(peers.NodeExporter(b))
	r.second = with(peers.CAdvisor(b, "cAdvisor, 1 s", c.Address, peers.KubeletSets))
	r.tenSeconds = with(peers.CAdvisor(b, "cAdvisor, 10 s", c.Address, peers.KubeletSets, "-housekeeping_interval=10s", "-max_housekeeping_interval=15s"))
	r.floor = with(peers.Floor(b, r.files))
	if *growth {
		c.grow(b, 4**small)
		idle = c.idle(b)
		r.grown = with(peers.Exporter(b, c.Address))
	}
	b.ReportMetric(0, "ns/op") // says nothing here
	r.report(b)
	if *profiled {
		r.profile(b, c)
	}
}
