package bench

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/figures"
	"github.com/loadline-exporters/loadline/e2e/peers"
)

// results are those of one run.
type results struct {
	containers                            int
	idle                                  float64
	ours, node, second, tenSeconds, floor program
	grown                                 program // none unless asked for
	files                                 []string
}

func (r *results) bars() []figures.Bar {
	ours, theirs := common(r.ours.body, r.second.body)
	cadvisor := min(r.second.peak(), r.tenSeconds.peak())
	bars := []figures.Bar{
		figures.Ratio("CPU against node_exporter + cAdvisor at 1 s", r.ours.total(), r.node.total()+r.second.total(), 0.1),
		figures.Ratio("CPU against node_exporter + cAdvisor at 10 s", r.ours.total(), r.node.total()+r.tenSeconds.total(), 0.2),
		figures.Ratio("CPU against the floor", r.ours.cpu, r.floor.cpu, 2),
		figures.Ratio("peak RSS against the sum of node_exporter's and the smaller cAdvisor's", r.ours.peak(), r.node.peak()+cadvisor, 0.5),
		{Figure: "scrape p50", Limit: "at most 40 ms", Measured: r.ours.p50.Round(100 * time.Microsecond).String(), Kept: r.ours.p50 <= 40*time.Millisecond},
		figures.Ratio("gzip bytes of the families that both have, against cAdvisor's", float64(packed(ours)), float64(packed(theirs)), 0.5),
	}
	if r.grown.cpu > 0 {
		bars = append(bars, figures.Ratio("CPU of four times as many containers", r.grown.total(), r.ours.total(), 4.4))
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

// report prints the tables and, when asked to, writes them into the document.
func (r *results) report(b *testing.B) {
	b.Helper()
	var t strings.Builder
	fmt.Fprintf(&t, "%s\n", figures.Where(b, fmt.Sprintf("node_exporter %s, cAdvisor's library %s", peers.NodeExporterVersion, peers.CAdvisorVersion)))
	fmt.Fprintf(&t, "%d containers in %d pods; each program was scraped every %v for %v, one after the other in the order of the table. ",
		r.containers, r.containers/containersOfPod, *interval, *observed)
	fmt.Fprintf(&t, "containerd and its shims took %.2f CPU s/min before.\n\n", r.idle)
	t.WriteString("| program | CPU s/min | + containerd | peak RSS MiB | after start | kernel MiB | descriptors | p50 ms | p99 ms | gzip KB | series |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	rows := []program{r.ours, r.node, r.second, r.tenSeconds, r.floor}
	if r.grown.cpu > 0 {
		r.grown.name = fmt.Sprintf("%s, %d containers", r.grown.name, 4*r.containers)
		rows = append(rows, r.grown)
	}
	for _, f := range rows {
		fmt.Fprintf(&t, "| %s | %.3f | %.3f | %.1f | %.1f | %.1f | %d | %.1f | %.1f | %.1f | %d |\n", f.name, f.cpu, f.runtime,
			f.peak()/mebibyte, f.peakRSS/mebibyte, f.kernel/mebibyte, f.descriptors, milliseconds(f.p50), milliseconds(f.p99), float64(f.sent)/1000, f.series)
	}
	fmt.Fprintf(&t, "\nThe floor reads %d files a scrape, %d of them in the cgroup tree.\n", len(r.files), below(r.files, "/sys/fs/cgroup"))
	t.WriteString("\n" + figures.Table(r.bars()))
	fmt.Println(t.String())
	if *update {
		figures.Write(b, "resource", t.String())
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
