package mixin

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// dashboardOf is a dashboard before it is drawn.
type dashboardOf struct {
	Uid, Title, Description, Refresh, From string
	Variables                              []variable
	Links                                  []string
	Rows                                   []struct {
		Title  string
		Panels []panel
	}
}

type variable struct {
	Name string
	All  bool
	// Choices is a selector of the series that have its values.
	Choices string
}

type panel struct {
	Kind, Title, Description, Unit string
	Targets, Quantiles             []target
	By                             []string
	Link                           *struct {
		Uid    string
		Labels []string
	}
	NoDataIsGood bool
}

// target is a line's or a column's query; a column has a name and a unit.
type target struct{ Expr, Legend, Name, Unit string }

// queries are all of a panel, in whichever form it is drawn.
func (p panel) queries() []target { return slices.Concat(p.Targets, p.Quantiles) }

// panels are those of all rows.
func (d dashboardOf) panels() (out []panel) {
	for _, row := range d.Rows {
		out = append(out, row.Panels...)
	}
	return out
}

func (d dashboardOf) declares(name string) bool {
	return slices.ContainsFunc(d.Variables, func(v variable) bool { return v.Name == name })
}

// allDashboards are those of the whole suite by uid, for one cluster or for several.
func allDashboards(t testing.TB, multiCluster bool) map[string]dashboardOf {
	t.Helper()
	var out map[string]dashboardOf
	evaluate(t, fmt.Sprintf(`
		local m = (import 'mixin.libsonnet') + { _config+:: { multiCluster: %t } };
		local d = (import 'lib/panel.libsonnet')(m._config);
		std.mapWithKey(function(_, dashboard) dashboard {
			rows: std.sort(std.objectValues(super.rows), function(row) row.order),
			variables: [v { choices: d.choices(v, dashboard.variables) } for v in super.variables],
		}, m.dashboards)`, multiCluster), &out)
	if len(out) == 0 {
		t.Fatal("no dashboards")
	}
	return out
}

var used = regexp.MustCompile(`\$\{?([a-zA-Z_]\w*)\}?`)

// replaced is a query with values in the place of variables.
func replaced(query string, values labelSet) string {
	return used.ReplaceAllStringFunc(query, func(s string) string {
		return values[used.FindStringSubmatch(s)[1]]
	})
}

// anything is a value for each variable.
func (d dashboardOf) anything() labelSet {
	out := labelSet{}
	for _, v := range d.Variables {
		if out[v.Name] = "x"; v.All {
			out[v.Name] = ".*"
		}
	}
	return out
}

func TestEveryPanelSaysWhatItShows(t *testing.T) {
	units := []string{"seconds", "bytes", "cores", "ratio", "count", "bytes_per_second", "per_second"}
	panels, maybeEmpty := 0, 0
	for uid, d := range allDashboards(t, false) {
		if d.Uid != uid || d.Title == "" || d.Description == "" {
			t.Errorf("%s has the uid %q, the title %q and the description %q", uid, d.Uid, d.Title, d.Description)
		}
		for _, folder := range []string{"grafana", "perses"} {
			if _, err := os.Stat(filepath.Join(root, "dashboards", folder, uid+".json")); err != nil {
				t.Error(err)
			}
		}
		if d.Refresh != "30s" && !strings.HasSuffix(d.Refresh, "m") {
			t.Errorf("%s is refreshed every %s", uid, d.Refresh)
		}
		for _, p := range d.panels() {
			panels++
			if p.NoDataIsGood {
				maybeEmpty++
			}
			if p.Title == "" || !strings.HasSuffix(p.Description, ".") || !slices.Contains(units, p.Unit) {
				t.Errorf("%s: panel %q has the unit %q and the description %q", uid, p.Title, p.Unit, p.Description)
			}
			if len(p.Targets) == 0 && p.Kind != "text" {
				t.Errorf("%s: panel %q asks nothing", uid, p.Title)
			}
			for _, column := range p.Targets {
				if p.Kind == "table" && (column.Name == "" || !slices.Contains(units, column.Unit)) {
					t.Errorf("%s: a column of %q has the name %q and the unit %q", uid, p.Title, column.Name, column.Unit)
				}
			}
		}
	}
	if maybeEmpty > max(panels/10, 2) {
		t.Errorf("%d of %d panels may be empty: more than one in ten", maybeEmpty, panels)
	}
}

func TestLinksLeadToDashboardsThatAreThere(t *testing.T) {
	all := allDashboards(t, true)
	for uid, d := range all {
		for _, link := range d.Links {
			if _, ok := all[link]; !ok {
				t.Errorf("%s leads to %s, which is not there", uid, link)
			}
		}
		for _, p := range d.panels() {
			if p.Link == nil {
				continue
			}
			to, ok := all[p.Link.Uid]
			if !ok {
				t.Errorf("%s: rows of %q lead to %s, which is not there", uid, p.Title, p.Link.Uid)
			}
			for _, label := range p.Link.Labels {
				if !to.declares(label) || !slices.Contains(p.By, label) && !d.declares(label) {
					t.Errorf("%s: the link of %q sets %s, which it does not have or %s does not know", uid, p.Title, label, p.Link.Uid)
				}
			}
		}
	}
	for _, g := range allRules(t) {
		for _, r := range g.Rules {
			if r.Alert == "" {
				continue
			}
			// What stands in braces is filled in when it fires.
			address := regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(r.Annotations["dashboard_url"], "x")
			parsed, err := url.Parse(address)
			if err != nil {
				t.Errorf("%s: %v", r.Alert, err)
				continue
			}
			to, ok := all[filepath.Base(parsed.Path)]
			if !ok {
				t.Errorf("%s leads to %q, which is no dashboard", r.Alert, parsed.Path)
			}
			for name := range parsed.Query() {
				if !to.declares(strings.TrimPrefix(name, "var-")) {
					t.Errorf("%s sets %s, which %s does not know", r.Alert, name, to.Uid)
				}
			}
		}
	}
}

func TestDashboardsAskForSeriesThatExist(t *testing.T) {
	known, recorded, raw := catalogue(t), map[string]bool{}, map[string]bool{}
	for _, g := range allRules(t) {
		for _, r := range g.Rules {
			if r.Record == "" {
				continue
			}
			recorded[r.Record] = true
			for _, s := range selectors(t, r.Expr) {
				if f, ok := known[s.Name]; ok && (slices.Contains(f.Labels, "pod") || slices.Contains(f.Labels, "container")) {
					raw[s.Name] = true
				}
			}
		}
	}
	for _, multiCluster := range []bool{false, true} {
		for uid, d := range allDashboards(t, multiCluster) {
			for _, v := range d.Variables {
				for _, s := range selectors(t, replaced(v.Choices, d.anything())) {
					if !slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel && matchesAny(m, recorded) }) {
						t.Errorf("%s: the values of $%s come from series that are not recorded: %s", uid, v.Name, v.Choices)
					}
				}
			}
			for _, p := range d.panels() {
				for _, q := range p.queries() {
					for _, name := range used.FindAllStringSubmatch(q.Expr, -1) {
						if !d.declares(name[1]) {
							t.Errorf("%s: %q uses $%s, which the dashboard does not declare", uid, p.Title, name[1])
						}
					}
					for _, s := range selectors(t, replaced(q.Expr, d.anything())) {
						f, ok := known[s.Name]
						for _, m := range s.LabelMatchers {
							if ok && !hasLabel(f, m) {
								t.Errorf("%s: %q matches %s, a label that %s does not have", uid, p.Title, m, s.Name)
							}
						}
						if !ok && !recorded[s.Name] && !slices.Contains(foreign, s.Name) {
							t.Errorf("%s: %q names %s, which nothing emits", uid, p.Title, s.Name)
						}
						if raw[s.Name] && !narrow(uid, s.LabelMatchers) {
							t.Errorf("%s: %q reads %s of all pods, and a rule does that already", uid, p.Title, s.Name)
						}
					}
				}
			}
		}
	}
}

func matchesAny(m *labels.Matcher, names map[string]bool) bool {
	for name := range names {
		if m.Matches(name) {
			return true
		}
	}
	return false
}

// narrow says whether a selector of series by pod is one that a dashboard may have: of a
// pod where it shows one, or of a node's or a workload's few.
func narrow(uid string, matchers []*labels.Matcher) bool {
	one := map[string]string{"loadline-pod": "pod", "loadline-node": "node", "loadline-workload": "workload"}[uid]
	return slices.ContainsFunc(matchers, func(m *labels.Matcher) bool {
		return m.Name == one && m.Type == labels.MatchEqual && m.Value != ""
	})
}

func TestNoLineOfJsonnetIsTooLongToRead(t *testing.T) {
	err := filepath.WalkDir(filepath.Join(root, "jsonnet"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for i, line := range strings.Split(string(content), "\n") {
			if len(line) > 400 {
				t.Errorf("%s:%d has %d characters", path, i+1, len(line))
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
