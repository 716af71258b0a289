package sidebyside

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/loadline-exporters/loadline/e2e/peers"
)

// exposition is one scrape.
type exposition struct {
	types    map[string]model.MetricType
	families map[string][]sample
}

type sample struct {
	labels map[string]string // without the name
	value  float64
}

// scrape scrapes a program and parses the answer as Prometheus does.
func scrape(t *testing.T, p *peers.Program) exposition {
	t.Helper()
	a, err := p.ScrapeText()
	if err != nil {
		t.Fatalf("scrape %s: %v", p.Name, err)
	}
	parser, err := textparse.New(a.Body, a.ContentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	x := exposition{map[string]model.MetricType{}, map[string][]sample{}}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return x
		}
		if err != nil {
			t.Fatalf("parse the answer of %s: %v", p.Name, err)
		}
		switch entry {
		case textparse.EntryType:
			name, kind := parser.Type()
			x.types[string(name)] = kind
		case textparse.EntrySeries:
			var l labels.Labels
			parser.Labels(&l)
			_, _, value := parser.Series()
			s := sample{l.Map(), value}
			name := s.labels[model.MetricNameLabel]
			delete(s.labels, model.MetricNameLabel)
			x.families[name] = append(x.families[name], s)
		}
	}
}

// view says which part of an exposition is compared, and what tells series apart.
type view struct {
	// prefixes begin the names of the families.
	prefixes []string
	// key are the labels that identify a series of a family; the others say more
	// about it.
	key func(family string, labels map[string]string) map[string]string
	// taken says whether a series is compared.
	taken func(labels map[string]string) bool
}

// byKey are the values of a family's series.
func (v view) byKey(x exposition, family string) map[string]float64 {
	out := map[string]float64{}
	for _, s := range x.families[family] {
		if v.taken(s.labels) {
			out[render(v.key(family, s.labels))] = s.value
		}
	}
	return out
}

func (v view) names(x exposition) (names []string) {
	for name := range x.families {
		if slices.ContainsFunc(v.prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// render writes labels in order; an empty one is none.
func render(l map[string]string) string {
	var parts []string
	for name, value := range l {
		if value != "" {
			parts = append(parts, name+"="+value)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}
