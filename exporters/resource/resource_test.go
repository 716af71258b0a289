package resource_test

import (
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
)

var update = flag.Bool("update", false, "write what is served to the golden files")

var machines = []string{"v1", "v2", "hybrid"}

// TestTheExpositionOfEachMachineIsAsItsGoldenFileSays runs the whole program on a
// machine's files and on servers that answer as its kubelet and engines do.
func TestTheExpositionOfEachMachineIsAsItsGoldenFileSays(t *testing.T) {
	served := map[string]bool{}
	for _, name := range machines {
		t.Run(name, func(t *testing.T) {
			e := unpack(t, name).run(t, "loadline_container.*,container_.*,loadline_pod_.*")
			for accept, extension := range map[string]string{"text/plain": ".prom", "application/openmetrics-text; version=1.0.0": ".om"} {
				text, contentType := e.scrape(t, accept)
				for _, family := range check(t, text, contentType) {
					served[family] = true
				}
				compare(t, "testdata/"+name+extension, ofInterest(text))
			}
			lint(t, e)
		})
	}
	text, contentType := unpack(t, "v2").run(t, "machine_.*").scrape(t, "text/plain")
	for _, family := range check(t, text, contentType) {
		served[family] = true
	}
	for _, f := range metrics.Table() {
		if slices.Contains([]string{"container", "machine", "network"}, f.Collector) && !served[f.Name] {
			t.Errorf("%s is listed and never served", f.Name)
		}
		delete(served, f.Name)
	}
	for f := range served {
		t.Errorf("%s is served and not listed", f)
	}
}

// ofInterest leaves out what is another machine's or another run's: the process's
// own families, the build, times.
func ofInterest(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, `source="sockets"`) {
			continue // it needs rights
		}
		name := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "), "# UNIT ")
		if strings.HasPrefix(name, "container_") || strings.HasPrefix(name, "loadline_container_") || strings.HasPrefix(name, "loadline_pod_") ||
			strings.HasPrefix(name, "loadline_source_") || strings.HasPrefix(name, "loadline_exporter_") || line == "# EOF\n" {
			if strings.HasPrefix(line, "container_last_seen{") {
				line = line[:strings.LastIndexByte(line, ' ')] + " (now)\n"
			}
			out.WriteString(line)
		}
	}
	return out.String()
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := slices.Collect(strings.Lines(got)), slices.Collect(strings.Lines(string(want)))
	for i := range max(len(gotLines), len(wantLines)) {
		g, w := at(gotLines, i), at(wantLines, i)
		if g != w {
			t.Fatalf("%s, line %d: got\n%s\nwant\n%s", golden, i+1, g, w)
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}

// check reads the text as Prometheus does, fails on what occurs twice, and returns
// the names of the exporter's families.
func check(t *testing.T, text, contentType string) (families []string) {
	t.Helper()
	p, err := textparse.New([]byte(text), contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return families
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
			t.Errorf("%s occurs twice", l)
		}
		seen[l.String()] = true
		name := l.Get("__name__")
		if strings.HasPrefix(name, "container_") || strings.HasPrefix(name, "machine_") || strings.HasPrefix(name, "loadline_container_") {
			families = append(families, name)
		}
	}
}

// lint holds Loadline's own families to promtool's rules; the compatible ones have
// the names they have.
func lint(t *testing.T, e *running) {
	t.Helper()
	text, _ := e.scrape(t, "text/plain")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "loadline_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}
