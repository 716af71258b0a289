package kube

import (
	"compress/gzip"
	"fmt"
	"io"
	"runtime"
	"testing"

	klauspost "github.com/klauspost/compress/gzip"
	corev1 "k8s.io/api/core/v1"
	metricsstore "k8s.io/kube-state-metrics/v2/pkg/metrics_store"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
)

const manyPods = 10_000

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func fill(b *testing.B, s *Store, n int) {
	b.Helper()
	all := make(map[watch.Key]any, n)
	for i := range n {
		p := testPod(i)
		all[watch.Key{Namespace: p.Namespace, Name: p.Name}] = s.Reduce(p)
	}
	s.Replace(all)
}

// BenchmarkMemory says how many bytes a pod takes in each store.
func BenchmarkMemory(b *testing.B) {
	r := testResource(b, "pods", nil, nil)
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			before := heap()
			s := newStore(r, everyone)
			fill(b, s, manyPods)
			b.ReportMetric(float64(heap()-before)/manyPods, "B/pod")
			runtime.KeepAlive(s)
		}
	})
	b.Run("kube-state-metrics", func(b *testing.B) {
		for b.Loop() {
			before := heap()
			s := newPeer(r)
			for i := range manyPods {
				s.Add(testPod(i))
			}
			b.ReportMetric(float64(heap()-before)/manyPods, "B/pod")
			runtime.KeepAlive(s)
		}
	})
}

// BenchmarkScrape writes all pods' text, and compresses it as each program does.
func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{1000, manyPods} {
		r := testResource(b, "pods", nil, nil)
		b.Run(fmt.Sprintf("pods=%d/ours, gzip", n), func(b *testing.B) {
			s := newStore(r, everyone)
			fill(b, s, n)
			var table family.Table
			for _, g := range s.families {
				table = append(table, g.Family)
			}
			for b.Loop() {
				w := family.NewWriter(table, nil)
				s.view().write(w)
				var out counter
				z, err := klauspost.NewWriterLevel(&out, 5) // serve's
				if err != nil {
					b.Fatal(err)
				}
				if err := family.Budget(table, []*family.Writer{w}, 0).Encode(z, family.Text); err != nil {
					b.Fatal(err)
				}
				z.Close()
				b.ReportMetric(float64(out)/1e6, "MB")
			}
		})
		b.Run(fmt.Sprintf("pods=%d/kube-state-metrics, gzip", n), func(b *testing.B) {
			s := newPeer(r)
			for i := range n {
				s.Add(testPod(i))
			}
			for b.Loop() {
				var out counter
				z := gzip.NewWriter(&out)
				for _, w := range metricsstore.SanitizeHeaders(formats[family.Text], metricsstore.MetricsWriterList{metricsstore.NewMetricsWriter("pods", s)}) {
					if err := w.WriteAll(z); err != nil {
						b.Fatal(err)
					}
				}
				z.Close()
				b.ReportMetric(float64(out)/1e6, "MB")
			}
		})
		b.Run(fmt.Sprintf("pods=%d/ours", n), func(b *testing.B) {
			s := newStore(r, everyone)
			fill(b, s, n)
			var table family.Table
			for _, g := range s.families {
				table = append(table, g.Family)
			}
			for b.Loop() {
				w := family.NewWriter(table, nil)
				s.view().write(w)
				var out counter
				if err := family.Budget(table, []*family.Writer{w}, 0).Encode(&out, family.Text); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(out))
			}
		})
		b.Run(fmt.Sprintf("pods=%d/kube-state-metrics", n), func(b *testing.B) {
			s := newPeer(r)
			for i := range n {
				s.Add(testPod(i))
			}
			for b.Loop() {
				var out counter
				for _, w := range metricsstore.SanitizeHeaders(formats[family.Text], metricsstore.MetricsWriterList{metricsstore.NewMetricsWriter("pods", s)}) {
					if err := w.WriteAll(&out); err != nil {
						b.Fatal(err)
					}
				}
				b.SetBytes(int64(out))
			}
		})
	}
}

// counter counts what is written.
type counter int64

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }

var _ io.Writer = (*counter)(nil)

// BenchmarkChange takes a pod that has changed, of many.
func BenchmarkChange(b *testing.B) {
	r := testResource(b, "pods", nil, nil)
	pods := make([]*corev1.Pod, 1000)
	for i := range pods {
		pods[i] = testPod(i)
	}
	b.Run("ours", func(b *testing.B) {
		s := newStore(r, everyone)
		fill(b, s, len(pods))
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			p := pods[i*7%len(pods)]
			s.Set(watch.Key{Namespace: p.Namespace, Name: p.Name}, s.Reduce(p))
		}
	})
	b.Run("kube-state-metrics", func(b *testing.B) {
		s := newPeer(r)
		for _, p := range pods {
			s.Add(p)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			s.Update(pods[i*7%len(pods)])
		}
	})
}
