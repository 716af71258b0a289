package report

import (
	"math"
	"testing"
	"time"
)

// counted is the report's counter of a family.
func (r Report) counted(t *testing.T, family string) Counter {
	t.Helper()
	for _, c := range r.Counters {
		if c.Family == family {
			return c
		}
	}
	t.Fatalf("no counter %s", family)
	return Counter{}
}

func TestCountersAreExactWhateverBecomesOfTheirExporters(t *testing.T) {
	const family = "loadline_workload_restarts_total"
	of := func(workload string, more ...string) []string {
		return append([]string{"namespace", "n", "workload", workload, "workload_type", "deployment", "container", "c"}, more...)
	}
	// since counts one each ten minutes from a time on.
	since := func(begun time.Duration) func(time.Duration) float64 {
		return func(ago time.Duration) float64 { return float64(max(0, begun-ago) / (10 * time.Minute)) }
	}
	for name, c := range map[string]struct {
		fill        func(h *history)
		now, before float64
	}{
		"it goes on": {
			func(h *history) {
				h.counter(2*day, 0, series(family, of("w", "instance", "a")...), since(2*day))
			}, 144, 143, // what it was when it was first seen is no growth, nor is what comes with the last second
		},
		"what it had when it was first seen": {
			func(h *history) {
				h.counter(2*day, 0, series(family, of("w", "instance", "a")...), func(time.Duration) float64 { return 5000 })
			}, 0, 0,
		},
		"it begins anew twice within an hour": {
			func(h *history) {
				h.counter(12*time.Hour, 0, series(family, of("w", "instance", "a")...), func(ago time.Duration) float64 {
					switch {
					case ago > 6*time.Hour+20*time.Minute:
						return 7
					case ago > 6*time.Hour+10*time.Minute:
						return 2 // two since it began
					case ago > 3*time.Hour:
						return 1 // one since it began again
					}
					return 4
				})
			}, 2 + 1 + 3, 0,
		},
		"it begins anew between two windows": {
			func(h *history) {
				h.counter(12*time.Hour, 0, series(family, of("w", "instance", "a")...), func(ago time.Duration) float64 {
					if ago > 6*time.Hour {
						return 7
					}
					return 3
				})
			}, 3, 0,
		},
		"its exporter is gone for hours": {
			func(h *history) {
				l := series(family, of("w", "instance", "a")...)
				h.counter(12*time.Hour, 9*time.Hour, l, func(time.Duration) float64 { return 7 })
				h.counter(4*time.Hour, 0, l, func(time.Duration) float64 { return 9 })
			}, 2, 0,
		},
		"another instance takes its place": {
			func(h *history) {
				h.counter(12*time.Hour, 6*time.Hour, series(family, of("w", "instance", "a")...), since(12*time.Hour))
				h.counter(6*time.Hour, 0, series(family, of("w", "instance", "b")...), since(6*time.Hour))
			}, 35 + 35, 0,
		},
		"a value is no number": {
			func(h *history) {
				h.counter(12*time.Hour, 0, series(family, of("w", "instance", "a")...), func(ago time.Duration) float64 {
					if ago == 5*time.Hour {
						return math.NaN()
					}
					return since(12 * time.Hour)(ago)
				})
			}, 71, 0,
		},
		"two replicas count the same": {
			func(h *history) {
				for _, instance := range []string{"a", "b"} {
					h.counter(12*time.Hour, 0, series(family, of("w", "instance", instance)...), since(12*time.Hour))
				}
			}, 71, 0,
		},
		"two Prometheus of a pair": {
			func(h *history) {
				for _, replica := range []string{"a", "b"} {
					h.counter(12*time.Hour, 0, series(family, of("w", "instance", "a", "prometheus_replica", replica)...), since(12*time.Hour))
				}
			}, 71, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(t)
			h.scraped(2*day, 0)
			c.fill(h)
			got := made(t, h.serve().URL, "--since=1d").counted(t, family)
			if got.Total != c.now || *got.Before != c.before {
				t.Errorf("%g after %g, want %g after %g", got.Total, *got.Before, c.now, c.before)
			}
		})
	}
}

func TestNodesCountOOMKillsOfTheirOwn(t *testing.T) {
	const family = "loadline_workload_oom_kills_total"
	h := newHistory(t)
	h.scraped(2*day, 0)
	for _, more := range [][]string{{"instance", "n1:9851"}, {"instance", "n2:9851"}, {"node", "n3", "instance", "old"}, {"node", "n3", "instance", "replica"}} {
		h.counter(12*time.Hour, 0, series(family, append([]string{"namespace", "n", "workload", "w", "scope", "container"}, more...)...), func(ago time.Duration) float64 {
			if ago > 90*time.Minute {
				return 0
			}
			return 2
		})
	}
	if got := made(t, h.serve().URL, "--since=1d").counted(t, family); got.Total != 6 || got.Workloads[0].Amount != 6 {
		t.Errorf("%+v, want 6 of three nodes", got)
	}
}
