package family

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

var (
	waiting = &Family{
		Name: "loadline_waiting_seconds", Type: Histogram, Unit: "seconds", Help: "Waiting.",
		Labels: []string{"a", "b"}, Buckets: []float64{0.5, 1, 2.5}, Collector: "x",
	}
	bare = &Family{Name: "loadline_bare_seconds", Type: Histogram, Help: "Bare.", Buckets: []float64{1}, Collector: "x"}
)

func distribution(f *Family, values ...float64) (d Distribution) {
	for _, v := range values {
		d.Observe(f, v)
	}
	return d
}

func TestAHistogramIsTheSameInBothFormats(t *testing.T) {
	w := NewWriter(Table{waiting, bare}, nil)
	shared := NewBlock([]string{"a"}, []string{"x"})
	w.Series(waiting).AddHistogram(shared, distribution(waiting, 0.5, 0.6, 7, math.NaN(), math.Inf(1)), "1")
	w.Series(waiting).AddHistogram(shared, Distribution{}, "2")
	w.Series(bare).AddHistogram(Block{}, distribution(bare, 3))
	b := Budget(Table{waiting, bare}, []*Writer{w}, 0)
	if b.Series != 6+6+4 {
		t.Errorf("%d series are counted", b.Series)
	}
	of := func(suffix, labels string, v float64) readBack {
		return readBack{fmt.Sprintf(`{__name__="loadline_waiting_seconds_%s", a="x", b=%s}`, suffix, labels), v}
	}
	want := []readBack{
		of("bucket", `"1", le="0.5"`, 1), of("bucket", `"1", le="1.0"`, 2), of("bucket", `"1", le="2.5"`, 2), of("bucket", `"1", le="+Inf"`, 3),
		of("sum", `"1"`, 8.1), of("count", `"1"`, 3),
		of("bucket", `"2", le="0.5"`, 0), of("bucket", `"2", le="1.0"`, 0), of("bucket", `"2", le="2.5"`, 0), of("bucket", `"2", le="+Inf"`, 0),
		of("sum", `"2"`, 0), of("count", `"2"`, 0),
		{`{__name__="loadline_bare_seconds_bucket", le="1.0"}`, 0}, {`{__name__="loadline_bare_seconds_bucket", le="+Inf"}`, 1},
		{`{__name__="loadline_bare_seconds_sum"}`, 3}, {`{__name__="loadline_bare_seconds_count"}`, 1},
	}
	for _, format := range []Format{Text, OpenMetrics} {
		got, types := parse(t, encode(b, format), format)
		if !slices.Equal(got, want) {
			t.Errorf("got %+v", got)
		}
		if typ := types["loadline_waiting_seconds"]; typ != "histogram" {
			t.Errorf("it is a %s", typ)
		}
	}
}

func TestBucketsOfLongHistogramsAscend(t *testing.T) {
	other := *waiting
	other.Name = "loadline_other_seconds"
	w := NewWriter(Table{waiting, &other}, nil)
	for i := range 1000 {
		for _, f := range []*Family{waiting, &other} {
			w.Series(f).AddHistogram(Block{}, distribution(f, float64(i)), "x", fmt.Sprint(i))
		}
	}
	text := encode(Budget(Table{waiting, &other}, []*Writer{w}, 0), OpenMetrics)
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		if bytes.Contains(line, []byte(`le="0.5"`)) && !bytes.Contains(lines[i+1], []byte(`le="1.0"`)) {
			t.Fatalf("%s is followed by %s", line, lines[i+1])
		}
	}
}

func TestAForeignFamilyMayNotHaveNamesOfAHistogram(t *testing.T) {
	a, err := NewAdmission(Table{waiting}, nil, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	w := NewWriter(nil, nil)
	w.Admit(a)
	if _, err := w.Foreign(&Family{Name: waiting.Name + "_count", Type: Counter, Help: "X."}); err == nil || !strings.Contains(err.Error(), "_count") {
		t.Errorf("got %v", err)
	}
}

func TestAHistogramIsNoSampleAndASampleNoHistogram(t *testing.T) {
	w := NewWriter(Table{waiting, size}, nil)
	for name, add := range map[string]func(){
		"a sample":    func() { w.Series(waiting).Add(1, "a", "b") },
		"a histogram": func() { w.Series(size).AddHistogram(Block{}, Distribution{}, "b") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", name)
				}
			}()
			add()
		}()
	}
}
