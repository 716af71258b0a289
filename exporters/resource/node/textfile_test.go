package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/internal/family"
)

// texts is a machine with nothing but text files.
func texts(t *testing.T, files map[string]string, patterns ...string) machine {
	t.Helper()
	m := unpack(t, "old-kernel", "/")
	for name, data := range files {
		m.write(t, "text/"+name, data)
	}
	if len(patterns) == 0 {
		patterns = []string{"text"}
	}
	for _, p := range patterns {
		m.options.Kernel.TextfileDirectories = append(m.options.Kernel.TextfileDirectories, filepath.Join(m.dir, p))
	}
	return m
}

// serveTexts collects and returns the text, with the machine's directory cut out,
// and the error's text.
func (m machine) serveTexts(t *testing.T) (text, problem string) {
	t.Helper()
	out, err := collect(only(m.collectors(t), []string{"textfile"}))
	encoded := encode(out, family.Text)
	expfmtReads(t, encoded)
	prometheusReads(t, encoded, "text/plain; version=0.0.4", out.Series)
	prometheusReads(t, encode(out, family.OpenMetrics), "application/openmetrics-text; version=1.0.0", out.Series)
	if err != nil {
		problem = strings.ReplaceAll(err.Error(), m.dir+"/", "")
	}
	return strings.ReplaceAll(string(encoded), m.dir+"/", ""), problem
}

func TestOneBadTextFileLosesOnlyItself(t *testing.T) {
	const good = "# HELP good Good.\n# TYPE good gauge\ngood 1\n"
	for name, c := range map[string]struct {
		bad     string
		problem string // what the error says besides the file
		kept    bool   // whether the file's other families are served
	}{
		"no metrics at all":              {"hello world\n", "expected float", false},
		"an unfinished line":             {"other 1\nbad{", "unexpected end of input", false},
		"a timestamp":                    {"other 1\nbad 1 1700000000000\n", `family "bad": has timestamps`, false},
		"a series twice":                 {"other 1\n" + `bad{a="1"} 1` + "\n" + `bad{b="",a="1"} 2` + "\n", `family "bad": a series is there twice: {a="1"}`, false},
		"a label without a legal name":   {"other 1\n" + `bad{"a.b"="1"} 1` + "\n", "label name", false},
		"a family of the exporter":       {"other 1\nnode_load1 99\n", `family "node_load1": the exporter itself serves node_load1`, true},
		"another help":                   {"other 1\n# HELP good Bad.\n# TYPE good gauge\n" + `good{x="1"} 2` + "\n", `family "good": its help is not the same as in text/a.prom`, true},
		"another type":                   {"other 1\n# TYPE good counter\n" + `good{x="1"} 2` + "\n", `family "good": its type is counter here and gauge in text/a.prom`, true},
		"a series that another file has": {"other 1\n# TYPE good gauge\ngood 2\n", `family "good": the series {} is in text/a.prom too`, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := texts(t, map[string]string{"a.prom": good, "b.prom": c.bad, "c.prom": "last 3\n"})
			text, problem := m.serveTexts(t)
			if !strings.Contains(problem, "text/b.prom: ") || !strings.Contains(problem, c.problem) || strings.Contains(problem, "c.prom") {
				t.Errorf("error %q, want one that names b.prom and says %q", problem, c.problem)
			}
			for line, want := range map[string]bool{
				"\ngood 1\n": true, "\nlast 3\n": true, "\nother 1\n": c.kept,
				"\nnode_textfile_mtime_seconds{file=\"text/a.prom\"} 1767319445\n": true,
				"\nnode_textfile_mtime_seconds{file=\"text/b.prom\"}":              c.kept,
				"\nnode_textfile_scrape_error 1\n":                                 true,
				"\nnode_load1":                                                     false, // of collector loadavg
				"\nbad":                                                            false,
				"\ngood 2":                                                         false,
				"\ngood{":                                                          false,
			} {
				if strings.Contains(text, line) != want {
					t.Errorf("%q is served: %t, want %t:\n%s", line, !want, want, text)
				}
			}
		})
	}
}

func TestTextFilesThatAgreeMakeOneFamily(t *testing.T) {
	m := texts(t, map[string]string{
		"a.prom":      `jobs{b="1",a="2"} 1` + "\n",
		"b.prom":      "# HELP jobs Jobs\\nof all.\n# TYPE jobs untyped\n" + `jobs{c="\"quoted\""} NaN` + "\n",
		"c.prom":      "# TYPE size histogram\n" + `size_bucket{le="5"} 2` + "\n" + `size_bucket{le="1"} 1` + "\nsize_sum 9\nsize_count 3\n",
		"x.txt":       "absent 1\n",
		"d.prom.part": "absent 1\n",
	})
	text, problem := m.serveTexts(t)
	if problem != "" {
		t.Error(problem)
	}
	for _, want := range []string{
		"# HELP jobs Jobs\\nof all.\n# TYPE jobs untyped\n",
		"jobs{a=\"2\",b=\"1\",c=\"\"} 1\njobs{a=\"\",b=\"\",c=\"\\\"quoted\\\"\"} NaN\n",
		"# HELP size Metric read from text/c.prom\n",
		"size_bucket{le=\"1\"} 1\nsize_bucket{le=\"5\"} 2\nsize_bucket{le=\"+Inf\"} 3\nsize_sum 9\nsize_count 3\n",
		"node_textfile_scrape_error 0\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing from\n%s", want, text)
		}
	}
	if strings.Contains(text, "absent") {
		t.Errorf("files that do not end in .prom are served:\n%s", text)
	}
}

func TestDirectoriesOfTextFilesAreGlobs(t *testing.T) {
	files := map[string]string{"one/x.prom": "one 1\n", "two/x.prom": "two 1\n", "sub/x.prom/y": "", "z.prom": "z 1\n"}
	for name, c := range map[string]struct {
		patterns []string
		names    []string
		problem  string
	}{
		"a pattern":                             {[]string{"text/[ot]*"}, []string{"one", "two"}, ""},
		"a directory twice":                     {[]string{"text/one", "text/[o]ne"}, []string{"one"}, ""},
		"one that is missing":                   {[]string{"text/none", "text/two"}, []string{"two"}, "text/none: no such file"},
		"a bad pattern":                         {[]string{"text/[", "text/one"}, []string{"one"}, "text/[: no such file"},
		"a file in place of a directory":        {[]string{"text/z.prom", "text/one"}, []string{"one"}, "not a directory"},
		"a directory that is called like files": {[]string{"text/sub", "text/one"}, []string{"one"}, "text/sub/x.prom: not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			text, problem := texts(t, files, c.patterns...).serveTexts(t)
			if (problem == "") != (c.problem == "") || !strings.Contains(problem, c.problem) {
				t.Errorf("error %q, want %q", problem, c.problem)
			}
			for _, name := range []string{"one", "two", "z"} {
				want := false
				for _, n := range c.names {
					want = want || n == name
				}
				if strings.Contains(text, "\n"+name+" 1\n") != want {
					t.Errorf("%s is served: %t, want %t:\n%s", name, !want, want, text)
				}
			}
		})
	}
}

func TestTextFilesThatAreNoFilesBlockNothing(t *testing.T) {
	m := texts(t, map[string]string{"good.prom": "good 1\n"})
	if err := unix.Mkfifo(filepath.Join(m.dir, "text/fifo.prom"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(m.dir, "text/link.prom")); err != nil {
		t.Fatal(err)
	}
	huge := filepath.Join(m.dir, "text/huge.prom")
	m.write(t, "text/huge.prom", "")
	if err := os.Truncate(huge, maxTextfileBytes+1); err != nil {
		t.Fatal(err)
	}
	text, problem := m.serveTexts(t)
	for _, want := range []string{"fifo.prom: not a regular file", "link.prom: no such file", "huge.prom: larger than 16 MiB"} {
		if !strings.Contains(problem, want) {
			t.Errorf("%q is missing from the error %q", want, problem)
		}
	}
	if !strings.Contains(text, "\ngood 1\n") {
		t.Errorf("the good file is not served:\n%s", text)
	}
}

func TestATextFileIsParsedAgainWhenItChanged(t *testing.T) {
	m := texts(t, map[string]string{"a.prom": "a 1\n"})
	c := newTextfile(m.options.Kernel.TextfileDirectories)
	path := filepath.Join(m.dir, "text/a.prom")
	value := func(want float64) {
		t.Helper()
		r := c.file(path)
		if r.err != nil || len(r.families) != 1 || r.families[0].metrics[0].samples[0].value != want {
			t.Fatalf("%+v, want the value %v", r, want)
		}
	}
	value(1)
	m.write(t, "text/a.prom", "a 2\n") // as large, and modified at the same time
	value(2)

	// As if it had been left alone for long: what was parsed is served.
	r := c.read[path]
	r.settled = true
	r.families = []textFamily{{metrics: []textMetric{{samples: []textSample{{value: 3}}}}}}
	c.read[path] = r
	value(3)
	old := r.identity.changed
	for c.read[path].identity.changed == old { // until the kernel's clock ticks
		m.write(t, "text/a.prom", "a 4\n")
		c.file(path)
	}
	value(4)

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := c.Collect(t.Context(), family.NewWriter(nil, nil)); err != nil || len(c.read) != 0 {
		t.Errorf("%v, and %d files are kept in memory, want none", err, len(c.read))
	}
}

func FuzzTextFilesAreServedInAFormThatCanBeRead(f *testing.F) {
	f.Add("a 1\n", "a{b=\"c\"} 2\n")
	f.Add("# HELP a \xff\n# TYPE a summary\na{quantile=\"NaN\"} 1\na_sum 1\na_count 2\n", "a_count 1\n")
	f.Add("# TYPE h histogram\nh_bucket{le=\"x\"} 1\nh_bucket{le=\"+Inf\"} -1\nh{le=\"\"} 2\n", "h_bucket 3\n")
	f.Add("# TYPE c_total counter\nc_total 1\n", "# TYPE c gauge\nc 1\n")
	f.Add("{\"quoted\",x=\"\\n\"} 0x1p-2\n", "# EOF\n")
	f.Fuzz(func(t *testing.T, one, two string) {
		w := family.NewWriter(nil, nil)
		merged := textFamilies{}
		for _, text := range []string{one, two} {
			families, err := parseTextfile(strings.NewReader(text))
			if err != nil {
				continue
			}
			for i := range families {
				_ = merged.add(text, &families[i]) // what does not agree is left out
			}
		}
		merged.emit(w)
		out := family.Budget(nil, []*family.Writer{w}, 0)
		prometheusReads(t, encode(out, family.Text), "text/plain; version=0.0.4", out.Series)
		prometheusReads(t, encode(out, family.OpenMetrics), "application/openmetrics-text; version=1.0.0", out.Series)
	})
}
