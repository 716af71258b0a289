package mixin

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/text"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// TestGrafanaKnowsEveryField decodes what is drawn for Grafana by its own types, which
// refuse fields that are not in their schema and want those that are required.
func TestGrafanaKnowsEveryField(t *testing.T) {
	runtime := cog.NewRuntime()
	kinds := map[string]bool{"row": true}
	for _, config := range []variants.PanelcfgConfig{
		timeseries.VariantConfig(), stat.VariantConfig(), table.VariantConfig(), bargauge.VariantConfig(),
		heatmap.VariantConfig(), statetimeline.VariantConfig(), text.VariantConfig(),
	} {
		runtime.RegisterPanelcfgVariant(config)
		kinds[config.Identifier] = true
	}
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	for name, content := range drawn(t) {
		t.Run(name, func(t *testing.T) {
			//lint:ignore SA1019 schema v2 is not what Grafana 11 reads
			var d dashboard.Dashboard
			refused(t, d.UnmarshalJSONStrict(content))
			if d.Uid == nil || *d.Uid != name {
				t.Error("the uid is not the file's name")
			}
			for _, p := range d.Panels {
				if p.Panel == nil {
					continue
				}
				if !kinds[p.Panel.Type] {
					t.Errorf("panel %q is a %s, which no type here checks", *p.Panel.Title, p.Panel.Type)
				}
				for _, target := range p.Panel.Targets {
					if _, ok := target.(prometheus.Dataquery); !ok {
						t.Errorf("panel %q has a target that is a %T", *p.Panel.Title, target)
					}
				}
			}
			fieldConfigs(t, content)
		})
	}
}

// drawn are the dashboards by name, and one with all that a panel can have.
func drawn(t *testing.T) map[string][]byte {
	t.Helper()
	kinds, err := vm().EvaluateFile("testdata/kinds.jsonnet")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{"kinds": []byte(kinds)}
	files, err := filepath.Glob(filepath.Join(root, "dashboards/grafana/*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	for _, file := range files {
		if out[strings.TrimSuffix(filepath.Base(file), ".json")], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// fieldConfigs decodes how panels show fields: the panel's own decoding is lenient there.
func fieldConfigs(t *testing.T, content []byte) {
	t.Helper()
	var d struct {
		Panels []struct {
			Title       string
			FieldConfig json.RawMessage
		}
	}
	if err := json.Unmarshal(content, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Panels {
		var config dashboard.FieldConfigSource
		refused(t, config.UnmarshalJSONStrict(p.FieldConfig))
	}
}

// refused reports what a type refuses. An empty list of errors is none, also as an error
// that is not nil.
func refused(t *testing.T, err error) {
	t.Helper()
	if errs, ok := err.(cog.BuildErrors); ok && len(errs) == 0 || err == nil {
		return
	}
	t.Errorf("%v", err)
}
