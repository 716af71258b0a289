package mixin

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/program"
)

// promtool is that of tools/go.mod.
func promtool() program.Published {
	return program.Published{
		Name: "promtool", Version: "0.316.0",
		Module: "tools", Package: "github.com/prometheus/prometheus/cmd/promtool", Tags: "remove_all_sd",
	}
}

func TestAlertsFireOnFaultsAlone(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "rules/tests/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests of rules: %v", err)
	}
	tool := promtool().Path(t)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), tool, "test", "rules", file).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
