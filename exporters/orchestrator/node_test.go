package orchestrator_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"

	"github.com/loadline-exporters/loadline/exporters/orchestrator"
	"github.com/loadline-exporters/loadline/internal/family"
)

func TestOfANodePodsAreWatchedAndNothingElse(t *testing.T) {
	kubeconfig := "--kubeconfig=" + startAPIServer(t, nil)
	for name, test := range map[string]struct {
		args []string
		want []string // sources of the cluster
		err  string
	}{
		"a node's":                   {[]string{"--node=a", "--resources=pods"}, []string{"pods"}, ""},
		"those without a node":       {[]string{"--track-unscheduled-pods", "--resources=pods"}, []string{"pods"}, ""},
		"a node's by default":        {[]string{"--node=a"}, nil, "--resources=pods"},
		"a node's and other objects": {[]string{"--node=a", "--resources=pods,nodes"}, nil, "--resources=pods"},
	} {
		t.Run(name, func(t *testing.T) {
			app := kingpin.New("", "")
			factory := orchestrator.Command().Flags(app)
			if _, err := app.Parse(append(test.args, kubeconfig)); err != nil {
				t.Fatal(err)
			}
			e, err := factory(slog.New(slog.DiscardHandler), family.Filter{Compat: family.Compats})
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("the error is %v, want one that says %q", err, test.err)
			}
			var got []string
			for _, s := range e.Sources {
				if s := s.Status().Name; !strings.HasPrefix(s, "docker") && !strings.HasPrefix(s, "swarm") {
					got = append(got, s)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("watched are %v, want %v", got, test.want)
			}
		})
	}
}
