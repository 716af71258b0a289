package family

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Label is a label of a foreign family's sample.
type Label struct{ Name, Value string }

// maxHelpBytes bounds the help of a foreign family.
const maxHelpBytes = 1024

// Admission decides which foreign families are served: those that no table lists
// because their names are known at scrape only, such as a textfile's or a counter
// of the kernel that a flag asked for. It is immutable.
type Admission struct {
	wants func(*Family) bool
	taken map[string]string // by a sample's name, the family that has it
}

// NewAdmission admits families that the filter wants and whose samples have the
// name of none of the table's, nor of any in others. A bad filter is an error.
func NewAdmission(t Table, others []string, w Filter) (*Admission, error) {
	wants, err := w.Compile()
	if err != nil {
		return nil, err
	}
	a := &Admission{wants: wants, taken: make(map[string]string, len(t)+len(others))}
	for _, f := range t {
		for _, name := range f.sampleNames() {
			a.taken[name] = f.Name
		}
	}
	for _, name := range others {
		a.taken[name] = name
	}
	return a, nil
}

// Admit sets what Foreign goes by. Without, every foreign family is admitted.
func (w *Writer) Admit(a *Admission) { w.admission = a }

// Foreign returns the place for the samples of a family that no table lists. Its
// type may be a histogram or a summary too; its labels may differ from sample to
// sample, and are added by AddForeign. It must be asked for once a scrape. A name
// that is not one, or that another family has, is an error that says which.
func (w *Writer) Foreign(f *Family) (*Series, error) {
	if err := f.checkName(); err != nil {
		return nil, err
	}
	names := f.sampleNames()
	for _, name := range names {
		if w.admission != nil && w.admission.taken[name] != "" {
			return nil, fmt.Errorf("family %q: the exporter itself serves %s", f.Name, name)
		}
		if other := w.claimed[name]; other != "" {
			return nil, fmt.Errorf("family %q: family %q has series of the name %s", f.Name, other, name)
		}
	}
	if w.claimed == nil {
		w.claimed = map[string]string{}
	}
	for _, name := range names {
		w.claimed[name] = f.Name
	}
	s := &Series{family: f, foreign: true, enabled: w.admission == nil || w.admission.wants(f)}
	w.foreign = append(w.foreign, s)
	return s, nil
}

// AddForeign adds a sample of a foreign family: suffix is "" or, for histograms
// and summaries, _bucket, _sum or _count. The labels' names must be valid and
// differ.
func (s *Series) AddForeign(suffix string, v float64, labels []Label) {
	if !s.enabled {
		return
	}
	s.own = append(s.own, suffix...)
	for i, l := range labels {
		s.own = append(s.own, "{,"[min(i, 1)])
		s.own = append(s.own, l.Name...)
		s.own = append(s.own, '=', '"')
		s.own = appendEscaped(s.own, l.Value)
		s.own = append(s.own, '"')
	}
	if len(labels) > 0 {
		s.own = append(s.own, '}')
	}
	s.samples = append(s.samples, sample{value: v, end: len(s.own)})
}

// sampleNames are the names that a family's samples can have.
func (f *Family) sampleNames() []string {
	switch f.Type {
	case Histogram:
		return []string{f.Name, f.Name + "_bucket", f.Name + "_sum", f.Name + "_count"}
	case Summary:
		return []string{f.Name, f.Name + "_sum", f.Name + "_count"}
	}
	return []string{f.Name}
}

// boundedHelp is the help as it can be served: valid UTF-8 and not endless.
func (f *Family) boundedHelp() string {
	help := f.Help
	if len(help) > maxHelpBytes {
		help = help[:maxHelpBytes]
	}
	return strings.ToValidUTF8(help, "\uFFFD")
}

// foreignOf are the foreign families of all writers by name, and those whose names
// another writer's have too.
func foreignOf(writers []*Writer) (kept []*Series, doubled []Dropped) {
	by := map[string]bool{}
	for _, w := range writers {
		for _, s := range w.foreign {
			names := s.family.sampleNames()
			switch {
			case !s.served():
				continue
			case slices.ContainsFunc(names, func(n string) bool { return by[n] }):
				doubled = append(doubled, Dropped{Family: s.family, Series: s.len(), Reason: ReasonName})
				continue
			}
			kept = append(kept, s)
		}
		for name := range w.claimed {
			by[name] = true
		}
	}
	slices.SortFunc(kept, func(a, b *Series) int { return cmp.Compare(a.family.Name, b.family.Name) })
	return kept, doubled
}
