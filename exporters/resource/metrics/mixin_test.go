package metrics

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/internal/family"
)

func TestEverySeriesOfTheNodeMixinIsInTheTable(t *testing.T) {
	data, err := os.ReadFile("testdata/node-mixin.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]*family.Family{}
	for _, f := range Table() {
		listed[f.Name] = f
	}
	used := 0
	for name := range strings.Lines(string(data)) {
		name = strings.TrimSpace(name)
		if strings.HasPrefix(name, "#") {
			continue
		}
		used++
		f := listed[name]
		if f == nil {
			t.Errorf("%s is not in the table", name)
			continue
		}
		if f.Compat != family.Node {
			t.Errorf("%s is not among node_exporter's families", name)
		}
		if slices.Contains(Optional(), f.Collector) && f.Collector != "systemd" { // off in node_exporter too
			t.Errorf("%s is of collector %s, which is off unless asked for", name, f.Collector)
		}
	}
	if used < 40 {
		t.Errorf("the mixin's list has %d names only", used)
	}
}
