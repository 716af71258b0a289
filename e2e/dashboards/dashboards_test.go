package dashboards

import (
	"os"
	"slices"
	"testing"
)

// folders are where make generate writes the dashboards, and what reads them.
var folders = []struct {
	name  string
	parse func(string, []byte) (Dashboard, error)
}{
	{"../../dashboards/grafana", Grafana},
	{"../../dashboards/perses", Perses},
}

// read reads a folder.
func read(t *testing.T, folder string, parse func(string, []byte) (Dashboard, error)) []Dashboard {
	t.Helper()
	all, err := Read(os.DirFS(folder), parse)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no dashboards", folder)
	}
	return all
}

func TestBothDrawingsAskTheSame(t *testing.T) {
	grafana, perses := read(t, folders[0].name, Grafana), read(t, folders[1].name, Perses)
	if len(grafana) != len(perses) {
		t.Fatalf("there are %d dashboards for Grafana, %d for the page", len(grafana), len(perses))
	}
	for i, d := range grafana {
		if !slices.Equal(d.Variables, perses[i].Variables) {
			t.Errorf("%s offers %v in Grafana, %v in the page", d.File, d.Variables, perses[i].Variables)
		}
		titles := func(queries []Query) []string {
			var out []string
			for _, q := range queries {
				out = append(out, q.Panel)
			}
			slices.Sort(out)
			return slices.Compact(out)
		}
		if g, p := titles(d.Queries), titles(perses[i].Queries); !slices.Equal(g, p) {
			t.Errorf("%s has the panels %q in Grafana, %q in the page", d.File, g, p)
		}
	}
}

func TestChoicesDependOnThoseBefore(t *testing.T) {
	variables := []Variable{{"namespace", "pods", ""}, {"pod", `pods{namespace="$namespace"}`, ""}, {"container", "pods", ".*"}}
	of := map[string][]string{"pods": {"shop", "billing"}, `pods{namespace="shop"}`: {"web-1", "web-2"}}
	choices, err := Choices(variables, func(selector, _ string) ([]string, error) { return of[selector], nil })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range choices {
		got = append(got, c.In(`${namespace}/$pod/$container/$__rate_interval/$other`))
	}
	if want := []string{"shop/web-1/.*/1m/$other", "shop/web-2/.*/1m/$other"}; !slices.Equal(got, want) {
		t.Errorf("they are %q, want %q", got, want)
	}
}
