package prom

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/prometheus/prometheus/model/labels"
)

const ownAlert = `groups:
- name: own
  interval: 100ms
  rules:
  - record: own:scrapes:sum
    expr: sum(test_scrapes_total)
  - alert: ScrapesAreCounted
    expr: own:scrapes:sum > 0
    labels: {severity: ticket}
    annotations:
      summary: '{{ $value }} scrapes'
      runbook_url: https://example.com/docs/runbooks/scrapes-are-counted.md
`

func TestRulesOfTheProgramAreEvaluatedBesideTheUsers(t *testing.T) {
	t.Parallel()
	// Its group and its file have the same names as the program's.
	users := writeFile(t, t.TempDir(), "users.yaml", strings.ReplaceAll(ownAlert, "own:scrapes", "users:scrapes"))
	o := testOptions(t)
	o.RuleFiles = []string{users}
	o.Rules = fstest.MapFS{"users.yaml": {Data: []byte(ownAlert)}}
	o.Runbooks = "/runbooks/"
	s, _ := start(t, o, &exporter{text: counting})
	result(t, s, "own:scrapes:sum > 0")
	result(t, s, "users:scrapes:sum > 0")

	eventually(t, func() error {
		if n := len(s.Alerts()); n != 2 {
			return fmt.Errorf("%d fire", n)
		}
		return nil
	})
	runbooks := map[string]bool{}
	for _, a := range s.Alerts() {
		if a.Labels.Get(labels.AlertName) != "ScrapesAreCounted" || a.Labels.Get("severity") != "ticket" || a.Since.IsZero() {
			t.Errorf("it fires %v since %v", a.Labels, a.Since)
		}
		if !strings.HasSuffix(a.Annotations.Get("summary"), " scrapes") {
			t.Errorf("the annotations are %v", a.Annotations)
		}
		runbooks[a.Annotations.Get("runbook_url")] = true
	}
	if !runbooks["/runbooks/scrapes-are-counted"] || !runbooks["https://example.com/docs/runbooks/scrapes-are-counted.md"] {
		t.Errorf("the runbooks are at %v, want the program's here and the user's where the user says", runbooks)
	}
}
