package family

import (
	"io"
	"strings"
)

// Format is an exposition format.
type Format int

// The formats that an exporter serves.
const (
	Text        Format = iota // Prometheus text format 0.0.4
	OpenMetrics               // OpenMetrics 1.0
)

// Dropped says what was not admitted, and why.
type Dropped struct {
	Family *Family
	Series int
	Reason string
}

// Why a family was dropped: Dropped.Reason.
const (
	ReasonBudget = "budget" // it did not fit into the series budget
	ReasonName   = "name"   // two collectors have a foreign family of one name
)

// Budgeted is what writers hold, cut to a series budget.
type Budgeted struct {
	Kept    []*Series
	Series  int // kept series
	Dropped []Dropped
}

// Budget orders the series of writers as table lists the families, foreign ones by
// name after them, and admits families while they fit into budget series. A family is admitted whole or not
// at all: a sum over half of a family would be a wrong number, an absent family
// is seen. A budget of 0 admits everything.
func Budget(table Table, writers []*Writer, budget int) Budgeted {
	byFamily := make(map[*Family]*Series, len(table))
	for _, w := range writers {
		for f, s := range w.series {
			if s.served() {
				byFamily[f] = s
			}
		}
	}
	var out Budgeted
	admit := func(s *Series) {
		n := s.len()
		if budget > 0 && out.Series+n > budget {
			out.Dropped = append(out.Dropped, Dropped{Family: s.family, Series: n, Reason: ReasonBudget})
			return
		}
		out.Kept = append(out.Kept, s)
		out.Series += n
	}
	for _, f := range table {
		if s := byFamily[f]; s != nil {
			admit(s)
		}
	}
	foreign, doubled := foreignOf(writers)
	for _, s := range foreign {
		admit(s)
	}
	out.Dropped = append(out.Dropped, doubled...)
	return out
}

// piece is how much text is made at a time: as much as gzip's window. A family that
// is longer counts as long.
const piece = 32 << 10

// Encode writes the kept families to w, in pieces. OpenMetrics' closing "# EOF" is
// left to the caller, who may have more to say.
//
// Long families have their samples in order and in reverse by turns. Their labels
// are the same from family to family and longer together than gzip's window: what
// ended the last family is still in it when the next begins with that. Shorter ones
// stay in order, where all that was said of the last family is in the window still
// (BenchmarkEncode). Histograms stay in order too: buckets ascend.
func (k Budgeted) Encode(w io.Writer, format Format) error {
	b := make([]byte, 0, piece+4<<10)
	full := func(b []byte) ([]byte, error) {
		if len(b) < piece {
			return b, nil
		}
		_, err := w.Write(b)
		return b[:0], err
	}
	backwards := false
	for _, s := range k.Kept {
		var err error
		b = s.family.appendHeader(b, format)
		if s.lines != nil {
			if b, err = s.lines(b, full); err != nil {
				return err
			}
			continue
		}
		long := s.textBytes() > piece && s.family.parts() == 1
		for i := range s.samples {
			if long && backwards {
				i = len(s.samples) - 1 - i
			}
			b = s.appendSample(b, i)
			if b, err = full(b); err != nil {
				return err
			}
		}
		backwards = backwards != long
	}
	_, err := w.Write(b)
	return err
}

// textBytes is the length of all samples' text, without their values.
func (s *Series) textBytes() int {
	n := len(s.own) + len(s.samples)*(len(s.family.Name)+len("{} \n"))
	for i := range s.samples {
		n += len(s.samples[i].block)
	}
	return n
}

func (f *Family) appendHeader(b []byte, format Format) []byte {
	if f.Compat == Kube {
		return f.appendVerbatimHeader(b, format)
	}
	name, typ := f.Name, string(f.Type)
	if format == OpenMetrics && f.Type == Untyped {
		typ = "unknown"
	}
	if format == OpenMetrics && f.Type == Counter {
		// OpenMetrics counters must end in _total. Some compatible ones don't
		// (container_memory_failcnt); as unknown they keep their name whatever
		// format was negotiated.
		if base, ok := strings.CutSuffix(name, "_total"); ok {
			name = base
		} else {
			typ = "unknown"
		}
	}
	line := func(keyword string) {
		b = append(b, keyword...)
		b = append(b, name...)
		b = append(b, ' ')
	}
	line("# HELP ")
	b = appendHelp(b, f.boundedHelp(), format)
	b = append(b, '\n')
	line("# TYPE ")
	b = append(b, typ...)
	b = append(b, '\n')
	if format == OpenMetrics && f.Unit != "" && strings.HasSuffix(name, "_"+f.Unit) {
		line("# UNIT ")
		b = append(b, f.Unit...)
		b = append(b, '\n')
	}
	return b
}

func appendHelp(b []byte, help string, format Format) []byte {
	for i := range len(help) {
		switch c := help[i]; {
		case c == '\\':
			b = append(b, '\\', '\\')
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '"' && format == OpenMetrics:
			b = append(b, '\\', '"')
		default:
			b = append(b, c)
		}
	}
	return b
}
