package page

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

var nan = math.NaN()

// leafRow makes a container's row as rows does.
func leafRow(name string, cpu, cpuLimit, memory, memoryLimit float64) *Row {
	r := &Row{Level: Container, Name: name, CPU: none(), Memory: none()}
	r.CPU.Now, r.CPU.Limit, r.CPU.Headroom = cpu, cpuLimit, 1-cpu/cpuLimit
	r.Memory.Now, r.Memory.Limit, r.Memory.Headroom = memory, memoryLimit, 1-memory/memoryLimit
	return r
}

func names(rows []*Row) string {
	var out []string
	for _, r := range rows {
		out = append(out, r.Name)
	}
	return strings.Join(out, " ")
}

func TestRowsAreSortedByTheLeastHeadroomAndThenByMemory(t *testing.T) {
	top := tree(map[place]*Row{
		{"roomy", "w", "deployment", "p", "c"}:     leafRow("c", 0.1, 1, 10, 100),
		{"tight", "web", "deployment", "p1", "a"}:  leafRow("a", 0.1, 1, 95, 100),
		{"tight", "web", "deployment", "p1", "b"}:  leafRow("b", 0.5, 1, 1, 100),
		{"tight", "idle", "deployment", "p2", "c"}: leafRow("c", 0, 1, 0, 100),
		{"free", "big", "pod", "p", "c"}:           leafRow("c", 0, nan, 500, nan),
		{"free", "small", "pod", "p", "c"}:         leafRow("c", 0, nan, 5, nan),
	})
	if got := names(top); got != "tight roomy free" {
		t.Errorf("namespaces: %s", got)
	}
	tight := top[0]
	if got := names(tight.Children); got != "web idle" {
		t.Errorf("workloads: %s", got)
	}
	if got := names(tight.Children[0].Children[0].Children); got != "a b" {
		t.Errorf("containers: %s", got)
	}
	if got := names(top[2].Children); got != "big small" {
		t.Errorf("workloads without limits: %s", got)
	}
	if h := tight.Headroom(); math.Abs(h-0.05) > 1e-9 {
		t.Errorf("a namespace's headroom is %v, want the least of its containers'", h)
	}
}

func TestAGroupHasALimitOnlyWhenAllItsContainersHaveOne(t *testing.T) {
	top := tree(map[place]*Row{
		{"ns", "w", "pod", "p", "limited"}: leafRow("limited", 0.5, 1, 50, 100),
		{"ns", "w", "pod", "p", "free"}:    leafRow("free", 0.25, nan, 30, 100),
	})
	ns := top[0]
	if ns.CPU.Now != 0.75 || !math.IsNaN(ns.CPU.Limit) || ns.CPU.Headroom != 0.5 {
		t.Errorf("CPU: %+v", ns.CPU)
	}
	if ns.Memory.Now != 80 || ns.Memory.Limit != 200 {
		t.Errorf("memory: %+v", ns.Memory)
	}
}

func TestASparklineHasAGapWhereNothingWasMeasured(t *testing.T) {
	a := none()
	a.Spark = []float64{nan, 1, 2, nan, 1, 1}
	if p := newSpark(a).Path; strings.Count(p, "M") != 2 || strings.Count(p, "L") != 2 {
		t.Errorf("path %q, want two lines", p)
	}
	a.Spark = []float64{nan, 1, nan}
	if p := newSpark(a).Path; p != "" {
		t.Errorf("path %q of a single point", p)
	}
	a.Spark, a.Limit = []float64{5, 6}, 10
	if s := newSpark(a); !s.Has {
		t.Error("a limit that is near is not drawn")
	}
	a.Limit = 1000
	if s := newSpark(a); s.Has {
		t.Error("a limit that is far is drawn, and flattens the line")
	}
}

func TestAmountsAreShownAsPeopleReadThem(t *testing.T) {
	for want, got := range map[string]string{
		"–": cores(nan), "0": cores(0.0001), "5m": cores(0.005), "250m": cores(0.25), "2.00": cores(2),
		"512 B": byteSize(512), "1.5 KiB": byteSize(1536), "128 MiB": byteSize(128 << 20), "23.5 GiB": byteSize(23.54 * (1 << 30)),
		"9 %": percent(0.099), "-3 %": percent(-0.025), "59 min": duration(59 * time.Minute), "47 h": duration(47 * time.Hour), "3 days": duration(80 * time.Hour),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	for want, got := range map[string]string{"tight": state(0.05), "low": state(0.2), "good": state(0.5), "none": state(nan)} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestABarStaysWithinItsWidth(t *testing.T) {
	for _, a := range []Amount{
		{Now: 5, Request: 20, Limit: 1}, {Now: -1, Request: nan, Limit: 10}, {Now: nan, Request: nan, Limit: nan}, {Now: 1, Request: 0, Limit: 0}, {Now: 3, Request: 2, Limit: nan},
	} {
		if b := newBar(a); b.Used < 0 || b.Used > 100 || b.Request < 0 || b.Request > 100 {
			t.Errorf("%+v: %+v", a, b)
		}
	}
}

func TestSparklinesBeginWhereTheFirstOfThemDoes(t *testing.T) {
	line := func(length, from int) []float64 {
		points := make([]float64, length)
		for i := range points {
			if points[i] = 1; i < from {
				points[i] = nan
			}
		}
		return points
	}
	a, b := place{pod: "a"}, place{pod: "b"}
	s := sparks{cpu: map[place][]float64{a: line(60, 50), b: line(60, 30)}, nodeCPU: map[place][]float64{{}: line(60, 40)}}
	s.trim()
	if got := []int{len(s.cpu[a]), len(s.cpu[b]), len(s.nodeCPU[place{}])}; !slices.Equal(got, []int{30, 30, 30}) {
		t.Errorf("the lengths are %v, want all to begin with b", got)
	}
	s = sparks{cpu: map[place][]float64{a: line(60, 58)}}
	s.trim()
	if got := len(s.cpu[a]); got != leastSpark {
		t.Errorf("the length is %d, want at least %d", got, leastSpark)
	}
}
