// Package sidebyside compares what the resource exporter serves with node_exporter
// and cAdvisor's library on the same real containers, in one pair of scrapes, and
// keeps the table of what differs on purpose.
package sidebyside

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Kind says how a family differs.
type Kind string

// The ways to differ.
const (
	// Absent is a family of theirs that is not served.
	Absent Kind = "absent"
	// Fewer are series of theirs that are not served, of a family that is.
	Fewer Kind = "fewer series"
	// More are series or families under their names that they do not serve.
	More Kind = "more series"
	// Value is another value, or another text where a label is compared.
	Value Kind = "other value"
	// Type is another type of the family.
	Type Kind = "other type"
)

// Difference is one that is meant.
type Difference struct {
	// Family is its name, with * at its end for all that begin so, or "label NAME"
	// for one of the labels that all series of containers have.
	Family string
	Kind   Kind
	// Series is a regular expression of the series' labels (name=value, sorted,
	// separated by commas) where only some differ.
	Series string
	// Reason says why, in a sentence.
	Reason string
	// Elsewhere marks what the test does not show, or not each time: hardware, a
	// mount that hangs, memory that is short. It is not said to differ no more.
	Elsewhere bool
	// OnV1 marks what is so on cgroup version 1 alone.
	OnV1 bool
}

// Peer is an exporter that is compared with.
type Peer struct {
	Name        string
	Differences []Difference
	// NotYet are the families that are absent and should not be; one a line.
	NotYet string
}

//go:embed testdata/cadvisor.notyet
var cadvisorNotYet string

//go:embed testdata/node_exporter.notyet
var nodeExporterNotYet string

// Peers are those that are compared with, and what differs from each.
func Peers() []Peer {
	return []Peer{
		{"node_exporter", nodeDifferences(), nodeExporterNotYet},
		{"cAdvisor", containerDifferences(), cadvisorNotYet},
	}
}

// Write writes docs/differences.md.
func Write(w io.Writer) error {
	var b strings.Builder
	b.WriteString(`# Differences from node_exporter and cAdvisor

Made of the table in ` + "`e2e/sidebyside`" + ` by ` + "`make generate`" + `. A test runs the three on the same real
containers and compares every value under the published names: counters of Loadline must lie between
two scrapes of the other within a tick, gauges agree within 2 %, limits and texts exactly. It fails
on a difference that is not listed here, and on one that is listed and no longer there.
`)
	for _, p := range Peers() {
		fmt.Fprintf(&b, "\n## %s\n\n| family | difference | why |\n|---|---|---|\n", p.Name)
		for _, d := range p.Differences {
			what := string(d.Kind)
			if d.Series != "" {
				what += ": `" + d.Series + "`"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", d.Family, strings.ReplaceAll(what, "|", `\|`), strings.ReplaceAll(d.Reason, "|", `\|`))
		}
		if names := strings.Fields(p.NotYet); len(names) > 0 {
			slices.Sort(names)
			fmt.Fprintf(&b, "\nNot served yet: `%s`.\n", strings.Join(names, "`, `"))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
