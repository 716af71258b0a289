//go:build e2e

package rules

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-jsonnet"
	"github.com/prometheus/common/model"
)

const (
	// haste is by how much less what rules look back at and wait for is than shipped: a
	// window of five minutes is one of thirty seconds.
	haste = 10
	// interval is how often exporters are scraped and rules evaluated.
	interval = "3s"
)

// mixin is what the suite's rules are rendered from: those of users, but for the one
// threshold that is a time which alerts of a rollout wait for.
const mixin = `
local mixin = (import 'mixin.libsonnet') + { _config+:: { thresholds+: { rolloutSeconds: super.rolloutSeconds / 10 } } };
{ groups: mixin.prometheusRules.groups + mixin.prometheusAlerts.groups + mixin.alertmanagerMarks.groups }`

// group is one of a rule file; rules are left as they are but for times.
type group struct {
	Name     string           `json:"name"`
	Interval string           `json:"interval"`
	Rules    []map[string]any `json:"rules"`
}

// lookback is a range, a subquery's step or an offset of PromQL.
var lookback = regexp.MustCompile(`(\[|:|offset )(\d+[smhd])\b`)

// hurried renders the rules, in a hurry, into a file.
func hurried(t *testing.T) string {
	t.Helper()
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{"../../jsonnet"}})
	text, err := vm.EvaluateAnonymousSnippet("rules", mixin)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []group `json:"groups"`
	}
	if err := json.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	for i, g := range file.Groups {
		file.Groups[i].Interval = interval
		for _, rule := range g.Rules {
			for _, field := range []string{"for", "keep_firing_for"} {
				if v, ok := rule[field].(string); ok {
					rule[field] = sooner(t, v)
				}
			}
			expr, _ := rule["expr"].(string)
			rule["expr"] = lookback.ReplaceAllStringFunc(expr, func(found string) string {
				parts := lookback.FindStringSubmatch(found)
				return parts[1] + sooner(t, parts[2])
			})
		}
	}
	content, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sooner is a duration of rules in a hurry.
func sooner(t *testing.T, text string) string {
	t.Helper()
	d, err := model.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return model.Duration(time.Duration(d) / haste).String()
}
