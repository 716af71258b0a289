package family

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// bucketLabel is the label of a histogram's upper bounds.
const bucketLabel = "le"

// Distribution is what a histogram observed: how many values each bucket has, not
// those below it, and their sum. Its zero value is empty.
type Distribution struct {
	counts []uint64 // one more than the family's buckets
	sum    float64
}

// Observe adds a value of a histogram f. What is no number is left out.
func (d *Distribution) Observe(f *Family, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if d.counts == nil {
		d.counts = make([]uint64, len(f.Buckets)+1)
	}
	i, _ := slices.BinarySearch(f.Buckets, v)
	d.counts[i]++
	d.sum += v
}

// AddHistogram adds one histogram: its first labels are those of a block, the rest
// as given, le excepted. It is as many series as the family has buckets, and three.
func (s *Series) AddHistogram(b Block, d Distribution, labels ...string) {
	if s.family.Type != Histogram {
		panic("family " + s.family.Name + ": it is no histogram")
	}
	if !s.enabled {
		return
	}
	s.appendOwn(b, labels)
	add := func(v float64) {
		s.samples = append(s.samples, sample{value: v, block: b.text, end: len(s.own)})
	}
	var below uint64
	for i := range len(s.family.Buckets) + 1 {
		if i < len(d.counts) {
			below += d.counts[i]
		}
		add(float64(below))
	}
	add(d.sum)
	add(float64(below))
}

// parts is of how many samples one value of the family consists.
func (f *Family) parts() int {
	if f.Type == Histogram {
		return len(f.Buckets) + 3 // that of +Inf, the sum, the count
	}
	return 1
}

// appendPart appends what follows a histogram's name: the suffix and the labels of
// one of its series.
func (f *Family) appendPart(out []byte, part int, block string, own []byte) []byte {
	suffix, bound := "_bucket", ""
	switch n := len(f.Buckets); {
	case part < n:
		bound = formatBound(f.Buckets[part])
	case part == n:
		bound = "+Inf"
	case part == n+1:
		suffix = "_sum"
	default:
		suffix = "_count"
	}
	out = append(out, suffix...)
	if bound == "" && block == "" && len(own) == 0 {
		return out
	}
	out = append(out, '{')
	out = appendJoined(out, block, own)
	if bound != "" {
		if out[len(out)-1] != '{' {
			out = append(out, ',')
		}
		out = append(out, bucketLabel...)
		out = append(out, '=', '"')
		out = append(out, bound...)
		out = append(out, '"')
	}
	return append(out, '}')
}

// formatBound writes a bound as OpenMetrics wants it, and Prometheus keeps it since
// version 3 whatever the format: a whole number ends in ".0". So it is the same
// series in both formats.
func formatBound(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if strings.ContainsAny(s, ".e") {
		return s
	}
	return s + ".0"
}
