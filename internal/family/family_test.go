package family

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

var (
	seconds  = &Family{Name: "loadline_x_seconds_total", Type: Counter, Unit: "seconds", Help: "Seconds of \"x\"\\y.", Labels: []string{"a", "b"}, Collector: "x"}
	failures = &Family{Name: "container_memory_failcnt", Type: Counter, Compat: Container, Help: "Failures.", Collector: "x"}
	size     = &Family{Name: "node_size_bytes", Type: Gauge, Unit: "bytes", Compat: Node, Help: "Size.", Labels: []string{"b"}, Collector: "y"}
	table    = Table{seconds, failures, size}
)

func TestATableIsCheckedFamilyByFamily(t *testing.T) {
	good := Family{Name: "loadline_x", Type: Gauge, Help: "X.", Collector: "x"}
	with := func(change func(*Family)) *Family { f := good; change(&f); return &f }
	histogram := func(buckets ...float64) func(*Family) {
		return func(f *Family) { f.Type, f.Buckets = Histogram, buckets }
	}
	for name, test := range map[string]struct {
		table Table
		want  string
	}{
		"a good one":           {Table{&good}, ""},
		"a doubled name":       {Table{&good, with(func(*Family) {})}, "twice"},
		"no metric name":       {Table{with(func(f *Family) { f.Name = "loadline-x" })}, "not a metric name"},
		"another one's name":   {Table{with(func(f *Family) { f.Name = "up" })}, "must start with loadline_"},
		"a compatible name":    {Table{with(func(f *Family) { f.Name, f.Compat = "node_x", Node })}, ""},
		"no help":              {Table{with(func(f *Family) { f.Help = "" })}, "help"},
		"no collector":         {Table{with(func(f *Family) { f.Collector = "" })}, "collector"},
		"an unknown type":      {Table{with(func(f *Family) { f.Type = "summary" })}, "type"},
		"a histogram":          {Table{with(histogram(1, 2))}, ""},
		"no buckets":           {Table{with(histogram())}, "buckets"},
		"buckets that fall":    {Table{with(histogram(2, 1))}, "bucket"},
		"a bucket of infinity": {Table{with(histogram(1, math.Inf(1)))}, "bucket"},
		"a gauge of buckets":   {Table{with(func(f *Family) { f.Buckets = []float64{1} })}, "buckets"},
		"a label le":           {Table{with(func(f *Family) { histogram(1)(f); f.Labels = []string{"le"} })}, "le"},
		"a histogram's name":   {Table{with(histogram(1)), with(func(f *Family) { f.Name += "_count" })}, "twice"},
		"a doubled label":      {Table{with(func(f *Family) { f.Labels = []string{"a", "a"} })}, "label"},
		"a label of bad form":  {Table{with(func(f *Family) { f.Labels = []string{"a.b"} })}, "label"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.table.Check()
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestAFilterChoosesFamilies(t *testing.T) {
	for name, test := range map[string]struct {
		filter Filter
		want   string
	}{
		"own families stay whatever is compatible": {Filter{}, "loadline_x_seconds_total"},
		"groups are added":                         {Filter{Compat: []Compat{Node}}, "loadline_x_seconds_total node_size_bytes"},
		"allowing is anchored":                     {Filter{Compat: Compats, Allow: []string{"size", "container_.*"}}, "container_memory_failcnt"},
		"denying wins":                             {Filter{Compat: Compats, Allow: []string{".*"}, Deny: []string{".*bytes", "loadline_x"}}, "loadline_x_seconds_total container_memory_failcnt"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := table.Select(test.filter)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range got {
				names = append(names, f.Name)
			}
			if s := strings.Join(names, " "); s != test.want {
				t.Errorf("got %q, want %q", s, test.want)
			}
		})
	}
	for name, f := range map[string]Filter{
		"nope": {Compat: []Compat{"nope"}}, "(": {Allow: []string{"a", "("}}, "[": {Deny: []string{"["}}, "a)(b": {Deny: []string{"a)(b"}},
	} {
		if _, err := table.Select(f); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("filter %+v: error %v does not name %q", f, err, name)
		}
	}
}

func TestExpressionsAreThoseOfKubeStateMetrics(t *testing.T) {
	for name, test := range map[string]struct {
		filter Filter
		want   string
	}{
		"found anywhere in its names":     {Filter{Compat: Compats, Allow: []string{"_x_p", "_x_s"}}, "kube_x_phase"},
		"denied anywhere":                 {Filter{Compat: Compats, Deny: []string{"x_p", "x_s"}}, "loadline_x_seconds_total kube_x_total"},
		"with bounds where they have any": {Filter{Compat: Compats, Allow: []string{"^kube_x_pha$", "^kube_x_tot"}}, "kube_x_total"},
		"with lookarounds, for all":       {Filter{Compat: Compats, Allow: []string{"^(?!kube)[a-z]+_x_.*", "(?<=x)_phase"}}, "loadline_x_seconds_total kube_x_phase"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Table{seconds, phase, restarts}.Select(test.filter)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range got {
				names = append(names, f.Name)
			}
			if s := strings.Join(names, " "); s != test.want {
				t.Errorf("got %q, want %q", s, test.want)
			}
		})
	}
}

// readBack is a series that a parser reads back.
type readBack struct {
	labels string
	value  float64
}

// parse reads an exposition with Prometheus' own parser.
func parse(t testing.TB, text []byte, format Format) (samples []readBack, types map[string]model.MetricType) {
	t.Helper()
	contentType := "text/plain"
	if format == OpenMetrics {
		contentType = "application/openmetrics-text"
	}
	p, err := textparse.New(text, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	types = map[string]model.MetricType{}
	for {
		entry, err := p.Next()
		if err == io.EOF {
			return samples, types
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		switch entry {
		case textparse.EntryType:
			name, typ := p.Type()
			types[string(name)] = typ
		case textparse.EntrySeries:
			_, at, v := p.Series()
			if at != nil {
				t.Errorf("a timestamp in\n%s", text)
			}
			var l labels.Labels
			p.Labels(&l)
			samples = append(samples, readBack{l.String(), v})
		}
	}
}

func encode(b Budgeted, f Format) []byte {
	var out bytes.Buffer
	_ = b.Encode(&out, f) // a buffer takes everything
	if f == OpenMetrics {
		out.WriteString("# EOF\n")
	}
	return out.Bytes()
}

func TestBothFormatsHaveTheSameSeries(t *testing.T) {
	w := NewWriter(table, nil)
	hostile := "a\"b\\c\nd\xff" + "é"
	w.Series(seconds).Add(1.5, hostile, "")
	w.Series(seconds).AddBlock(NewBlock([]string{"a"}, []string{"shared"}), 2, "own")
	w.Series(failures).Add(7)
	w.Series(size).Add(math.Inf(1), "x")
	b := Budget(table, []*Writer{w}, 0)
	want := []readBack{
		{`{__name__="loadline_x_seconds_total", a="a\"b\\c\nd�é", b=""}`, 1.5},
		{`{__name__="loadline_x_seconds_total", a="shared", b="own"}`, 2},
		{`{__name__="container_memory_failcnt"}`, 7},
		{`{__name__="node_size_bytes", b="x"}`, math.Inf(1)},
	}
	for format, types := range map[Format]map[string]model.MetricType{
		Text:        {"loadline_x_seconds_total": "counter", "container_memory_failcnt": "counter", "node_size_bytes": "gauge"},
		OpenMetrics: {"loadline_x_seconds": "counter", "container_memory_failcnt": "unknown", "node_size_bytes": "gauge"},
	} {
		text := encode(b, format)
		got, gotTypes := parse(t, text, format)
		if len(got) != len(want) {
			t.Fatalf("%d series in\n%s", len(got), text)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("got %+v, want %+v", got[i], want[i])
			}
		}
		for name, typ := range types {
			if gotTypes[name] != typ {
				t.Errorf("%s is a %s, want %s", name, gotTypes[name], typ)
			}
		}
		if !bytes.Contains(text, []byte(`b=""`)) {
			t.Error("an empty label is not written")
		}
	}
}

func TestLongLabelsAreCutAndStayApart(t *testing.T) {
	w := NewWriter(table, nil)
	long := strings.Repeat("é", 40_000)
	w.Series(size).Add(1, long+"1")
	w.Series(size).Add(2, long+"2")
	text := encode(Budget(table, []*Writer{w}, 0), Text)
	samples, _ := parse(t, text, Text)
	if len(samples) != 2 || samples[0].labels == samples[1].labels {
		t.Errorf("got %d series, want two that differ", len(samples))
	}
	if len(text) > 3*MaxLabelBytes {
		t.Errorf("the text has %d bytes", len(text))
	}
}

func TestLongFamiliesTurnRoundAndLoseNothing(t *testing.T) {
	w := NewWriter(table, nil)
	long := strings.Repeat("x", 200)
	const n = 1000
	for i := range n {
		b := NewBlock([]string{"a"}, []string{long})
		w.Series(seconds).AddBlock(b, float64(i), strconv.Itoa(i))
		w.Series(size).Add(float64(i), long+strconv.Itoa(i))
	}
	samples, _ := parse(t, encode(Budget(table, []*Writer{w}, 0), Text), Text)
	if len(samples) != 2*n {
		t.Fatalf("%d series, want %d", len(samples), 2*n)
	}
	for i := range n {
		if samples[i].value != float64(i) || samples[n+i].value != float64(n-1-i) {
			t.Fatalf("at %d: %v and %v", i, samples[i], samples[n+i])
		}
	}
}

func TestAFamilyIsAdmittedWholeOrNotAtAll(t *testing.T) {
	a, b := NewWriter(table, nil), NewWriter(table, nil)
	for range 3 {
		a.Series(seconds).Add(1, "x", "y")
		b.Series(size).Add(1, "x")
	}
	a.Series(failures).Add(1)
	got := Budget(table, []*Writer{a, b}, 4)
	if got.Series != 4 || len(got.Kept) != 2 || len(got.Dropped) != 1 || got.Dropped[0] != (Dropped{size, 3, ReasonBudget}) {
		t.Errorf("got %+v, want the first two families and size dropped", got)
	}
}

func TestWhatIsTurnedOffIsDropped(t *testing.T) {
	w := NewWriter(Table{size}, nil)
	if s := w.Series(failures); s.Enabled() {
		t.Error("a family that is off says that it is on")
	}
	w.Series(failures).Add(1)
	w.Series(size).Add(1, "x")
	if got := Budget(table, []*Writer{w}, 0); got.Series != 1 {
		t.Errorf("got %d series, want 1", got.Series)
	}
}

func TestAWrongNumberOfLabelsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a missing label was not noticed")
		}
	}()
	NewWriter(table, nil).Series(seconds).Add(1, "only one")
}

func FuzzSeriesAreReadBack(f *testing.F) {
	f.Add("plain", 1.5)
	f.Add("quote\" backslash\\ newline\n nul\x00 bad\xff", math.Copysign(0, -1))
	f.Add(strings.Repeat("x", 5000), math.NaN())
	f.Add("", 1e300)
	f.Fuzz(func(t *testing.T, label string, v float64) {
		w := NewWriter(table, nil)
		w.Series(size).Add(v, label)
		b := Budget(table, []*Writer{w}, 0)
		for _, format := range []Format{Text, OpenMetrics} {
			got, _ := parse(t, encode(b, format), format)
			if len(got) != 1 || got[0].value != v && !(math.IsNaN(v) && math.IsNaN(got[0].value)) {
				t.Errorf("%q %v: got %+v", label, v, got)
			}
		}
	})
}
