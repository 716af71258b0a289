package kube

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"

	"k8s.io/kube-state-metrics/v2/pkg/metric"
)

// record is the text of an object's series, family by family, but for what they have
// in common, which is there once. In its beginning is where each part ends, in two
// bytes each, or in four if the text is long; then come
//
//   - the block: the labels with which most series begin, which name the object;
//   - of each family its series, a line each. A line that begins with a comma or a
//     closing brace goes on after the family's name, an opening brace and the block;
//     any other after the name alone.
type record string

// short is how long a text may be whose ends have two bytes.
const short = 1 << 16

// end is where part i ends in the text, which begins at text.
func (r record) end(i int) (end, text int) {
	width := 2 << (r[0] & 1)
	parts := int(r[1]) | int(r[2])<<8
	at := 3 + i*width
	end = int(r[at]) | int(r[at+1])<<8
	if width == 4 {
		end |= int(r[at+2])<<16 | int(r[at+3])<<24
	}
	return end, 3 + parts*width
}

// block is the record's block.
func (r record) block() string {
	if r == "" {
		return ""
	}
	end, text := r.end(0)
	return string(r[text : text+end])
}

// lines are the series of a family.
func (r record) lines(family int) string {
	if r == "" {
		return ""
	}
	begin, text := r.end(family)
	end, _ := r.end(family + 1)
	return string(r[text+begin : text+end])
}

// scratch is where records are made.
type scratch struct {
	text     []byte
	ends     []int
	families []*metric.Family
}

// record makes a record of families.
func (s *scratch) record(families []*metric.Family) record {
	shared := sharedLabels(families)
	b, ends := s.text[:0], s.ends[:0]
	b = appendLabels(b, shared.keys, shared.values, false)
	ends = append(ends, len(b))
	for _, f := range families {
		for _, m := range f.Metrics {
			b = appendLine(b, m, shared)
		}
		ends = append(ends, len(b))
	}
	s.text, s.ends = b, ends
	return pack(b, ends)
}

// pack puts ends and text together.
func pack(text []byte, ends []int) record {
	width := 2
	if len(text) >= short {
		width = 4
	}
	var out strings.Builder
	out.Grow(3 + len(ends)*width + len(text))
	out.Write([]byte{byte(width / 4), byte(len(ends)), byte(len(ends) >> 8)})
	var end [4]byte
	for _, e := range ends {
		binary.LittleEndian.PutUint32(end[:], uint32(e))
		out.Write(end[:width])
	}
	out.Write(text)
	return record(out.String())
}

// labels are the first labels of series.
type labels struct{ keys, values []string }

// sharedLabels are those first labels that save most if they are written once. An
// object's name is in all its series, in some only after other labels.
func sharedLabels(families []*metric.Family) labels {
	var first *metric.Metric
	var agree []int // by number of first labels, how many series have them
	for _, f := range families {
		for _, m := range f.Metrics {
			if len(m.LabelKeys) != len(m.LabelValues) {
				panic("a series of " + f.Name + " has not as many label values as labels")
			}
			if first == nil {
				first = m
				agree = make([]int, len(m.LabelKeys)+1)
			}
			agree[common(first, m)]++
		}
	}
	best, saved, length, series := 0, 0, 0, 0
	for n := len(agree) - 1; n > 0; n-- {
		length = 0
		for i := range n {
			length += len(first.LabelKeys[i]) + len(first.LabelValues[i]) + len(`="",`)
		}
		series += agree[n]
		if s := series * length; s > saved {
			best, saved = n, s
		}
	}
	if best == 0 {
		return labels{}
	}
	return labels{first.LabelKeys[:best], first.LabelValues[:best]}
}

// common is how many first labels two series have in common.
func common(a, b *metric.Metric) int {
	n := min(len(a.LabelKeys), len(b.LabelKeys))
	for i := range n {
		if a.LabelKeys[i] != b.LabelKeys[i] || a.LabelValues[i] != b.LabelValues[i] {
			return i
		}
	}
	return n
}

// appendLine appends a series' line, from behind the block if it begins with that.
func appendLine(b []byte, m *metric.Metric, shared labels) []byte {
	keys, values := m.LabelKeys, m.LabelValues
	n := len(shared.keys)
	switch {
	case n > 0 && common(&metric.Metric{LabelKeys: shared.keys, LabelValues: shared.values}, m) == n:
		b = appendLabels(b, keys[n:], values[n:], true)
		b = append(b, '}')
	case len(keys) > 0:
		b = append(b, '{')
		b = appendLabels(b, keys, values, false)
		b = append(b, '}')
	}
	b = append(b, ' ')
	b = appendValue(b, m.Value)
	return append(b, '\n')
}

func appendLabels(b []byte, keys, values []string, comma bool) []byte {
	for i, k := range keys {
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(b, k...)
		b = append(b, '=', '"')
		b = appendEscaped(b, values[i])
		b = append(b, '"')
	}
	return b
}

// appendEscaped writes a value as kube-state-metrics does, whatever its length. Only
// what is not UTF-8 is replaced, since it would cost the whole scrape.
func appendEscaped(b []byte, v string) []byte {
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, string(utf8.RuneError))
	}
	for {
		i := strings.IndexAny(v, "\\\n\"")
		if i < 0 {
			return append(b, v...)
		}
		b = append(b, v[:i]...)
		b = append(b, '\\')
		if v[i] == '\n' {
			b = append(b, 'n')
		} else {
			b = append(b, v[i])
		}
		v = v[i+1:]
	}
}

// appendValue writes a number as kube-state-metrics does, so 1.7e+09 where others
// write digits.
func appendValue(b []byte, v float64) []byte {
	if v == 0 {
		return append(b, '0') // also of a negative zero
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}
