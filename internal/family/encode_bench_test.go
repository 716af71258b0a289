package family

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// containers are the series of n containers: sixty families, each with the same
// labels, of which the ids are as long and as random as real ones.
func containers(n int) Budgeted {
	names := []string{"id", "name", "image", "namespace", "pod", "container", "workload", "workload_type"}
	var table Table
	for i := range 60 {
		table = append(table, &Family{Name: fmt.Sprintf("loadline_x%d", i), Type: Gauge, Help: "X.", Labels: names, Collector: "x"})
	}
	w := NewWriter(table, nil)
	for i := range n {
		h := fnv.New128a()
		fmt.Fprint(h, i)
		sum := h.Sum(nil)
		id := fmt.Sprintf("%x%x", fnv.New128().Sum(sum)[:16], sum)
		l := NewBlock(names, []string{
			fmt.Sprintf("/kubepods/burstable/pod%x/%s", sum, id), id, "registry.example/shop/web:1.2.3",
			"shop", fmt.Sprintf("web-%x", sum[:5]), "app", "web", "deployment",
		})
		for j, f := range table {
			w.Series(f).AddBlock(l, float64(i*j))
		}
	}
	return Budget(table, []*Writer{w}, 0)
}

// BenchmarkEncode makes the text of containers and compresses it, by level, and says
// how many bytes are sent; "in order" is without turning long families round.
func BenchmarkEncode(b *testing.B) {
	for _, n := range []int{30, 120, 480} {
		series := containers(n)
		var straight bytes.Buffer
		for _, s := range series.Kept {
			straight.Write(s.family.appendHeader(nil, Text))
			for i := range s.samples {
				straight.Write(s.appendSample(nil, i))
			}
		}
		for _, level := range []int{1, compressed, 6} {
			b.Run(fmt.Sprintf("containers=%d/level=%d/as sent", n, level), func(b *testing.B) {
				compress(b, level, func(w io.Writer) error { return series.Encode(w, Text) })
			})
			b.Run(fmt.Sprintf("containers=%d/level=%d/in order", n, level), func(b *testing.B) {
				compress(b, level, func(w io.Writer) error {
					for part := range slices.Chunk(straight.Bytes(), piece) {
						if _, err := w.Write(part); err != nil {
							return err
						}
					}
					return nil
				})
			})
		}
	}
}

// compressed is the level that exporters send with.
const compressed = 5

func compress(b *testing.B, level int, write func(io.Writer) error) {
	b.Helper()
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		out.Reset()
		z.Reset(&out)
		if err := write(z); err != nil {
			b.Fatal(err)
		}
		if err := z.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(out.Len()), "bytes")
}
