package node

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/loadline-exporters/loadline/internal/family"
)

// textFamily is a family of a text file. It is immutable once it was parsed.
type textFamily struct {
	name, help string
	hasHelp    bool
	typ        family.Type
	metrics    []textMetric
}

// textMetric is a sample, or the samples of a histogram or a summary.
type textMetric struct {
	labels  []family.Label // sorted by name
	samples []textSample
}

type textSample struct {
	suffix, label, bound string // "_bucket", "le", "0.5"; label is empty without a bound
	value                float64
}

var errTimestamp = errors.New("has timestamps, which would stop Prometheus from seeing that series went")

// parseTextfile reads the Prometheus text format. Timestamps, and series that occur
// twice, are errors.
func parseTextfile(r io.Reader) ([]textFamily, error) {
	p := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := p.TextToMetricFamilies(io.LimitReader(r, maxTextfileBytes))
	if err != nil {
		return nil, err
	}
	out := make([]textFamily, 0, len(parsed))
	for _, name := range sortedNames(parsed) {
		f, err := newTextFamily(parsed[name])
		if err != nil {
			return nil, fmt.Errorf("family %q: %w", name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func newTextFamily(mf *dto.MetricFamily) (textFamily, error) {
	f := textFamily{name: mf.GetName(), help: mf.GetHelp(), hasHelp: mf.Help != nil}
	seen := make(map[string]bool, len(mf.GetMetric()))
	for _, m := range mf.GetMetric() {
		if m.TimestampMs != nil {
			return f, errTimestamp
		}
		var t textMetric
		f.typ, t.samples = samplesOf(mf.GetType(), m)
		if t.samples == nil {
			return f, fmt.Errorf("type %s is not supported", mf.GetType())
		}
		for _, l := range m.GetLabel() {
			t.labels = append(t.labels, family.Label{Name: l.GetName(), Value: l.GetValue()})
		}
		slices.SortFunc(t.labels, func(a, b family.Label) int { return cmp.Compare(a.Name, b.Name) })
		key := t.key()
		if seen[key] {
			return f, fmt.Errorf("a series is there twice: %s", key)
		}
		seen[key] = true
		f.metrics = append(f.metrics, t)
	}
	return f, nil
}

// key is the same for metrics that Prometheus takes for one: an empty label is none.
func (t *textMetric) key() string {
	var b strings.Builder
	for _, l := range t.labels {
		if l.Value != "" {
			fmt.Fprintf(&b, "%s=%q,", l.Name, l.Value)
		}
	}
	return "{" + strings.TrimSuffix(b.String(), ",") + "}"
}

// samplesOf returns nil for a type that the text format does not have.
func samplesOf(t dto.MetricType, m *dto.Metric) (family.Type, []textSample) {
	one := func(v float64) []textSample { return []textSample{{value: v}} }
	switch t {
	case dto.MetricType_COUNTER:
		return family.Counter, one(m.GetCounter().GetValue())
	case dto.MetricType_GAUGE:
		return family.Gauge, one(m.GetGauge().GetValue())
	case dto.MetricType_UNTYPED:
		return family.Untyped, one(m.GetUntyped().GetValue())
	case dto.MetricType_SUMMARY:
		return family.Summary, summary(m.GetSummary())
	case dto.MetricType_HISTOGRAM:
		return family.Histogram, histogram(m.GetHistogram())
	}
	return "", nil
}

func summary(s *dto.Summary) []textSample {
	byBound := map[float64]float64{}
	for _, q := range s.GetQuantile() {
		byBound[q.GetQuantile()] = q.GetValue()
	}
	samples := bounded("", "quantile", byBound)
	return append(samples, textSample{suffix: "_sum", value: s.GetSampleSum()},
		textSample{suffix: "_count", value: float64(s.GetSampleCount())})
}

// histogram ends the buckets with that of all, which the format demands and a
// careless writer leaves out.
func histogram(h *dto.Histogram) []textSample {
	count := max(float64(h.GetSampleCount()), h.GetSampleCountFloat())
	byBound := map[float64]float64{}
	for _, b := range h.GetBucket() {
		byBound[b.GetUpperBound()] = max(float64(b.GetCumulativeCount()), b.GetCumulativeCountFloat())
	}
	byBound[math.Inf(1)] = count
	return append(bounded("_bucket", "le", byBound), textSample{suffix: "_sum", value: h.GetSampleSum()},
		textSample{suffix: "_count", value: count})
}

// bounded are the samples by their bounds, each bound once.
func bounded(suffix, label string, byBound map[float64]float64) []textSample {
	samples := make([]textSample, 0, len(byBound)+2)
	for _, bound := range slices.Sorted(maps.Keys(byBound)) {
		if v, ok := byBound[bound]; ok { // not so for NaN, which is no bound
			samples = append(samples, textSample{suffix: suffix, label: label, bound: strconv.FormatFloat(bound, 'g', -1, 64), value: v})
		}
	}
	return samples
}

// textFamilies are the families of all files, by name.
type textFamilies map[string]*mergedFamily

type mergedFamily struct {
	textFamily
	files  []string
	labels map[string]bool // names of all labels
	seen   map[string]bool // keys of all metrics
}

// add joins what a file has of a family to what files before it have. If the two
// do not agree, it is an error, and the file's part is left out.
func (m textFamilies) add(path string, f *textFamily) error {
	into := m[f.name]
	switch {
	case into == nil:
		into = &mergedFamily{textFamily: textFamily{name: f.name, typ: f.typ}, labels: map[string]bool{}, seen: map[string]bool{}}
		m[f.name] = into
	case into.typ != f.typ:
		return fmt.Errorf("family %q: its type is %s here and %s in %s", f.name, f.typ, into.typ, into.files[0])
	case into.hasHelp && f.hasHelp && into.help != f.help:
		return fmt.Errorf("family %q: its help is not the same as in %s", f.name, into.files[0])
	}
	for i := range f.metrics {
		if key := f.metrics[i].key(); into.seen[key] {
			return fmt.Errorf("family %q: the series %s is in %s too", f.name, key, strings.Join(into.files, ", "))
		}
	}
	if f.hasHelp {
		into.help, into.hasHelp = f.help, true
	}
	for i := range f.metrics {
		into.seen[f.metrics[i].key()] = true
		for _, l := range f.metrics[i].labels {
			into.labels[l.Name] = true
		}
	}
	into.metrics = append(into.metrics, f.metrics...)
	into.files = append(into.files, path)
	return nil
}

// emit serves all families. The errors name each that has the name of another.
func (m textFamilies) emit(w *family.Writer) (errs []error) {
	for _, name := range sortedNames(m) {
		f := m[name]
		help := f.help
		if !f.hasHelp {
			help = "Metric read from " + strings.Join(f.files, ", ")
		}
		s, err := w.Foreign(&family.Family{Name: name, Type: f.typ, Help: help, Collector: "textfile"})
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", strings.Join(f.files, ", "), err))
			continue
		}
		names := sortedNames(f.labels)
		for i := range f.metrics {
			f.metrics[i].emit(s, names)
		}
	}
	return errs
}

// emit adds the samples with all labels of their family: those that a sample lacks
// are empty, which is the same to Prometheus.
func (t *textMetric) emit(s *family.Series, names []string) {
	labels := make([]family.Label, len(names), len(names)+1)
	rest := t.labels
	for i, name := range names {
		labels[i].Name = name
		if len(rest) > 0 && rest[0].Name == name {
			labels[i].Value, rest = rest[0].Value, rest[1:]
		}
	}
	for _, x := range t.samples {
		with := labels
		if x.label != "" {
			with = append(labels, family.Label{Name: x.label, Value: x.bound})
		}
		s.AddForeign(x.suffix, x.value, with)
	}
}
