package resource

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// sample is a series with its value.
type sample struct {
	name   string
	labels map[string]string // without the name
	value  float64
}

// exposition is one scrape's samples.
type exposition []sample

// parse reads an exposition with Prometheus' own parsers. Two samples of the same
// series are an error too: Prometheus would drop one of them.
func parse(a answer) (exposition, error) {
	symbols := labels.NewSymbolTable()
	p, err := textparse.New(a.body, a.contentType, symbols, textparse.ParserOptions{})
	if err != nil {
		return nil, fmt.Errorf("exposition of type %q: %w", a.contentType, err)
	}
	var x exposition
	seen := map[uint64]bool{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return x, nil
		}
		if err != nil {
			return nil, fmt.Errorf("exposition of type %q, after %d samples: %w", a.contentType, len(x), err)
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
		x = append(x, sample{name, named, value})
	}
}

// of are the samples of a container, which its cgroup's path names.
func (x exposition) of(cgroupPath string) exposition {
	return x.with(map[string]string{"id": cgroupPath})
}

// readNow are the samples that are read at the scrape: what is polled in the
// background comes and goes a little later than its container.
func (x exposition) readNow() exposition {
	polled := regexp.MustCompile(`^(container_(processes|file_descriptors|sockets|ulimits_soft|fs_(usage|limit|inodes)_.*)|loadline_container_(log|ephemeral_storage)_bytes)$`)
	var out exposition
	for _, s := range x {
		if !polled.MatchString(s.name) {
			out = append(out, s)
		}
	}
	return out
}

// with are the samples that have all of the labels.
func (x exposition) with(want map[string]string) exposition {
	var out exposition
	for _, s := range x {
		if s.has(want) {
			out = append(out, s)
		}
	}
	return out
}

func (s sample) has(want map[string]string) bool {
	for name, value := range want {
		if got, ok := s.labels[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// family are the samples of a name.
func (x exposition) family(name string) exposition {
	var out exposition
	for _, s := range x {
		if s.name == name {
			out = append(out, s)
		}
	}
	return out
}

// value is that of the only sample of a name; NaN when it is missing or not the
// only one.
func (x exposition) value(name string) float64 {
	if found := x.family(name); len(found) == 1 {
		return found[0].value
	}
	return math.NaN()
}

// byLabel are a family's values by one of its labels.
func (x exposition) byLabel(name, label string) map[string]float64 {
	out := map[string]float64{}
	for _, s := range x.family(name) {
		out[s.labels[label]] = s.value
	}
	return out
}

// wantAmounts checks a family's values by resource.
func (x exposition) wantAmounts(t *testing.T, name string, want map[string]float64) {
	t.Helper()
	if got := x.byLabel(name, "resource"); !maps.Equal(got, want) {
		t.Errorf("%s is %v, want %v", name, got, want)
	}
}
