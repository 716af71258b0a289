package family

import (
	"bytes"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
)

// foreign asks for a foreign family and adds one sample without labels.
func foreign(t *testing.T, w *Writer, f *Family) {
	t.Helper()
	s, err := w.Foreign(f)
	if err != nil {
		t.Fatal(err)
	}
	s.AddForeign("", 1, nil)
}

func TestForeignFamiliesFollowTheTableInBothFormats(t *testing.T) {
	w := NewWriter(table, nil)
	foreign(t, w, &Family{Name: "z_total", Type: Counter, Help: "Counts\n\"z\"."})
	foreign(t, w, &Family{Name: "odd", Type: Untyped, Help: "Not UTF-8: \xff" + strings.Repeat("x", 2*maxHelpBytes)})
	h, err := w.Foreign(&Family{Name: "took", Type: Histogram, Help: "H."})
	if err != nil {
		t.Fatal(err)
	}
	h.AddForeign("_bucket", 3, []Label{{"a", "q\"\\\n\xff"}, {"le", "+Inf"}})
	h.AddForeign("_sum", 1.5, []Label{{"a", "x"}})
	w.Series(size).Add(7, "b")
	b := Budget(table, []*Writer{w}, 0)
	for format, types := range map[Format]map[string]model.MetricType{
		Text:        {"node_size_bytes": "gauge", "odd": "unknown", "took": "histogram", "z_total": "counter"},
		OpenMetrics: {"node_size_bytes": "gauge", "odd": "unknown", "took": "histogram", "z": "counter"},
	} {
		text := encode(b, format)
		samples, got := parse(t, text, format)
		for name, want := range types {
			if got[name] != want {
				t.Errorf("format %d: %s is %q, want %q", format, name, got[name], want)
			}
		}
		want := []string{
			`{__name__="node_size_bytes", b="b"}`, `{__name__="odd"}`,
			`{__name__="took_bucket", a="q\"\\\n�", le="+Inf"}`, `{__name__="took_sum", a="x"}`, `{__name__="z_total"}`,
		}
		for i, s := range samples {
			if len(samples) != len(want) || s.labels != want[i] {
				t.Fatalf("format %d: %v, want %v", format, samples, want)
			}
		}
		if len(text) > 3*maxHelpBytes {
			t.Errorf("the help is not bounded: %d bytes", len(text))
		}
	}
	if b.Series != 5 {
		t.Errorf("%d series count, want 5", b.Series)
	}
}

func TestAForeignFamilyWithATakenNameIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		first *Family // served as foreign before; may be nil
		f     Family
		want  []string // nothing when it is admitted
	}{
		"the table's":                    {nil, Family{Name: size.Name, Type: Gauge}, []string{size.Name, "exporter itself"}},
		"client_golang's":                {nil, Family{Name: "go_info", Type: Gauge}, []string{"go_info"}},
		"a histogram whose sum is taken": {nil, Family{Name: "taken", Type: Histogram}, []string{`"taken"`, "taken_sum"}},
		"a summary of that name":         {nil, Family{Name: "taken", Type: Summary}, []string{"taken_sum"}},
		"a gauge of that name":           {nil, Family{Name: "taken", Type: Gauge}, nil},
		"another foreign one's count":    {&Family{Name: "x", Type: Summary}, Family{Name: "x_count", Type: Gauge}, []string{`"x_count"`, `"x"`}},
		"the same twice":                 {&Family{Name: "x", Type: Gauge}, Family{Name: "x", Type: Counter}, []string{`"x"`}},
		"no name":                        {nil, Family{Name: "a b", Type: Gauge}, []string{`"a b"`, "not a metric name"}},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := NewAdmission(table, []string{"go_info", "taken_sum"}, Filter{})
			if err != nil {
				t.Fatal(err)
			}
			w := NewWriter(table, nil)
			w.Admit(a)
			if test.first != nil {
				if _, err := w.Foreign(test.first); err != nil {
					t.Fatal(err)
				}
			}
			_, err = w.Foreign(&test.f)
			if (err == nil) != (test.want == nil) {
				t.Fatalf("error %v, want one that names %q", err, test.want)
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v does not say %s", err, part)
				}
			}
		})
	}
}

func TestForeignFamiliesAreFilteredAsOthers(t *testing.T) {
	a, err := NewAdmission(table, nil, Filter{Allow: []string{"my_.*", "node_.*"}, Deny: []string{"my_bad"}})
	if err != nil {
		t.Fatal(err)
	}
	w := NewWriter(nil, nil)
	w.Admit(a)
	foreign(t, w, &Family{Name: "my_good", Type: Gauge, Help: "G."})
	foreign(t, w, &Family{Name: "my_bad", Type: Gauge, Help: "B."})
	foreign(t, w, &Family{Name: "other", Type: Gauge, Help: "O."})
	foreign(t, w, &Family{Name: "node_x", Type: Gauge, Help: "X.", Compat: Node}) // the group is off
	var out bytes.Buffer
	Budget(nil, []*Writer{w}, 0).Encode(&out, Text)
	if got, want := out.String(), "# HELP my_good G.\n# TYPE my_good gauge\nmy_good 1\n"; got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if _, err := NewAdmission(table, nil, Filter{Deny: []string{"("}}); err == nil {
		t.Error("a bad expression is taken")
	}
}

func TestForeignFamiliesCountInTheBudget(t *testing.T) {
	w := NewWriter(table, nil)
	w.Series(size).Add(1, "x")
	foreign(t, w, &Family{Name: "a", Type: Gauge, Help: "A."})
	s, err := w.Foreign(&Family{Name: "b", Type: Gauge, Help: "B."})
	if err != nil {
		t.Fatal(err)
	}
	s.AddForeign("", 1, []Label{{"l", "1"}})
	s.AddForeign("", 1, []Label{{"l", "2"}})
	b := Budget(table, []*Writer{w}, 3)
	if b.Series != 2 || len(b.Dropped) != 1 || b.Dropped[0].Family.Name != "b" || b.Dropped[0].Series != 2 || b.Dropped[0].Reason != ReasonBudget {
		t.Errorf("kept %d, dropped %+v", b.Series, b.Dropped)
	}
}

func TestOfTwoWritersWithOneForeignNameTheFirstIsServed(t *testing.T) {
	one, two := NewWriter(nil, nil), NewWriter(nil, nil)
	foreign(t, one, &Family{Name: "x", Type: Summary, Help: "One."})
	foreign(t, two, &Family{Name: "x_count", Type: Gauge, Help: "Two."})
	foreign(t, two, &Family{Name: "y", Type: Gauge, Help: "Y."})
	b := Budget(nil, []*Writer{one, two}, 0)
	if b.Series != 2 || len(b.Dropped) != 1 || b.Dropped[0].Family.Help != "Two." || b.Dropped[0].Reason != ReasonName {
		t.Errorf("kept %d, dropped %+v", b.Series, b.Dropped)
	}
}
