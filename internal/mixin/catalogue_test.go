package mixin

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/loadline-exporters/loadline/internal/docs"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// foreign are series that no exporter of the suite emits, and that rules may name:
// Prometheus' own.
var foreign = []string{"up", "ALERTS", "ALERTS_FOR_STATE", "scrape_duration_seconds", "scrape_samples_scraped"}

// ofTargets are labels that a scrape configuration sets.
var ofTargets = []string{"job", "instance", "cluster", "node"}

// ruleGroup is a group as rule files have it.
type ruleGroup struct {
	Name  string
	Rules []rule
}

type rule struct {
	Record, Alert, Expr string
	For                 string
	Labels, Annotations map[string]string
}

// allRules are the groups of the whole suite at its defaults.
func allRules(t *testing.T) []ruleGroup {
	t.Helper()
	var groups []ruleGroup
	evaluate(t, `local m = import 'mixin.libsonnet'; m.prometheusRules.groups + m.prometheusAlerts.groups`, &groups)
	return groups
}

// selectors are those of an expression.
func selectors(t *testing.T, expr string) (out []*parser.VectorSelector) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%v in\n%s", err, expr)
		return nil
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			out = append(out, s)
		}
		return nil
	})
	return out
}

// catalogue are the exporters' families by the names of their series.
func catalogue(t *testing.T) map[string]*family.Family {
	t.Helper()
	exporters, err := docs.Exporters()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]*family.Family{}
	tables := []family.Table{serve.SelfFamilies()}
	for _, e := range exporters {
		tables = append(tables, e.Families)
	}
	for _, table := range tables {
		for _, f := range table {
			series[f.Name] = f
			if f.Type == family.Histogram {
				for _, suffix := range []string{"_bucket", "_sum", "_count"} {
					series[f.Name+suffix] = f
				}
			}
		}
	}
	return series
}

func TestEverySeriesThatRulesNameExists(t *testing.T) {
	known := catalogue(t)
	groups := allRules(t)
	recorded := map[string]bool{}
	for _, g := range groups {
		for _, r := range g.Rules {
			recorded[r.Record] = r.Record != ""
		}
	}
	for _, g := range groups {
		for _, r := range g.Rules {
			for _, s := range selectors(t, r.Expr) {
				if f, ok := known[s.Name]; ok {
					for _, m := range s.LabelMatchers {
						if !hasLabel(f, m) {
							t.Errorf("%s%s matches %s, a label that %s does not have", r.Record, r.Alert, m, s.Name)
						}
					}
				} else if !recorded[s.Name] && !slices.Contains(foreign, s.Name) {
					t.Errorf("%s%s names %s, which nothing emits", r.Record, r.Alert, s.Name)
				}
			}
		}
	}
}

func hasLabel(f *family.Family, m *labels.Matcher) bool {
	if f.Compat == family.Kube {
		return true // kube-state-metrics' generators have the labels
	}
	return m.Name == model.MetricNameLabel || m.Name == "le" || slices.Contains(ofTargets, m.Name) || slices.Contains(f.Labels, m.Name)
}

func TestNothingIsRecordedTwice(t *testing.T) {
	seen := map[string]string{}
	for _, g := range allRules(t) {
		for _, r := range g.Rules {
			name := r.Record + r.Alert
			if other, ok := seen[name]; ok {
				t.Errorf("%s is in groups %s and %s", name, other, g.Name)
			}
			seen[name] = g.Name
			if r.Record != "" && strings.Count(r.Record, ":") != 2 {
				t.Errorf("%s is not level:metric:operations", r.Record)
			}
		}
	}
}
