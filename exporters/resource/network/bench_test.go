package network

import (
	"fmt"
	"testing"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/source"
)

// pods is how many the benchmarks have.
const pods = 64

func newPods(b *testing.B) *realPods {
	var names []string
	for i := range pods {
		names = append(names, fmt.Sprint("pod-", i))
	}
	r := newRealPods(b, names...)
	for _, name := range names {
		r.connect(name, r.listen(name, "127.0.0.1:0"))
	}
	return r
}

func run(b *testing.B, collector string, c func(*family.Writer) error) {
	b.Helper()
	own := metrics.Table().Of(collector)
	var sizes family.Sizes
	b.ReportAllocs()
	for b.Loop() {
		w := family.NewWriter(own, sizes)
		if err := c(w); err != nil {
			b.Fatal(err)
		}
		sizes = w.Sizes()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/pods, "µs/pod")
}

// BenchmarkInterfaces is a scrape of 64 pods' interfaces.
func BenchmarkInterfaces(b *testing.B) {
	c := &Interfaces{Namespaces: newPods(b).namespaces()}
	run(b, "network", func(w *family.Writer) error { return c.Collect(b.Context(), w) })
}

// BenchmarkConnections is a scrape of 64 pods' sockets: while nothing happens, with
// all counted anew, and with as many as the pace allows when scrapes follow each other
// at once, which is the least.
func BenchmarkConnections(b *testing.B) {
	r := newPods(b)
	for name, before := range map[string]func(*Connections){
		"idle": func(*Connections) {},
		"counted anew": func(c *Connections) {
			for _, m := range c.memories {
				m.connectionsAt = m.connectionsAt.Add(-2 * countedAtLeast)
				m.connectionsOf = counters{}
			}
		},
		"paced": func(c *Connections) {
			for _, m := range c.memories {
				m.connectionsOf = counters{}
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			c := &Connections{Namespaces: r.namespaces(), Source: source.New("sockets")}
			run(b, "connection", func(w *family.Writer) error {
				before(c)
				return c.Collect(b.Context(), w)
			})
		})
	}
}

// BenchmarkSockets lists a namespace of many sockets.
func BenchmarkSockets(b *testing.B) {
	const connected = 2000
	r := newRealPods(b, "web")
	l := r.listen("web", "127.0.0.1:0")
	for range connected {
		r.connect("web", l)
	}
	c := &Connections{Namespaces: r.namespaces(), Source: source.New("sockets")}
	run(b, "connection", func(w *family.Writer) error {
		for _, m := range c.memories {
			m.connectionsAt = m.connectionsAt.Add(-2 * countedAtLeast)
			m.connectionsOf = counters{}
		}
		return c.Collect(b.Context(), w)
	})
}
