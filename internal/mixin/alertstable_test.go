package mixin

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// alertsTable is docs/alerts.md.
func alertsTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`# Alerts

Made of ` + "`jsonnet/`" + ` by ` + "`make generate`" + `. A page is for what users feel now, a ticket for what
will hurt, an event for the digest. Each has a runbook. Where they begin stands in
` + "`_config.thresholds`" + ` (` + "`jsonnet/config.libsonnet`" + `); [mixins.md](mixins.md) says which alert of the published
mixins each stands for, and [routing.md](routing.md) who is told.
`)
	var groups []ruleGroup
	evaluate(t, `(import 'mixin.libsonnet').prometheusAlerts.groups`, &groups)
	for _, severity := range []string{"page", "ticket", "event"} {
		fmt.Fprintf(&b, "\n## %ss\n\n| alert | level | for | what it says |\n|---|---|---|---|\n", strings.ToUpper(severity[:1])+severity[1:])
		for _, g := range groups {
			for _, r := range g.Rules {
				if r.Labels["severity"] == severity {
					fmt.Fprintf(&b, "| [%s](runbooks/%s) | %s | %s | %s |\n", r.Alert, runbook(r), r.Labels["level"], r.For, plain(r.Annotations["summary"]))
				}
			}
		}
	}
	return b.String()
}

// plain is a text with its labels' names in place of their values.
func plain(text string) string {
	for _, pair := range [][2]string{{"{{ $labels.", "*"}, {"{{ ", ""}, {" | humanizePercentage }}", ""}, {" }}", "*"}} {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

func TestTheTableOfAlertsIsCurrent(t *testing.T) { current(t, "docs/alerts.md", alertsTable(t)) }

func TestEveryAlertStandsBesideThePublishedMixins(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/mixins.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, a := range alerts(t) {
		link := fmt.Sprintf("[%s](runbooks/%s)", a.Alert, runbook(a))
		known[link] = true
		if !strings.Contains(string(text), link) {
			t.Errorf("docs/mixins.md does not have %s", link)
		}
	}
	for _, link := range regexp.MustCompile(`\[\w+\]\(runbooks/[^)]+\)`).FindAllString(string(text), -1) {
		if !known[link] {
			t.Errorf("docs/mixins.md has %s, which is no alert", link)
		}
	}
}
