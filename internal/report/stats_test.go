package report

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// theWeek is the scope of tests: times are seconds of a week, which is preceded by
// another.
func theWeek(t *testing.T) scope {
	t.Helper()
	h, err := parseHours("Mon-Fri 09:00-18:00", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	last := end.Unix()
	return scope{bounds: interval{last - int64(week.Seconds()), last}, end: last, hours: h, gap: 300, short: 600}
}

// at is an interval that begins so long after the week's beginning.
func (s scope) at(after, length time.Duration) interval {
	start := s.bounds.start + int64(after.Seconds())
	return interval{start, start + int64(length.Seconds())}
}

func TestStatisticsOfEpisodes(t *testing.T) {
	s := theWeek(t)
	for name, c := range map[string]struct {
		alerts []*alert
		want   Stats
	}{
		"none": {nil, Stats{}},
		"one that began before the week counts for its part within": {
			[]*alert{{firing: intervals{s.at(-time.Hour, 3*time.Hour)}}},
			Stats{Episodes: 1, CarriedOver: 1, LabelSets: 1, AtOnce: 1, MostOfOne: 1, FiringSeconds: 7200, AnySeconds: 7200, OneSeconds: 7200, MedianSeconds: 7200, LongestSeconds: 7200},
		},
		"one that fires at the end is not short": {
			[]*alert{{still: true, firing: intervals{s.at(week-5*time.Minute, 5*time.Minute)}}},
			Stats{Episodes: 1, StillFiring: 1, OutsideHours: 1, LabelSets: 1, AtOnce: 1, MostOfOne: 1, FiringSeconds: 300, AnySeconds: 300, OneSeconds: 300, MedianSeconds: 300, LongestSeconds: 300},
		},
		"one that ended at the end does not fire": {
			[]*alert{{firing: intervals{s.at(week-5*time.Minute, 5*time.Minute)}}},
			Stats{Episodes: 1, Short: 1, OutsideHours: 1, LabelSets: 1, AtOnce: 1, MostOfOne: 1, FiringSeconds: 300, AnySeconds: 300, OneSeconds: 300, MedianSeconds: 300, LongestSeconds: 300},
		},
		"two at the same time last once, and are added up": {
			[]*alert{{firing: intervals{s.at(10*time.Hour, time.Hour)}}, {firing: intervals{s.at(10*time.Hour, 2*time.Hour)}}},
			Stats{Episodes: 2, LabelSets: 2, AtOnce: 2, MostOfOne: 1, FiringSeconds: 10800, AnySeconds: 7200, OneSeconds: 7200, MedianSeconds: 3600, LongestSeconds: 7200},
		},
		"episodes of other times do not count": {
			[]*alert{{firing: intervals{s.at(-3*time.Hour, time.Hour), s.at(week, time.Hour)}}},
			Stats{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.stats(c.alerts)
			if (got.First.IsZero() || got.Last.IsZero()) != (got.Episodes == 0) {
				t.Errorf("from %s to %s with %d episodes", got.First, got.Last, got.Episodes)
			}
			got.First, got.Last = time.Time{}, time.Time{}
			if got != c.want {
				t.Errorf("%+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestWhatWasPendingAndDidNotFireHealedItself(t *testing.T) {
	s := theWeek(t)
	for name, c := range map[string]struct {
		pending, firing intervals
		want            int
	}{
		"pending alone":                {intervals{s.at(time.Hour, 3*time.Minute)}, nil, 1},
		"twice":                        {intervals{s.at(time.Hour, 3*time.Minute), s.at(2*time.Hour, 3*time.Minute)}, nil, 2},
		"pending, then firing":         {intervals{s.at(time.Hour, 3*time.Minute)}, intervals{s.at(time.Hour+3*time.Minute, time.Hour)}, 0},
		"firing long after":            {intervals{s.at(time.Hour, 3*time.Minute)}, intervals{s.at(2*time.Hour, time.Hour)}, 1},
		"pending again after it fired": {intervals{s.at(time.Hour, 3*time.Minute)}, intervals{s.at(30*time.Minute, 29*time.Minute)}, 1},
		"pending within an episode that gaps are part of": {intervals{s.at(time.Hour, 3*time.Minute)}, intervals{s.at(0, 3*time.Hour)}, 0},
		"pending at the end, which is not decided":        {intervals{s.at(week-4*time.Minute, 3*time.Minute)}, nil, 0},
		"pending before the week":                         {intervals{s.at(-time.Minute, 3*time.Minute)}, nil, 0},
	} {
		a := alert{pending: c.pending, firing: c.firing}
		if got := a.healed(s.bounds, s.end, s.gap); got != c.want {
			t.Errorf("%s: healed %d times, want %d", name, got, c.want)
		}
	}
}

func TestANoisyAlertIsListedWithItsReason(t *testing.T) {
	settings := Settings{ShortSeconds: 600, PageSeverities: []string{"page"}}
	const observed = 7 * 24 * 3600
	for name, c := range map[string]struct {
		severity string
		stats    Stats
		want     []string
	}{
		"nothing":                           {"page", Stats{Episodes: 3, MostOfOne: 3, MedianSeconds: 3000, OneSeconds: 9000}, nil},
		"it comes and goes":                 {"page", Stats{Episodes: 9, MostOfOne: 9, MedianSeconds: 1200, OneSeconds: 9000}, []string{"flapping"}},
		"it is over before anybody looks":   {"page", Stats{Episodes: 10, Short: 9, MostOfOne: 2, MedianSeconds: 120}, []string{"short"}},
		"half of them are over soon":        {"page", Stats{Episodes: 10, Short: 5, MostOfOne: 2, MedianSeconds: 700}, nil},
		"it fires most of the time":         {"page", Stats{Episodes: 1, MostOfOne: 1, OneSeconds: observed / 2, MedianSeconds: observed / 2}, []string{"always"}},
		"many fire for long, one at a time": {"page", Stats{Episodes: 60, LabelSets: 60, MostOfOne: 1, OneSeconds: 7200, FiringSeconds: observed, AtOnce: 1, MedianSeconds: 7200}, nil},
		"many at once":                      {"page", Stats{Episodes: 30, MostOfOne: 1, AtOnce: 30, MedianSeconds: 7200}, []string{"wide"}},
		"an event, which calls nobody":      {"info", Stats{Episodes: 900, MostOfOne: 900, AtOnce: 30, Short: 900, OneSeconds: observed}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, n := range noisy([]Row{{Labels: map[string]string{"severity": c.severity}, Stats: c.stats}}, settings, observed) {
				for _, r := range n.Reasons {
					got = append(got, r.Kind)
					if r.Why == "" || r.Advice == "" {
						t.Errorf("%s without a reason or advice", r.Kind)
					}
				}
			}
			if len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestWorkingHours(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for text, c := range map[string]struct {
		at      time.Time
		outside bool
	}{
		"Mon-Fri 09:00-18:00": {time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), false}, // nine in Berlin
		"Mon-Fri 09:00-17:00": {time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC), true}, // the end is outside
		"Sun-Thu 00:00-24:00": {time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), true}, // a Friday
		"Sat-Sun 10:00-11:00": {time.Date(2026, 11, 22, 9, 59, 0, 0, time.UTC), false},
		"Fri-Mon 10:00-11:00": {time.Date(2026, 11, 24, 9, 30, 0, 0, time.UTC), true}, // a Tuesday
	} {
		h, err := parseHours(text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.outside(c.at.Unix()); got != c.outside {
			t.Errorf("%s is outside %s: %t", c.at, text, got)
		}
	}
	for _, text := range []string{"", "Mon-Fri", "Mon 09:00-18:00", "Mon-Fri 18:00-09:00", "Mon-Fri 9-18", "Mo-Fr 09:00-18:00", "Mon-Fri 09:00-25:00"} {
		if _, err := parseHours(text, time.UTC); err == nil {
			t.Errorf("%q is taken for working hours", text)
		}
	}
}

func TestAWorkloadIsKnownByTheLabelsOfKubeStateMetricsToo(t *testing.T) {
	for want, labels := range map[string]model.LabelSet{
		"web deployment":  {"deployment": "web", "pod": "web-1"},
		"db statefulset":  {"workload": "db", "workload_type": "statefulset", "deployment": "other"},
		"nightly job":     {"job_name": "nightly", "job": "kube-state-metrics"},
		" ":               {"job": "node"},
		"agent daemonset": {"daemonset": "agent"},
	} {
		a := alert{labels: labels}
		if name, kind := a.workload(); name+" "+kind != want {
			t.Errorf("%v is of %q %q, want %q", labels, name, kind, want)
		}
	}
}

func TestLengthsReadAsPeopleSayThem(t *testing.T) {
	for seconds, want := range map[int64]string{
		0: "0 s", 59: "59 s", 60: "1 min", 3599: "59 min", 3600: "1 h", 6600: "1 h 50 min", 86399: "23 h 59 min",
		86400: "1 d", 90000: "1 d 1 h", 604800: "7 d", 172799: "2 d",
	} {
		if got := length(seconds); got != want {
			t.Errorf("%d seconds are %q, want %q", seconds, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 999: "999", 1000: "1\u202f000", 1234567: "1\u202f234\u202f567"} {
		if got := amount(v); got != want {
			t.Errorf("%g is %q, want %q", v, got, want)
		}
	}
}
