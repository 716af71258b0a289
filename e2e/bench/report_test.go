package bench

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/peers"
)

// results are those of one run.
type results struct {
	containers                            int
	idle                                  float64
	ours, node, second, tenSeconds, floor figures
	grown                                 figures // none unless asked for
	files                                 []string
}

// bar is one of what the exporter must keep to.
type bar struct {
	figure, limit, measured string
	kept                    bool
}

func ratio(figure string, ours, theirs, most float64) bar {
	got := ours / theirs
	return bar{figure, fmt.Sprintf("at most %.4g", most), fmt.Sprintf("%.3g", got), got <= most}
}

func (r *results) bars() []bar {
	ours, theirs := common(r.ours.body, r.second.body)
	cadvisor := min(r.second.peak(), r.tenSeconds.peak())
	bars := []bar{
		ratio("CPU against node_exporter + cAdvisor at 1 s", r.ours.total(), r.node.total()+r.second.total(), 0.1),
		ratio("CPU against node_exporter + cAdvisor at 10 s", r.ours.total(), r.node.total()+r.tenSeconds.total(), 0.2),
		ratio("CPU against the floor", r.ours.cpu, r.floor.cpu, 2),
		ratio("peak RSS against the sum of node_exporter's and the smaller cAdvisor's", r.ours.peak(), r.node.peak()+cadvisor, 0.5),
		{"scrape p50", "at most 40 ms", r.ours.p50.Round(100 * time.Microsecond).String(), r.ours.p50 <= 40*time.Millisecond},
		ratio("gzip bytes of the families that both have, against cAdvisor's", float64(packed(ours)), float64(packed(theirs)), 0.5),
	}
	if r.grown.cpu > 0 {
		bars = append(bars, ratio("CPU of four times as many containers", r.grown.total(), r.ours.total(), 4.4))
	}
	return bars
}

// common are the lines of two expositions that belong to families which both have.
func common(a, b []byte) (ofA, ofB []byte) {
	both := families(a)
	other := families(b)
	maps.DeleteFunc(both, func(name string, _ bool) bool { return !other[name] })
	return only(a, both), only(b, both)
}

func families(body []byte) map[string]bool {
	names := map[string]bool{}
	for line := range bytes.Lines(body) {
		if line[0] != '#' {
			names[nameOf(line)] = true
		}
	}
	return names
}

func only(body []byte, names map[string]bool) (lines []byte) {
	for line := range bytes.Lines(body) {
		if names[nameOf(line)] {
			lines = append(lines, line...)
		}
	}
	return lines
}

// nameOf is the family of a line: a sample's, or that which a comment describes.
func nameOf(line []byte) string {
	text := string(line)
	if rest, ok := strings.CutPrefix(text, "# "); ok { // TYPE NAME …
		fields := strings.Fields(rest)
		if len(fields) < 2 {
			return ""
		}
		return fields[1]
	}
	if i := strings.IndexAny(text, "{ "); i >= 0 {
		return text[:i]
	}
	return text
}

// packed is the size after compression, at one level for all.
func packed(text []byte) int {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text)
	_ = z.Close()
	return b.Len()
}

// The part of docs/benchmarks.md that the benchmark writes.
const (
	begin = "<!-- begin: written by make bench -->\n"
	end   = "<!-- end: written by make bench -->\n"
)

// report prints the tables and, when asked to, writes them into the document.
func (r *results) report(b *testing.B) {
	b.Helper()
	var t strings.Builder
	fmt.Fprintf(&t, "%s\n", where(b))
	fmt.Fprintf(&t, "%d containers in %d pods; each program was scraped every %v for %v, one after the other in the order of the table. ",
		r.containers, r.containers/containersOfPod, *interval, *observed)
	fmt.Fprintf(&t, "containerd and its shims took %.2f CPU s/min before.\n\n", r.idle)
	t.WriteString("| program | CPU s/min | + containerd | peak RSS MiB | after start | kernel MiB | descriptors | p50 ms | p99 ms | gzip KB | series |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	rows := []figures{r.ours, r.node, r.second, r.tenSeconds, r.floor}
	if r.grown.cpu > 0 {
		r.grown.name = fmt.Sprintf("%s, %d containers", r.grown.name, 4*r.containers)
		rows = append(rows, r.grown)
	}
	for _, f := range rows {
		fmt.Fprintf(&t, "| %s | %.3f | %.3f | %.1f | %.1f | %.1f | %d | %.1f | %.1f | %.1f | %d |\n", f.name, f.cpu, f.runtime,
			f.peak()/mebibyte, f.peakRSS/mebibyte, f.kernel/mebibyte, f.descriptors, milliseconds(f.p50), milliseconds(f.p99), float64(f.sent)/1000, f.series)
	}
	fmt.Fprintf(&t, "\nThe floor reads %d files a scrape, %d of them in the cgroup tree.\n", len(r.files), below(r.files, "/sys/fs/cgroup"))
	t.WriteString("\n| figure | bar | measured | |\n|---|---|---|---|\n")
	for _, x := range r.bars() {
		fmt.Fprintf(&t, "| %s | %s | %s | %s |\n", x.figure, x.limit, x.measured, map[bool]string{true: "kept", false: "**missed**"}[x.kept])
	}
	fmt.Println(t.String())
	if *update {
		write(b, t.String())
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func below(files []string, dir string) (n int) {
	for _, file := range files {
		if strings.HasPrefix(file, dir+"/") {
			n++
		}
	}
	return n
}

func write(b *testing.B, text string) {
	b.Helper()
	const name = "../../docs/benchmarks.md"
	content, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		b.Fatalf("%s lacks the lines between which the figures stand", name)
	}
	if err := os.WriteFile(name, []byte(before+begin+text+end+after), 0o644); err != nil {
		b.Fatal(err)
	}
}

// where says what was measured on what.
func where(b *testing.B) string {
	b.Helper()
	commit, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		b.Fatalf("find the commit: %v", err)
	}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		b.Fatal(err)
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		b.Fatal(err)
	}
	return fmt.Sprintf("%s, commit %s, kernel %s, load average %s at the end; node_exporter %s, cAdvisor's library %s.\n",
		time.Now().UTC().Format(time.DateOnly), strings.TrimSpace(string(commit)), strings.TrimSpace(string(kernel)),
		strings.Join(strings.Fields(string(load))[:3], " "), peers.NodeExporterVersion, peers.CAdvisorVersion)
}
