package docs

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/sidebyside"
)

var update = flag.Bool("update", false, "rewrite the generated documents")

// root is the repository.
const root = "../.."

func TestTheMetricsReferenceIsWhatTheTablesSay(t *testing.T) {
	generated(t, "docs/metrics.md", WriteReference)
}

func TestTheReferenceOfDifferencesIsWhatTheTableSays(t *testing.T) {
	generated(t, "docs/differences.md", sidebyside.Write)
}

// generated compares a document with what writes it.
func generated(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var want bytes.Buffer
	if err := write(&want); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, name)
	if *update {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%s is stale: run make generate", name)
	}
}

func TestNoFamilyIsEmittedByTwoExporters(t *testing.T) {
	by := map[string]string{}
	exporters, err := Exporters()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range exporters {
		if err := e.Families.Check(); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		for _, f := range e.Families {
			if other, ok := by[f.Name]; ok {
				t.Errorf("%s is in the tables of %s and %s", f.Name, other, e.Name)
			}
			by[f.Name] = e.Name
		}
	}
}

// code finds what a document puts in code spans.
var code = regexp.MustCompile("`([^`\n]+)`")

func TestEveryPathInTheMapExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "AGENTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(text, []byte("\n")); lines > 150 {
		t.Errorf("AGENTS.md has %d lines, want 150 at most", lines)
	}
	found := 0
	for _, m := range code.FindAllSubmatch(text, -1) {
		path := string(m[1])
		// Paths have a slash or a file's ending, and no blank.
		if strings.ContainsAny(path, " *<{=") || !strings.Contains(path, "/") && !strings.Contains(path, ".") || strings.HasPrefix(path, "/") || strings.HasPrefix(path, "-") {
			continue
		}
		found++
		if _, err := os.Stat(filepath.Join(root, path)); err != nil {
			t.Errorf("AGENTS.md names %s, which does not exist", path)
		}
	}
	if found < 10 {
		t.Errorf("only %d paths were found in AGENTS.md", found)
	}
}

// link finds the targets of a document's links.
var link = regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)

func TestEveryLinkBetweenDocumentsLeadsSomewhere(t *testing.T) {
	documents, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "AGENTS.md", "CHANGELOG.md"} {
		documents = append(documents, filepath.Join(root, name))
	}
	for _, d := range documents {
		text, err := os.ReadFile(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			target := string(m[1])
			if strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(d), target)); err != nil {
				t.Errorf("%s links to %s, which does not exist", d, target)
			}
		}
	}
}
