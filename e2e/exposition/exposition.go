// Package exposition reads what exporters serve with Prometheus' own parsers.
package exposition

import (
	"errors"
	"fmt"
	"io"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// Sample is a series with its value.
type Sample struct {
	Name   string
	Labels map[string]string // without the name
	Value  float64
}

// Has says that a sample has all of the labels.
func (s Sample) Has(want map[string]string) bool {
	for name, value := range want {
		if got, ok := s.Labels[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// Exposition is one scrape's samples.
type Exposition []Sample

// Parse reads an exposition of a content type. Two samples of the same series are an
// error too, since Prometheus would drop one of them, and so is a timestamp.
func Parse(body []byte, contentType string) (Exposition, error) {
	symbols := labels.NewSymbolTable()
	p, err := textparse.New(body, contentType, symbols, textparse.ParserOptions{})
	if err != nil {
		return nil, fmt.Errorf("exposition of type %q: %w", contentType, err)
	}
	var x Exposition
	seen := map[uint64]bool{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return x, nil
		}
		if err != nil {
			return nil, fmt.Errorf("exposition of type %q, after %d samples: %w", contentType, len(x), err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var l labels.Labels
		p.Labels(&l)
		if seen[l.Hash()] {
			return nil, fmt.Errorf("the series %s is there twice", l)
		}
		seen[l.Hash()] = true
		_, timestamp, value := p.Series()
		if timestamp != nil {
			return nil, fmt.Errorf("the series %s has a timestamp", l)
		}
		named := l.Map()
		name := named[model.MetricNameLabel]
		delete(named, model.MetricNameLabel)
		x = append(x, Sample{name, named, value})
	}
}

// With are the samples of a name that have all of the labels.
func (x Exposition) With(name string, want map[string]string) Exposition {
	var out Exposition
	for _, s := range x {
		if s.Name == name && s.Has(want) {
			out = append(out, s)
		}
	}
	return out
}

// Sum is the sum of the samples' values.
func (x Exposition) Sum() float64 {
	sum := 0.0
	for _, s := range x {
		sum += s.Value
	}
	return sum
}
