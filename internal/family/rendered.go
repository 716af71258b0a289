package family

// The types that kube-state-metrics' families have besides. In the Prometheus format
// they are gauges.
const (
	Info     Type = "info"
	StateSet Type = "stateset"
)

// Lines makes the samples of a family, which are kept as text elsewhere: it appends
// whole lines to b, hands b to full after each few, and goes on with what full returns.
// It may be called several times at once.
type Lines func(b []byte, full func([]byte) ([]byte, error)) ([]byte, error)

// Render has a family's samples made by lines, n of them, instead of adding any. The
// family is served also when n is 0, as one that would have samples. Family and labels
// are the same in both formats.
func (s *Series) Render(n int, lines Lines) {
	if !s.enabled {
		return
	}
	s.lines, s.rendered = lines, n
}

// len is how many samples there are.
func (s *Series) len() int {
	if s.lines != nil {
		return s.rendered
	}
	return len(s.samples)
}

// served says whether there is anything to serve.
func (s *Series) served() bool { return s.lines != nil || len(s.samples) > 0 }

// appendVerbatimHeader appends the header of a family that is served to the letter as
// kube-state-metrics does: no unit, no name without _total, quotes as they are.
func (f *Family) appendVerbatimHeader(b []byte, format Format) []byte {
	typ := f.Type
	if format == Text && (typ == Info || typ == StateSet) {
		typ = Gauge
	}
	b = append(b, "# HELP "...)
	b = append(b, f.Name...)
	b = append(b, ' ')
	b = appendHelp(b, f.boundedHelp(), Text)
	b = append(b, "\n# TYPE "...)
	b = append(b, f.Name...)
	b = append(b, ' ')
	b = append(b, typ...)
	return append(b, '\n')
}
