// Package docs makes the metrics reference of the exporters' tables, and tests
// that the documents agree with the code.
package docs

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/kube"
	orchestrator "github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	resource "github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
)

// Exporter is an exporter's table of families.
type Exporter struct {
	Name     string
	Families family.Table
}

// Exporters are all exporters, in the order of the reference. The error is
// kube-state-metrics' builder's.
func Exporters() ([]Exporter, error) {
	kubeStateMetrics, err := kube.Table()
	if err != nil {
		return nil, err
	}
	return []Exporter{
		{"resource", resource.Table()},
		{"orchestrator", slices.Concat(orchestrator.Table(), kubeStateMetrics)},
	}, nil
}

// WriteReference writes docs/metrics.md.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	b.WriteString(`# Metrics

Made of the exporters' tables by ` + "`make generate`" + `. A family that is compatible keeps the name,
type and unit that the exporter named in its group publishes; ` + "`--compat`" + ` turns groups off. The labels
of kube-state-metrics' families (group kube) are its own, and not listed here.

Every exporter also serves client_golang's ` + "`go_*` and `process_*`" + ` of its own process.
`)
	section(&b, "Every exporter, about itself", serve.SelfFamilies())
	exporters, err := Exporters()
	if err != nil {
		return err
	}
	for _, e := range exporters {
		section(&b, e.Name+"-exporter", e.Families)
	}
	b.WriteString("\n### Classes of events\n\nThe label `class` of `" + orchestrator.Events.Name + "` says what happened, whatever the orchestrator calls it:\n\n")
	for _, c := range model.Classes() {
		fmt.Fprintf(&b, "- `%s`\n", c)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

func section(b *strings.Builder, title string, t family.Table) {
	fmt.Fprintf(b, "\n## %s\n", title)
	collector := ""
	for _, f := range t {
		if f.Collector != collector {
			collector = f.Collector
			fmt.Fprintf(b, "\n### Collector %s\n\n| family | type | labels | compatible | help |\n|---|---|---|---|---|\n", collector)
		}
		labels := make([]string, len(f.Labels))
		for i, l := range f.Labels {
			labels[i] = "`" + l + "`"
		}
		help := strings.NewReplacer("|", `\|`, "\n", " ").Replace(f.Help)
		if len(f.Buckets) > 0 {
			help += " Buckets: " + strings.Trim(fmt.Sprint(f.Buckets), "[]") + "."
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.Type, strings.Join(labels, " "), f.Compat, help)
	}
}
