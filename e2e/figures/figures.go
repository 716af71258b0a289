// Package figures holds what benchmarks measure against the bars that it has to keep
// to, and writes both into the document.
package figures

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Bar is one of what an exporter must keep to.
type Bar struct {
	// Figure, Limit and Measured are as they are printed.
	Figure, Limit, Measured string
	// Kept says whether it is.
	Kept bool
}

// Ratio is a bar that ours is at most so many times theirs.
func Ratio(figure string, ours, theirs, most float64) Bar {
	got := ours / theirs
	return Bar{figure, fmt.Sprintf("at most %.4g", most), fmt.Sprintf("%.3g", got), got <= most}
}

// Table is the bars as a table.
func Table(bars []Bar) string {
	var t strings.Builder
	t.WriteString("| figure | bar | measured | |\n|---|---|---|---|\n")
	for _, x := range bars {
		fmt.Fprintf(&t, "| %s | %s | %s | %s |\n", x.Figure, x.Limit, x.Measured, map[bool]string{true: "kept", false: "**missed**"}[x.Kept])
	}
	return t.String()
}

// Where says what was measured on what; programs are the others, with their versions.
func Where(b *testing.B, programs string) string {
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
	return fmt.Sprintf("%s, commit %s, kernel %s, load average %s at the end; %s.\n",
		time.Now().UTC().Format(time.DateOnly), strings.TrimSpace(string(commit)), strings.TrimSpace(string(kernel)),
		strings.Join(strings.Fields(string(load))[:3], " "), programs)
}

// Write puts a text into docs/benchmarks.md, between the lines that name its section.
// It is run from a package two below the repository.
func Write(b *testing.B, section, text string) {
	b.Helper()
	const name = "../../docs/benchmarks.md"
	begin, end := fmt.Sprintf("<!-- begin: %s, written by make bench -->\n", section), "<!-- end: "+section+" -->\n"
	content, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		b.Fatalf("%s lacks the lines between which the figures of %s stand", name, section)
	}
	if err := os.WriteFile(name, []byte(before+begin+text+end+after), 0o644); err != nil {
		b.Fatal(err)
	}
}
