package family

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// kept makes n lines of a family.
func kept(f *Family, n int) Lines {
	return func(b []byte, full func([]byte) ([]byte, error)) ([]byte, error) {
		var err error
		for i := range n {
			b = fmt.Appendf(b, "%s{i=\"%d\"} 1\n", f.Name, i)
			if b, err = full(b); err != nil {
				return b, err
			}
		}
		return b, nil
	}
}

var (
	phase    = &Family{Name: "kube_x_phase", Type: StateSet, Compat: Kube, Help: "The \"x\"\\\n.", Collector: "x"}
	restarts = &Family{Name: "kube_x_total", Type: Counter, Compat: Kube, Help: "X.", Collector: "x"}
)

func TestRenderedFamiliesAreServedToTheLetter(t *testing.T) {
	table := Table{phase, restarts}
	w := NewWriter(table, nil)
	w.Series(phase).Render(2, kept(phase, 2))
	w.Series(restarts).Render(0, kept(restarts, 0))
	for format, want := range map[Format]string{
		Text: `# HELP kube_x_phase The "x"\\\n.
# TYPE kube_x_phase gauge
kube_x_phase{i="0"} 1
kube_x_phase{i="1"} 1
# HELP kube_x_total X.
# TYPE kube_x_total counter
`,
		OpenMetrics: `# HELP kube_x_phase The "x"\\\n.
# TYPE kube_x_phase stateset
kube_x_phase{i="0"} 1
kube_x_phase{i="1"} 1
# HELP kube_x_total X.
# TYPE kube_x_total counter
# EOF
`,
	} {
		if got := string(encode(Budget(table, []*Writer{w}, 0), format)); got != want {
			t.Errorf("format %d: got\n%s, want\n%s", format, got, want)
		}
	}
}

func TestRenderedFamiliesCountInTheBudget(t *testing.T) {
	table := Table{phase, restarts}
	w := NewWriter(table, nil)
	w.Series(phase).Render(7, kept(phase, 7))
	w.Series(restarts).Render(3, kept(restarts, 3))
	b := Budget(table, []*Writer{w}, 9)
	if b.Series != 7 || len(b.Dropped) != 1 || b.Dropped[0].Family != restarts || b.Dropped[0].Series != 3 {
		t.Errorf("kept %d, dropped %+v", b.Series, b.Dropped)
	}
}

func TestARenderedFamilyThatIsTurnedOffIsNotMade(t *testing.T) {
	w := NewWriter(Table{phase}, nil)
	w.Series(restarts).Render(1, func([]byte, func([]byte) ([]byte, error)) ([]byte, error) {
		t.Error("its text is made")
		return nil, nil
	})
	if got := string(encode(Budget(Table{phase, restarts}, []*Writer{w}, 0), Text)); got != "" {
		t.Errorf("%q is served", got)
	}
}

// pieces notes how much is written at a time, and fails after some.
type pieces struct {
	lengths []int
	most    int
}

func (p *pieces) Write(b []byte) (int, error) {
	if p.lengths = append(p.lengths, len(b)); len(p.lengths) > p.most {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func TestRenderedTextIsWrittenInPiecesUntilTheClientGoes(t *testing.T) {
	table := Table{phase}
	w := NewWriter(table, nil)
	w.Series(phase).Render(100_000, kept(phase, 100_000))
	out := pieces{most: 3}
	if err := Budget(table, []*Writer{w}, 0).Encode(&out, Text); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
	if len(out.lengths) != 4 {
		t.Errorf("%d pieces were written, want none after the failure", len(out.lengths))
	}
	for _, n := range out.lengths {
		if n > piece+100 {
			t.Errorf("a piece has %d bytes", n)
		}
	}
}

func TestTypesOfKubeStateMetricsAreItsOwn(t *testing.T) {
	good := Table{phase, restarts}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	bad := *phase
	bad.Name, bad.Compat = "loadline_x", None
	if err := (Table{&bad}).Check(); err == nil || !strings.Contains(err.Error(), "type") {
		t.Errorf("got %v", err)
	}
}
