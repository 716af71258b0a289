package mixin

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// signal is one as documents show it.
type signal struct {
	Name, Op, Title, Unit, Description, Source string
	Levels, Extra                              []string
}

func allSignals(t *testing.T) map[string]signal {
	t.Helper()
	var out map[string]signal
	evaluate(t, `
		local signals = (import 'mixin.libsonnet').signals;
		{
			[name]: { [field]: std.get(signals[name], field, '', inc_hidden=true) for field in ['name', 'op', 'title', 'unit', 'description', 'source'] }
				+ { levels: signals[name].levels, extra: signals[name].extra }
			for name in std.objectFields(signals)
		}`, &out)
	return out
}

// current compares a generated document, or writes it when told to.
func current(t *testing.T, name, want string) {
	t.Helper()
	file := filepath.Join(root, name)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is stale: run make generate", name)
	}
}

func TestTheListOfSignalsIsCurrent(t *testing.T) {
	signals := allSignals(t)
	var text strings.Builder
	text.WriteString(`# Signals

Made of jsonnet/ by make generate; not to be edited.

What is recorded: each signal at the levels that it names, as ` + "`LEVEL:signal:operations`" + ` with the
level's labels (and those in brackets). The level below is where each comes from; services are a side
branch from pods.

| level | labels |
|---|---|
`)
	for _, level := range []string{"container", "pod", "workload", "service", "namespace", "node", "cluster"} {
		fmt.Fprintf(&text, "| %s | `%s` |\n", level, strings.Join(levelLabels[level], "` `"))
	}
	text.WriteString("\n| signal | levels | unit | what it says |\n|---|---|---|---|\n")
	names := slices.SortedFunc(maps.Keys(signals), func(a, b string) int {
		return strings.Compare(signals[a].Source+signals[a].Name+a, signals[b].Source+signals[b].Name+b)
	})
	for _, name := range names {
		s := signals[name]
		if s.Title == "" || s.Unit == "" || s.Description == "" || s.Source == "" {
			t.Errorf("signal %s lacks a title, a unit, a description or a source", name)
		}
		extra := ""
		if len(s.Extra) > 0 {
			extra = " (" + strings.Join(s.Extra, ", ") + ")"
		}
		fmt.Fprintf(&text, "| `%s:%s` | %s%s | %s | %s |\n", s.Name, s.Op, strings.Join(s.Levels, ", "), extra, s.Unit, s.Description)
	}
	current(t, "docs/signals.md", text.String())
}
