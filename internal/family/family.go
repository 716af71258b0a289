// Package family holds metric families as values and renders their series.
//
// An exporter lists its families once, in a Table. The table feeds the encoder,
// the metrics reference, the catalogue that rules and dashboards are checked
// against and the allow and deny flags. A collector asks a Writer for the Series
// of a family and adds samples to it; text is rendered at once, without a
// descriptor or a map of labels per sample, because a node has thousands of them
// and is scraped every few seconds.
//
// The text of a sample is the same in the Prometheus format and in OpenMetrics;
// only the headers differ, so a body is rendered once and serves both.
package family

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

// Type is a family's metric type.
type Type string

// The types that Loadline's families have. Info series are gauges of value 1, as
// everywhere in the Prometheus ecosystem. Untyped are compatible families only,
// whose exporter does not tell counters from gauges.
const (
	Gauge     Type = "gauge"
	Counter   Type = "counter"
	Histogram Type = "histogram" // classic, with the buckets that the family lists
	Untyped   Type = "untyped"
)

// Summary is the type that foreign families alone can have.
const Summary Type = "summary"

// Compat names the exporter whose published names, types and labels a family
// keeps. Whoever runs that exporter too turns the group off.
type Compat string

// The groups of compatible families; None marks families of Loadline's own.
const (
	None      Compat = ""
	Node      Compat = "node"      // node_exporter
	Container Compat = "container" // cAdvisor
	Volume    Compat = "volume"    // kubelet
	Kube      Compat = "kube"      // kube-state-metrics
)

// Compats are all groups that the flag --compat accepts.
var Compats = []Compat{Node, Container, Volume, Kube}

// Family describes one metric family. It is immutable.
type Family struct {
	Name   string   // with its unit and, for counters, _total
	Type   Type     // gauge, counter or histogram; untyped if compatible with what has no type
	Help   string   // one sentence, with the source where it is not obvious
	Labels []string // every label of every series, in the order of their values
	Unit   string   // base unit: seconds, bytes, ratio, …; empty for counts and info
	Compat Compat   // whose name it keeps

	// Buckets are a histogram's upper bounds, ascending; that of +Inf is not listed.
	Buckets []float64

	Collector string // the collector that emits it
}

// Table lists families in the order of exposition, grouped by collector.
type Table []*Family

// Of returns the families that a collector emits.
func (t Table) Of(collector string) Table {
	var out Table
	for _, f := range t {
		if f.Collector == collector {
			out = append(out, f)
		}
	}
	return out
}

// Collectors returns the names of the collectors, each once, in order.
func (t Table) Collectors() []string {
	var out []string
	for _, f := range t {
		if !slices.Contains(out, f.Collector) {
			out = append(out, f.Collector)
		}
	}
	return out
}

// Check returns an error that names the first family whose description is not
// whole: a bad or doubled name, a label that is no label name, no help, no
// collector.
func (t Table) Check() error {
	seen := make(map[string]bool, len(t))
	for _, f := range t {
		if err := f.checkName(); err != nil {
			return err
		}
		for _, name := range f.sampleNames() {
			if seen[name] {
				return fmt.Errorf("family %q: %s is listed twice", f.Name, name)
			}
			seen[name] = true
		}
		if err := f.checkBuckets(); err != nil {
			return err
		}
		switch {
		case !f.typed():
			return fmt.Errorf("family %q: unknown type %q", f.Name, f.Type)
		case f.Help == "" || f.Collector == "":
			return fmt.Errorf("family %q: help and collector must be set", f.Name)
		case f.Compat == None && !strings.HasPrefix(f.Name, "loadline_"):
			return fmt.Errorf("family %q: must start with loadline_ or name what it is compatible with", f.Name)
		}
		for i, l := range f.Labels {
			if !model.LegacyValidation.IsValidLabelName(l) || slices.Contains(f.Labels[:i], l) {
				return fmt.Errorf("family %q: bad or doubled label %q", f.Name, l)
			}
		}
	}
	return nil
}

// typed says whether a table may list a family of its type.
func (f *Family) typed() bool {
	switch f.Type {
	case Gauge, Counter, Histogram:
		return true
	case Untyped:
		return f.Compat != None
	case Info, StateSet:
		return f.Compat == Kube
	}
	return false
}

// checkBuckets: a histogram has finite bounds that ascend, and le is their label;
// nothing else has any.
func (f *Family) checkBuckets() error {
	if f.Type != Histogram {
		if len(f.Buckets) > 0 {
			return fmt.Errorf("family %q: a %s has no buckets", f.Name, f.Type)
		}
		return nil
	}
	if len(f.Buckets) == 0 || slices.Contains(f.Labels, bucketLabel) {
		return fmt.Errorf("family %q: a histogram has buckets, and no label %s besides", f.Name, bucketLabel)
	}
	for i, bound := range f.Buckets {
		if math.IsInf(bound, 0) || math.IsNaN(bound) || i > 0 && bound <= f.Buckets[i-1] {
			return fmt.Errorf("family %q: bucket %v is not finite or not above the one before", f.Name, bound)
		}
	}
	return nil
}

func (f *Family) checkName() error {
	if !model.LegacyValidation.IsValidMetricName(f.Name) {
		return fmt.Errorf("family %q: not a metric name", f.Name)
	}
	return nil
}

// Filter says which families of a table are wanted.
type Filter struct {
	Compat []Compat // compatible groups to keep; families of Loadline's own always stay
	Allow  []string // regular expressions, as patterns has them; empty allows all
	Deny   []string // regular expressions, as patterns has them; wins over Allow
}

// Select returns the wanted families in their order. An unknown group or a bad
// regular expression is an error that names it.
func (t Table) Select(w Filter) (Table, error) {
	wants, err := w.Compile()
	if err != nil {
		return nil, err
	}
	out := make(Table, 0, len(t))
	for _, f := range t {
		if wants(f) {
			out = append(out, f)
		}
	}
	return out, nil
}

// Compile returns what says whether a family is wanted; bad filters are errors as of
// Select.
func (w Filter) Compile() (wants func(*Family) bool, err error) {
	for _, c := range w.Compat {
		if !slices.Contains(Compats, c) {
			return nil, fmt.Errorf("unknown group of compatible families %q: use any of %v", c, Compats)
		}
	}
	allow, err := compile(w.Allow)
	if err != nil {
		return nil, err
	}
	deny, err := compile(w.Deny)
	if err != nil {
		return nil, err
	}
	return func(f *Family) bool {
		return (f.Compat == None || slices.Contains(w.Compat, f.Compat)) &&
			(len(allow) == 0 || allow.match(f)) && !deny.match(f)
	}, nil
}
