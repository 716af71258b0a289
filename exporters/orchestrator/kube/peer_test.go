package kube

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	generator "k8s.io/kube-state-metrics/v2/pkg/metric_generator"
	metricsstore "k8s.io/kube-state-metrics/v2/pkg/metrics_store"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
)

// formats are both, as kube-state-metrics names them.
var formats = map[family.Format]expfmt.Format{
	family.Text: expfmt.NewFormat(expfmt.TypeTextPlain), family.OpenMetrics: expfmt.NewFormat(expfmt.TypeOpenMetrics),
}

// families returns everything that is served of a resource.
func testResource(t testing.TB, name string, labels, annotations map[string][]string) resource {
	t.Helper()
	all, err := resources([]string{name}, labels, annotations)
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

func everyone(string, runtime.Object) bool { return true }

// newPeer is kube-state-metrics' own store of the same families.
func newPeer(r resource) *metricsstore.MetricsStore {
	gens := make([]generator.FamilyGenerator, 0, len(r.families))
	for _, f := range r.families {
		gens = append(gens, f.generator)
	}
	return metricsstore.NewMetricsStore(generator.ExtractMetricFamilyHeaders(gens), generator.ComposeMetricGenFuncs(gens))
}

func peerText(t testing.TB, s *metricsstore.MetricsStore, f family.Format) string {
	t.Helper()
	var out bytes.Buffer
	for _, w := range metricsstore.SanitizeHeaders(formats[f], metricsstore.MetricsWriterList{metricsstore.NewMetricsWriter("x", s)}) {
		if err := w.WriteAll(&out); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

func storeText(t testing.TB, s *Store, f family.Format) (string, int) {
	t.Helper()
	var table family.Table
	for _, g := range s.families {
		table = append(table, g.Family)
	}
	w := family.NewWriter(table, nil)
	s.view().write(w)
	b := family.Budget(table, []*family.Writer{w}, 0)
	var out bytes.Buffer
	if err := b.Encode(&out, f); err != nil {
		t.Fatal(err)
	}
	return out.String(), b.Series
}

// sorted has the lines of each family in order: that of objects is random in both.
func sorted(text string) string {
	lines := strings.SplitAfter(text, "\n")
	begin := 0
	for i := range lines {
		if strings.HasPrefix(lines[i], "#") {
			slices.Sort(lines[begin:i])
			begin = i + 1
		}
	}
	slices.Sort(lines[begin:])
	return strings.Join(lines, "")
}

func keyOf(t testing.TB, o runtime.Object) watch.Key {
	t.Helper()
	m, err := meta.Accessor(o)
	if err != nil {
		t.Fatal(err)
	}
	return watch.Key{Namespace: m.GetNamespace(), Name: m.GetName()}
}

// agree compares both stores' text in both formats, and the number of series.
func agree(t *testing.T, ours *Store, theirs *metricsstore.MetricsStore) {
	t.Helper()
	for f := range formats {
		got, series := storeText(t, ours, f)
		want := sorted(peerText(t, theirs, f))
		if got = sorted(got); got != want {
			t.Fatalf("format %d: %s", f, firstDifference(got, want))
		}
		if n := strings.Count(want, "\n") - strings.Count("\n"+want, "\n#"); n != series {
			t.Errorf("format %d: %d series are counted, there are %d", f, series, n)
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d:\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// objectOf are the types of all resources.
func typesOf(t testing.TB) map[string]runtime.Object {
	t.Helper()
	out := map[string]runtime.Object{}
	for _, name := range allResources() {
		out[name] = newObject(name)
		if out[name] == nil {
			t.Fatalf("there is no type for %s", name)
		}
	}
	return out
}

func names(m map[string]runtime.Object) []string { return slices.Sorted(maps.Keys(m)) }
