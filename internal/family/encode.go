package family

import (
	"bytes"
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
			if s.n > 0 {
				byFamily[f] = s
			}
		}
	}
	var out Budgeted
	admit := func(s *Series) {
		if budget > 0 && out.Series+s.n > budget {
			out.Dropped = append(out.Dropped, Dropped{Family: s.family, Series: s.n, Reason: ReasonBudget})
			return
		}
		out.Kept = append(out.Kept, s)
		out.Series += s.n
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

// Encode appends the kept families to b. OpenMetrics' closing "# EOF" is left to
// the caller, who may have more to say.
func (k Budgeted) Encode(b *bytes.Buffer, format Format) {
	for _, s := range k.Kept {
		b.Grow(len(s.body) + 256)
		s.family.writeHeader(b, format)
		b.Write(s.body)
	}
}

func (f *Family) writeHeader(b *bytes.Buffer, format Format) {
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
	b.WriteString("# HELP ")
	b.WriteString(name)
	b.WriteByte(' ')
	escapeHelp(b, f.boundedHelp(), format)
	b.WriteString("\n# TYPE ")
	b.WriteString(name)
	b.WriteByte(' ')
	b.WriteString(typ)
	b.WriteByte('\n')
	if format == OpenMetrics && f.Unit != "" && strings.HasSuffix(name, "_"+f.Unit) {
		b.WriteString("# UNIT ")
		b.WriteString(name)
		b.WriteByte(' ')
		b.WriteString(f.Unit)
		b.WriteByte('\n')
	}
}

func escapeHelp(b *bytes.Buffer, help string, format Format) {
	help = strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help)
	if format == OpenMetrics {
		help = strings.ReplaceAll(help, `"`, `\"`)
	}
	b.WriteString(help)
}
