package mixin

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-jsonnet"
)

var update = flag.Bool("update", false, "rewrite what is made of the mixins")

// root is the repository.
const root = "../.."

// rendered are folders in which all that is not a test's or Go's is made of the mixins.
var rendered = []string{"rules", "dashboards/grafana", "dashboards/perses"}

// evaluate evaluates jsonnet that imports as if it stood in jsonnet/.
func evaluate(t testing.TB, snippet string, into any) {
	t.Helper()
	text, err := vm().EvaluateAnonymousSnippet("test", snippet)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

func vm() *jsonnet.VM {
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{filepath.Join(root, "jsonnet")}})
	return vm
}

func TestWhatIsMadeOfTheMixinsIsCurrent(t *testing.T) {
	vm := vm()
	vm.StringOutput = true
	files, err := vm.EvaluateFileMulti(filepath.Join(root, "jsonnet/render.jsonnet"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		file := filepath.Join(root, name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		if string(got) != want {
			t.Errorf("%s is stale: run make generate", name)
		}
	}
	for _, folder := range rendered {
		leftOver(t, folder, files)
	}
}

// leftOver finds files that nothing makes any more.
func leftOver(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "tests":
			return filepath.SkipDir
		case entry.IsDir() || strings.HasSuffix(name, ".go") || files[name] != "":
			return nil
		case *update:
			return os.Remove(path)
		}
		t.Errorf("%s is not made of anything: run make generate", name)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
