package node

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
)

var update = flag.Bool("update", false, "write what is served to the golden files")

func TestEachMachineIsServedAsItsGoldenFileSays(t *testing.T) {
	for archive, rootFS := range map[string]string{
		"kubernetes-node": "/host",
		"bare-metal":      "/",
		"old-kernel":      "/host/",
		"server":          "/",
	} {
		t.Run(archive, func(t *testing.T) {
			m := unpack(t, archive, rootFS)
			// What this program was built of differs with the toolchain; one machine has
			// processes.
			cs := slices.DeleteFunc(m.collectors(t), func(c serve.Collector) bool {
				return c.Name == "build_info" || c.Name == "processes" && archive != "bare-metal"
			})
			out, err := collect(cs)
			if err != nil {
				t.Error(err)
			}
			got := bytes.ReplaceAll(encode(out, family.Text), []byte(m.dir), []byte("/machine"))
			golden := filepath.Join("testdata", archive+".prom")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			compareLines(t, string(got), string(want))
			expfmtReads(t, got)
			prometheusReads(t, got, "text/plain; version=0.0.4", out.Series)
			prometheusReads(t, encode(out, family.OpenMetrics), "application/openmetrics-text; version=1.0.0", out.Series)
		})
	}
}

func compareLines(t *testing.T, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	in := func(s string) map[string]bool {
		set := map[string]bool{}
		for l := range strings.Lines(s) {
			set[l] = true
		}
		return set
	}
	gotSet, wantSet := in(got), in(want)
	for l := range strings.Lines(want) {
		if !gotSet[l] {
			t.Errorf("missing: %s", l)
		}
	}
	for l := range strings.Lines(got) {
		if !wantSet[l] {
			t.Errorf("surplus: %s", l)
		}
	}
	if !t.Failed() {
		t.Error("the lines are the same, their order is not")
	}
}

// expfmtReads is the stricter parser: it refuses series that occur twice or are
// not with their family.
func expfmtReads(t *testing.T, text []byte) {
	t.Helper()
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("expfmt: %v", err)
	}
	types := map[string]string{}
	for _, f := range metrics.Table() {
		types[f.Name] = strings.ToUpper(string(f.Type))
	}
	for name, f := range families {
		if types[name] == "" && strings.HasPrefix(name, "node_") {
			types[name] = foreignType(name)
		}
		if types[name] == "" && !strings.HasPrefix(name, "node_") {
			continue // a text file's
		}
		if want := types[name]; want != "" && f.GetType().String() != want {
			t.Errorf("%s is a %s, want %s", name, f.GetType(), want)
		}
	}
}

// foreignType is the type of families whose names only the kernel knows.
func foreignType(name string) string {
	switch {
	case strings.HasPrefix(name, "node_vmstat_"), strings.HasPrefix(name, "node_netstat_"):
		return "UNTYPED"
	}
	return ""
}

func prometheusReads(t *testing.T, text []byte, contentType string, series int) {
	t.Helper()
	p, err := textparse.New(text, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", contentType, err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var l labels.Labels
		p.Labels(&l)
		if seen[l.String()] {
			t.Errorf("%s: %s occurs twice", contentType, l)
		}
		seen[l.String()] = true
	}
	if len(seen) != series {
		t.Errorf("%s: %d series, want %d", contentType, len(seen), series)
	}
}

func TestEveryFamilyOfTheNodeIsServedBySomeMachine(t *testing.T) {
	served := map[string]bool{}
	own := map[string]bool{}
	for _, archive := range []string{"kubernetes-node", "bare-metal", "old-kernel", "server"} {
		m := unpack(t, archive, "/")
		text := m.run(t)
		m.options.Hardware.RAPLZoneLabel = true // the family is served instead of others
		for line := range strings.Lines(text + m.run(t)) {
			if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
				served[strings.Fields(name)[0]] = true
			}
		}
		for _, c := range m.collectors(t) {
			own[c.Name] = true
		}
	}
	for _, f := range metrics.Table() {
		if f.Compat != family.Node || f.Collector == "systemd" { // a package of its own
			continue
		}
		if !own[f.Collector] {
			t.Errorf("%s names a collector %q that does not exist", f.Name, f.Collector)
		}
		if !served[f.Name] {
			t.Errorf("%s is listed and never served", f.Name)
		}
	}
	if err := metrics.Table().Check(); err != nil {
		t.Error(err)
	}
}
