package alertmanager

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-jsonnet"
)

// Rendered is what jsonnet/routing renders.
type Rendered struct {
	// Config is Alertmanager's configuration, Marks the rules that go with it, which are
	// evaluated each second.
	Config, Marks string
	// Templates are its templates by file name.
	Templates map[string]string
}

// Render renders jsonnet/routing with a change to _config.routing, in jsonnet.
func Render(t testing.TB, change string) Rendered {
	t.Helper()
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{"../../jsonnet"}})
	text, err := vm.EvaluateAnonymousSnippet("routing", `
		local mixin = (import 'mixin.libsonnet') + { _config+:: { interval: '1s', routing+: `+change+` } };
		{
		  config: std.manifestYamlDoc(mixin.alertmanagerConfig),
		  marks: std.manifestYamlDoc(mixin.alertmanagerMarks),
		  templates: mixin.alertmanagerTemplates,
		}`)
	if err != nil {
		t.Fatal(err)
	}
	var rendered Rendered
	if err := json.Unmarshal([]byte(text), &rendered); err != nil {
		t.Fatal(err)
	}
	return rendered
}

// Write writes the configuration and the templates into a directory, as they lie in
// rules/alertmanager, and returns the path of the configuration.
func (r Rendered) Write(t testing.TB, dir string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "templates"), 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"alertmanager.yaml": r.Config}
	for name, text := range r.Templates {
		files[filepath.Join("templates", name)] = text
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "alertmanager.yaml")
}
