package mixin

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// pages are the alerts that wake somebody, which is no small thing to add to.
var pages = []string{
	"ManyNodesAreGone", "NodeIsGone", "OrchestratorDoesNotAnswer", "ServiceHasNoReadyEndpoint", "ServiceIsBelowCapacity", "WorkloadIsStalled",
}

// headings are those of a runbook, in their order.
var headings = []string{"## Meaning", "## Impact", "## How to look", "## How to mend"}

// alerts are those of the suite at its defaults, in their order.
func alerts(t *testing.T) []rule {
	t.Helper()
	return alertsOf(t, `import 'mixin.libsonnet'`)
}

func alertsOf(t *testing.T, mixin string) (out []rule) {
	t.Helper()
	var groups []ruleGroup
	evaluate(t, `(`+mixin+`).prometheusAlerts.groups`, &groups)
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				out = append(out, r)
			}
		}
	}
	return out
}

// runbook is the name of an alert's file, as its link has it.
func runbook(a rule) string {
	url := a.Annotations["runbook_url"]
	return url[strings.LastIndex(url, "/")+1:]
}

func TestEveryAlertHasARunbookAndNoneIsLeftOver(t *testing.T) {
	wanted := map[string]bool{}
	linked := regexp.MustCompile(`\]\(([^)]+)\)`)
	capital := regexp.MustCompile(`([a-z])([A-Z])`)
	for _, a := range alerts(t) {
		file := strings.ToLower(capital.ReplaceAllString(strings.ReplaceAll(a.Alert, "ANode", "A-Node"), "$1-$2")) + ".md"
		if runbook(a) != file {
			t.Errorf("the runbook of %s is %q, not %s", a.Alert, a.Annotations["runbook_url"], file)
		}
		wanted[file] = true
		text, err := os.ReadFile(filepath.Join(root, "docs/runbooks", file))
		if err != nil {
			t.Error(err)
			continue
		}
		checkRunbook(t, a.Alert, string(text))
		for _, link := range linked.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, "docs/runbooks", link[1])); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	wanted["README.md"] = true
	have, err := filepath.Glob(filepath.Join(root, "docs/runbooks/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range have {
		if !wanted[filepath.Base(file)] {
			t.Errorf("%s is the runbook of no alert", file)
		}
	}
}

// checkRunbook checks that a runbook has its parts, with something in each.
func checkRunbook(t *testing.T, name, text string) {
	t.Helper()
	if !strings.HasPrefix(text, "# "+name+"\n") {
		t.Errorf("the runbook of %s has another title", name)
	}
	for i, heading := range headings {
		_, rest, found := strings.Cut(text, "\n"+heading+"\n")
		if !found {
			t.Errorf("the runbook of %s lacks %q", name, heading)
			return
		}
		if i+1 < len(headings) {
			rest, _, _ = strings.Cut(rest, "\n"+headings[i+1]+"\n")
		}
		if strings.TrimSpace(rest) == "" {
			t.Errorf("the runbook of %s says nothing below %q", name, heading)
		}
	}
}

func TestAnAlertSaysHowBadItIsWhatItIsAboutAndWhatToDo(t *testing.T) {
	for _, a := range alerts(t) {
		if !slices.Contains([]string{"page", "ticket", "event"}, a.Labels["severity"]) {
			t.Errorf("%s has severity %q", a.Alert, a.Labels["severity"])
		}
		if (a.Labels["severity"] == "page") != slices.Contains(pages, a.Alert) {
			t.Errorf("%s has severity %q, which is not what the list of pages says", a.Alert, a.Labels["severity"])
		}
		if levelLabels[a.Labels["level"]] == nil {
			t.Errorf("%s has level %q", a.Alert, a.Labels["level"])
		}
		for _, name := range []string{"summary", "description"} {
			if text := a.Annotations[name]; !strings.HasSuffix(text, ".") || strings.Contains(text, "\n") || strings.Contains(text, "%!") {
				t.Errorf("the %s of %s is no sentence: %q", name, a.Alert, text)
			}
			if strings.Contains(a.Annotations[name], "$labels.cluster") {
				t.Errorf("%s names a cluster where there is one alone: %q", a.Alert, a.Annotations[name])
			}
		}
		if strings.Contains(a.Annotations["description"], "$value }}") {
			t.Errorf("%s shows its value as no person reads it: %q", a.Alert, a.Annotations["description"])
		}
	}
}

func TestAnAlertNamesItsClusterWhereThereAreSeveral(t *testing.T) {
	for _, a := range alertsOf(t, `(import 'mixin.libsonnet') + { _config+:: { multiCluster: true } }`) {
		if !strings.Contains(a.Annotations["summary"], "{{ $labels.cluster }}") {
			t.Errorf("%s does not name its cluster: %q", a.Alert, a.Annotations["summary"])
		}
	}
}

func TestAlertsOnWhatAWorkloadOwnsNameItsOwner(t *testing.T) {
	for _, a := range alerts(t) {
		if slices.Contains([]string{"namespace", "service", "workload", "pod", "container"}, a.Labels["level"]) && !strings.Contains(a.Expr, "group_left (owner)") {
			t.Errorf("%s does not name its owner", a.Alert)
		}
	}
}

// tried is what the tests of rules expect of an alert.
type tried struct {
	fires []labels.Labels
	quiet bool
}

// triedAlerts reads the tests of rules.
func triedAlerts(t *testing.T) map[string]*tried {
	t.Helper()
	out := map[string]*tried{}
	of := func(name string) *tried {
		if out[name] == nil {
			out[name] = &tried{}
		}
		return out[name]
	}
	files, err := filepath.Glob(filepath.Join(root, "rules/tests/*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`^ALERTS\{alertname="(\w+)", alertstate="firing"\}$`)
	for _, file := range files {
		for _, group := range readTests(t, file) {
			for _, a := range group.Alerts {
				x := of(a.Alertname)
				x.quiet = x.quiet || len(a.Expected) == 0
				for _, e := range a.Expected {
					x.fires = append(x.fires, labels.FromMap(e.Labels))
				}
			}
			for _, q := range group.Queries {
				name := asked.FindStringSubmatch(q.Expr)
				if name == nil {
					continue
				}
				x := of(name[1])
				x.quiet = x.quiet || len(q.Samples) == 0
				for _, s := range q.Samples {
					metric, err := parser.NewParser(parser.Options{}).ParseMetric(s.Labels)
					if err != nil {
						t.Fatal(err)
					}
					x.fires = append(x.fires, metric)
				}
			}
		}
	}
	return out
}

// ruleTest is a test as promtool reads it.
type ruleTest struct {
	Alerts []struct {
		Alertname string
		Expected  []struct {
			Labels map[string]string `yaml:"exp_labels"`
		} `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
	Queries []struct {
		Expr    string
		Samples []struct{ Labels string } `yaml:"exp_samples"`
	} `yaml:"promql_expr_test"`
}

func readTests(t *testing.T, file string) []ruleTest {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var content struct{ Tests []ruleTest }
	if err := yaml.Unmarshal(text, &content); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return content.Tests
}

func TestEveryAlertIsTriedOnAFaultAndOnNone(t *testing.T) {
	tests, all := triedAlerts(t), map[string]bool{}
	for _, a := range alerts(t) {
		all[a.Alert] = true
		x := tests[a.Alert]
		switch {
		case x == nil || len(x.fires) == 0:
			t.Errorf("no test sees %s fire", a.Alert)
		case !x.quiet:
			t.Errorf("no test sees %s be silent", a.Alert)
		}
	}
	for name := range tests {
		if !all[name] {
			t.Errorf("a test asks for %s, which is no alert", name)
		}
	}
}

func TestAnAlertHasTheLabelsOfItsLevel(t *testing.T) {
	for name, x := range triedAlerts(t) {
		for _, got := range x.fires {
			for _, label := range levelLabels[got.Get("level")] {
				if label != "cluster" && got.Get(label) == "" {
					t.Errorf("%s fires without %s: %s", name, label, got)
				}
			}
		}
	}
}

func TestNoThresholdIsUnused(t *testing.T) {
	var names map[string]float64
	evaluate(t, `(import 'config.libsonnet')._config.thresholds`, &names)
	files, err := filepath.Glob(filepath.Join(root, "jsonnet/*/*.libsonnet"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for name := range names {
		if !regexp.MustCompile(`\b(t|thresholds)\.` + name + `\b`).MatchString(all.String()) {
			t.Errorf("nothing reads _config.thresholds.%s", name)
		}
	}
}

// With honor_labels, as the shipped scrape configurations have it, an exporter's label
// takes the place of the target's, and no selector finds the series any more.
func TestNoSeriesHidesWhereItWasScraped(t *testing.T) {
	for name, f := range catalogue(t) {
		for _, label := range []string{"job", "instance"} {
			if slices.Contains(f.Labels, label) {
				t.Errorf("%s has a label %s of its own", name, label)
			}
		}
	}
}

func TestRunbooksAskForSeriesThatThereAre(t *testing.T) {
	known := catalogue(t)
	for _, g := range allRules(t) {
		for _, r := range g.Rules {
			known[r.Record] = nil
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "docs/runbooks/*-*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "```promql\n")
		queries, _, _ := strings.Cut(rest, "```")
		for _, query := range strings.Split(strings.TrimSpace(queries), "\n") {
			for _, s := range selectors(t, query) {
				if _, ok := known[s.Name]; !ok && !slices.Contains(foreign, s.Name) {
					t.Errorf("%s asks for %s, which there is not", filepath.Base(file), s.Name)
				}
			}
		}
	}
}
