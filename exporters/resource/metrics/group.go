package metrics

import (
	"strings"

	"github.com/loadline-exporters/loadline/internal/family"
)

// Group are families of one collector with the same labels, whose names differ in
// their ends alone. It is immutable.
type Group struct {
	Table family.Table
	by    map[string]*family.Family
}

// Of returns the family whose name ends in end, nil when none does.
func (g Group) Of(end string) *family.Family { return g.by[end] }

// group makes a group of rows of a name's end and a help text. What ends in _total
// is a counter, the rest are gauges; units are told by names.
func group(collector, prefix string, labels []string, rows [][2]string) Group {
	g := Group{by: make(map[string]*family.Family, len(rows))}
	for _, row := range rows {
		end, help := row[0], row[1]
		f := nodeGauge(collector, prefix+end, "", help, labels...)
		base, counter := strings.CutSuffix(end, "_total")
		if counter {
			f.Type = family.Counter
		}
		for _, unit := range []string{"seconds", "bytes"} {
			if strings.HasSuffix(base, "_"+unit) {
				f.Unit = unit
			}
		}
		g.Table = append(g.Table, f)
		g.by[end] = f
	}
	return g
}
