package family

import (
	"hash/fnv"
	"math"
	"strconv"
	"unicode/utf8"
)

// MaxLabelBytes bounds a label's value. What containers, images and labels say is
// hostile; the longest honest value is an image reference with its digest, well
// below it. A longer value is cut and ends in a hash of the whole, so that two
// long values that differ stay two series.
const MaxLabelBytes = 1024

// Writer collects the series of one collector for one scrape. It is used by one
// goroutine at a time.
type Writer struct {
	series map[*Family]*Series

	admission *Admission
	foreign   []*Series
	claimed   map[string]string // by a sample's name, the foreign family that has it
}

// NewWriter returns a writer for the families of enabled, with as much room as
// sizes say.
func NewWriter(enabled Table, sizes Sizes) *Writer {
	w := &Writer{series: make(map[*Family]*Series, len(enabled))}
	all := make([]Series, len(enabled))
	for i, f := range enabled {
		s := &all[i]
		*s = Series{family: f, enabled: true}
		if former := sizes[f]; former.samples > 0 {
			s.samples = make([]sample, 0, former.samples+former.samples/8)
			s.own = make([]byte, 0, former.own+former.own/8)
		}
		w.series[f] = s
	}
	return w
}

// Sizes say how much room families take.
type Sizes map[*Family]room

type room struct{ samples, own int }

// Sizes are those of what the writer holds, for the next one.
func (w *Writer) Sizes() Sizes {
	out := make(Sizes, len(w.series))
	for f, s := range w.series {
		if len(s.samples) > 0 {
			out[f] = room{len(s.samples), len(s.own)}
		}
	}
	return out
}

// Series returns the place for f's samples. A family that is turned off, or is
// not the collector's, has one too: it drops what is added.
func (w *Writer) Series(f *Family) *Series {
	if s, ok := w.series[f]; ok {
		return s
	}
	s := &Series{family: f}
	w.series[f] = s
	return s
}

// Series are the series of one family. They are held as values beside labels that
// are rendered, not as text: the text of a node with many containers has megabytes,
// and is made piece by piece while it is sent.
type Series struct {
	family  *Family
	enabled bool
	foreign bool // own has suffixes, and braces, too
	samples []sample
	own     []byte // the labels of all samples that no block has, rendered

	lines    Lines // makes the samples instead, where they are kept as text
	rendered int   // how many lines makes
}

// sample is one series' value.
type sample struct {
	value float64
	block string // rendered labels that several families share
	end   int    // of what Series.own has of this sample; it begins where the one before ends
}

// Enabled says whether what is added is kept: a collector may skip the work for
// a family that is turned off.
func (s *Series) Enabled() bool { return s.enabled }

// Add adds a sample. The values are those of the family's labels, in their order;
// a missing or surplus one is a programming error and panics.
func (s *Series) Add(v float64, labels ...string) {
	s.AddBlock(Block{}, v, labels...)
}

// AddBlock adds a sample whose first labels are those of a block that several
// families share, and the rest as given.
func (s *Series) AddBlock(b Block, v float64, labels ...string) {
	if !s.enabled {
		return
	}
	if s.family.Type == Histogram {
		panic("family " + s.family.Name + ": a histogram is added by AddHistogram")
	}
	s.appendOwn(b, labels)
	s.samples = append(s.samples, sample{value: v, block: b.text, end: len(s.own)})
}

func (s *Series) appendOwn(b Block, labels []string) {
	if b.n+len(labels) != len(s.family.Labels) {
		panic("family " + s.family.Name + ": wrong number of label values")
	}
	s.own = appendLabels(s.own, s.family.Labels[b.n:], labels, false)
}

// appendSample appends the i-th sample as a line.
func (s *Series) appendSample(out []byte, i int) []byte {
	first, part := i, 0
	if n := s.family.parts(); n > 1 && !s.foreign {
		first, part = i-i%n, i%n
	}
	begin := 0
	if first > 0 {
		begin = s.samples[first-1].end
	}
	this := s.samples[i]
	own := s.own[begin:this.end]
	out = append(out, s.family.Name...)
	switch {
	case s.foreign:
		out = append(out, own...)
	case s.family.Type == Histogram:
		out = s.family.appendPart(out, part, this.block, own)
	case len(s.family.Labels) > 0:
		out = append(out, '{')
		out = appendJoined(out, this.block, own)
		out = append(out, '}')
	}
	out = append(out, ' ')
	out = appendValue(out, this.value)
	return append(out, '\n')
}

// appendJoined appends the labels of a block and those beside it.
func appendJoined(out []byte, block string, own []byte) []byte {
	out = append(out, block...)
	if len(block) > 0 && len(own) > 0 {
		out = append(out, ',')
	}
	return append(out, own...)
}

// Block is the rendered form of the labels that begin several families, such as
// those that name a container.
type Block struct {
	n    int
	text string
}

// NewBlock renders values as the labels names.
func NewBlock(names, values []string) Block {
	if len(names) != len(values) {
		panic("family: a block needs a value for each label")
	}
	size := 0
	for i, name := range names {
		size += len(name) + len(`="",`) + min(len(values[i]), MaxLabelBytes)
	}
	return Block{n: len(names), text: string(appendLabels(make([]byte, 0, size), names, values, false))}
}

func appendLabels(b []byte, names, values []string, comma bool) []byte {
	for i, name := range names {
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(b, name...)
		b = append(b, '=', '"')
		b = appendEscaped(b, values[i])
		b = append(b, '"')
	}
	return b
}

// appendEscaped writes a label's value: bounded, valid UTF-8, and escaped as both
// formats want it (backslash, quote, newline).
func appendEscaped(b []byte, v string) []byte {
	v = Bound(v)
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case c == '\\':
			b = append(b, '\\', '\\')
		case c == '"':
			b = append(b, '\\', '"')
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(v[i:])
			b = utf8.AppendRune(b, r) // RuneError for what is not UTF-8
			i += size
			continue
		}
		i++
	}
	return b
}

// Bound is a label's value as it is served: one that is too long is cut, and ends in
// a hash of the whole. What is kept of hostile values need not be longer.
func Bound(v string) string {
	if len(v) <= MaxLabelBytes {
		return v
	}
	h := fnv.New64a()
	h.Write([]byte(v))
	const suffix = len("~0123456789abcdef")
	cut := MaxLabelBytes - suffix
	for cut > 0 && !utf8.RuneStart(v[cut]) {
		cut--
	}
	sum := strconv.FormatUint(h.Sum64(), 16)
	return v[:cut] + "~" + "0000000000000000"[len(sum):] + sum
}

// appendValue writes whole numbers without an exponent: shorter to render and to
// compress, and the same number to every parser.
func appendValue(b []byte, v float64) []byte {
	const exact = 1 << 53
	if v == math.Trunc(v) && v > -exact && v < exact {
		return strconv.AppendInt(b, int64(v), 10)
	}
	switch {
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case math.IsInf(v, -1):
		return append(b, "-Inf"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}
