package sidebyside

import (
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
)

// round is a scrape of ours between two of theirs.
type round struct{ before, ours, after exposition }

// finding is a difference that was seen: what is said of each series, by its labels.
type finding struct {
	family string
	kind   Kind
	series map[string]string
}

// findings are those of several rounds. Values differ when they do so in every
// round: gauges that move are read at different times.
type findings map[string]*finding

func (f findings) add(family string, kind Kind, series, format string, args ...any) {
	key := family + " " + string(kind)
	if f[key] == nil {
		f[key] = &finding{family, kind, map[string]string{}}
	}
	f[key].series[series] = fmt.Sprintf(format, args...)
}

// compare finds what differs in the rounds.
func compare(v view, rounds []round) findings {
	f := findings{}
	last := rounds[len(rounds)-1]
	for _, name := range v.names(last.before) {
		theirs, ours, later := v.byKey(last.before, name), v.byKey(last.ours, name), v.byKey(last.after, name)
		if len(theirs) == 0 {
			continue // nothing of it is compared
		}
		if len(ours) == 0 {
			f.add(name, Absent, "", "%d series", len(theirs))
			continue
		}
		if a, b := last.before.types[name], last.ours.types[name]; a != b {
			f.add(name, Type, "", "%s there, %s here", a, b)
		}
		for key := range theirs {
			if _, stays := later[key]; stays && !has(ours, key) {
				f.add(name, Fewer, key, "{%s}", key)
			}
		}
		for key := range ours {
			if !has(theirs, key) && !has(later, key) {
				f.add(name, More, key, "{%s}", key)
			}
		}
		values(f, v, name, rounds)
	}
	for _, name := range v.names(last.ours) {
		if ours := v.byKey(last.ours, name); len(ours) > 0 && len(v.byKey(last.before, name)) == 0 {
			for key := range ours {
				f.add(name, More, key, "{%s}", key)
			}
		}
	}
	return f
}

func has(m map[string]float64, key string) bool {
	_, ok := m[key]
	return ok
}

// values compares those of a family's series.
func values(f findings, v view, name string, rounds []round) {
	differ := map[string]string{}
	for i, r := range rounds {
		before, ours, after := v.byKey(r.before, name), v.byKey(r.ours, name), v.byKey(r.after, name)
		bad := map[string]string{}
		for key, b := range before {
			o, here := ours[key]
			a, there := after[key]
			if here && there && !agree(name, r.before.types[name], b, o, a) {
				bad[key] = fmt.Sprintf("{%s} is %v and %v there, %v here", key, b, a, o)
			}
		}
		if i == 0 {
			differ = bad
			continue
		}
		maps.DeleteFunc(differ, func(key, _ string) bool { _, ok := bad[key]; return !ok })
	}
	for key, what := range differ {
		f.add(name, Value, key, "%s", what)
	}
}

// agree says whether a value of ours fits the two of theirs.
func agree(name string, kind model.MetricType, before, ours, after float64) bool {
	if math.IsNaN(before) || math.IsNaN(ours) {
		return math.IsNaN(before) && math.IsNaN(ours)
	}
	low, high := min(before, after), max(before, after)
	switch {
	case exact(name):
		return ours == before || ours == after
	case kind == model.MetricTypeCounter:
		tick := 1.0 // event
		if strings.Contains(name, "seconds") {
			tick = 0.01
		}
		return ours >= low-tick && ours <= high+tick
	default:
		const share = 0.02
		slack := 0.0
		if strings.HasPrefix(name, "container_memory_") {
			slack = cgroup.Stock()
		}
		return ours >= low-share*math.Abs(low)-slack && ours <= high+share*math.Abs(high)+slack
	}
}

// exact says whether a family is a limit or states a fact.
func exact(name string) bool {
	for _, part := range []string{"_spec_", "_info", "_limit", "_max", "start_time", "boot_time", "machine_", "_size_bytes", "MemTotal"} {
		if strings.Contains(name, part) && !strings.Contains(name, "_max_usage") {
			return true
		}
	}
	return false
}

// covers says whether a listed difference is that of a series. One of many families
// that the test does not show would hide others.
func (d Difference) covers(f *finding, series string) bool {
	family := d.Family == f.family
	if prefix, ok := strings.CutSuffix(d.Family, "*"); ok {
		family = strings.HasPrefix(f.family, prefix) && (d.Series != "" || !d.Elsewhere)
	}
	return family && d.Kind == f.kind && regexp.MustCompile(d.Series).MatchString(series)
}

// check compares what was found with a peer's table, both ways. It rewrites the list
// of what is not served yet when asked to.
func check(t *testing.T, p Peer, file string, f findings, theirs exposition) {
	t.Helper()
	notYet := map[string]bool{}
	for _, name := range strings.Fields(p.NotYet) {
		notYet[name] = true
	}
	seen := make([]bool, len(p.Differences))
	for _, key := range slices.Sorted(maps.Keys(f)) {
		found := f[key]
		maps.DeleteFunc(found.series, func(series, _ string) bool {
			covered := false
			for i, d := range p.Differences {
				if d.covers(found, series) {
					seen[i], covered = true, true
				}
			}
			return covered
		})
		if len(found.series) == 0 {
			continue
		}
		if found.kind == Absent && *update {
			notYet[found.family] = true
		}
		if found.kind == Absent && notYet[found.family] {
			continue
		}
		lines := slices.Sorted(maps.Values(found.series))
		t.Errorf("%s differs from %s (%s, %d series), which no table says:\n\t%s",
			found.family, p.Name, found.kind, len(lines), strings.Join(lines[:min(len(lines), 3)], "\n\t"))
	}
	mounts, err := cgroup.Mounts()
	if err != nil {
		t.Fatal(err)
	}
	v1 := mounts["memory"] != ""
	for i, d := range p.Differences {
		if !seen[i] && !d.Elsewhere && (v1 || !d.OnV1) {
			t.Errorf("%s differs no more from %s (%s): take it off the table", d.Family, p.Name, d.Kind)
		}
	}
	served := func(name string) bool { return f[name+" "+string(Absent)] == nil && theirs.families[name] != nil }
	if *update {
		maps.DeleteFunc(notYet, func(name string, _ bool) bool { return served(name) })
		text := strings.Join(slices.Sorted(maps.Keys(notYet)), "\n") + "\n"
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name := range notYet {
		if served(name) {
			t.Errorf("%s is served now: take it off %s (go test -update)", name, file)
		}
	}
}
