package page

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// options are the plugins' types of what a panel is drawn with, by kind, and the
// packages that they are of.
var options = map[string][2]string{
	"TimeSeriesChart": {"TimeSeriesChartOptions", "timeseries-chart-plugin"},
	"StatChart":       {"StatChartOptions", "stat-chart-plugin"},
	"BarChart":        {"BarChartOptions", "bar-chart-plugin"},
	"Table":           {"TableOptions", "table-plugin"},
	"Markdown":        {"MarkdownPanelOptions", "markdown-plugin"},
}

// writeTypes writes every panel of every dashboard as TypeScript that says what the
// plugins' types are: the compiler finds what they don't know, as JSON it would not.
func writeTypes(t *testing.T, file string) {
	t.Helper()
	files, err := filepath.Glob("../perses/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("the dashboards are %q (error %v)", files, err)
	}
	var text strings.Builder
	for kind, of := range options {
		fmt.Fprintf(&text, "export type %s = import(%q).%s;\n", kind, "@perses-dev/"+of[1], of[0])
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var dashboard struct {
			Spec struct {
				Panels map[string]struct {
					Spec struct {
						Plugin struct {
							Kind string
							Spec json.RawMessage
						}
					}
				}
			}
		}
		if err := json.Unmarshal(content, &dashboard); err != nil {
			t.Fatal(err)
		}
		for key, p := range dashboard.Spec.Panels {
			plugin := p.Spec.Plugin
			if _, ok := options[plugin.Kind]; !ok {
				t.Errorf("%s: the page has no plugin for the %s of %s", name, plugin.Kind, key)
				continue
			}
			of := strings.NewReplacer("-", "_", ".json", "").Replace(filepath.Base(name))
			fmt.Fprintf(&text, "export const %s_%s: %s = %s;\n", of, key, plugin.Kind, plugin.Spec)
		}
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
