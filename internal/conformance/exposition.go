package conformance

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// The formats as Prometheus asks for them.
const (
	acceptText        = "text/plain;version=0.0.4"
	acceptOpenMetrics = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)

// exposed is a family as Prometheus' own parser reads it.
type exposed struct {
	typ    model.MetricType
	help   string
	labels []string // the label names of its series, which all have the same
	series map[string]float64
}

// parse reads an exposition. Besides bad syntax it refuses timestamps, doubled
// series, a family in two places, a series without a header, and series of a
// family whose label names differ.
func parse(text []byte, contentType string) (map[string]*exposed, error) {
	p, err := textparse.New(text, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return nil, err
	}
	r := reader{families: map[string]*exposed{}}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return r.families, nil
		}
		if err != nil {
			return nil, err
		}
		switch entry {
		case textparse.EntryHelp:
			name, help := p.Help()
			err = r.begin(string(name), string(help))
		case textparse.EntryType:
			name, typ := p.Type()
			err = r.typed(string(name), typ)
		case textparse.EntrySeries:
			_, at, v := p.Series()
			var l labels.Labels
			p.Labels(&l)
			err = r.series(l, at, v)
		}
		if err != nil {
			return nil, err
		}
	}
}

type reader struct {
	families map[string]*exposed
	name     string // of the family that is being read
}

func (r *reader) begin(name, help string) error {
	// client_golang has both go_memstats_alloc_bytes and …_bytes_total, which are
	// of one name in OpenMetrics.
	if r.families[name] != nil && ours(name) {
		return fmt.Errorf("family %s begins twice", name)
	}
	r.name = name
	r.families[name] = &exposed{help: help, series: map[string]float64{}}
	return nil
}

func (r *reader) typed(name string, typ model.MetricType) error {
	if name != r.name {
		return fmt.Errorf("type of %s within family %s", name, r.name)
	}
	r.families[name].typ = typ
	return nil
}

func (r *reader) series(l labels.Labels, at *int64, v float64) error {
	name := l.Get(model.MetricNameLabel)
	f := r.families[r.name]
	if f == nil || !strings.HasPrefix(name, r.name) {
		return fmt.Errorf("series %s is not below its family's header", name)
	}
	if at != nil {
		return fmt.Errorf("series %s has a timestamp", name)
	}
	key := l.String()
	if _, ok := f.series[key]; ok {
		return fmt.Errorf("series %s is there twice", key)
	}
	f.series[key] = v
	if !ours(name) {
		return nil // histograms and summaries of the process have le and quantile
	}
	var labelNames []string
	l.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel && !(l.Name == model.BucketLabel && f.typ == model.MetricTypeHistogram) {
			labelNames = append(labelNames, l.Name)
		}
	})
	if len(f.series) > 1 && !slices.Equal(f.labels, labelNames) {
		return fmt.Errorf("series of family %s have labels %v and %v", r.name, f.labels, labelNames)
	}
	f.labels = labelNames
	return nil
}
