package mixin

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// choose are the values that the variables of a dashboard can have by what the data
// offers, each depending on those before it; of each, no more than so many.
func (l *lab) choose(d dashboardOf, most int, at time.Time) []labelSet {
	choices := []labelSet{{}}
	for _, v := range d.Variables {
		var next []labelSet
		for _, c := range choices {
			offered := l.query("group by ("+v.Name+") ("+replaced(v.Choices, c)+")", at)
			if len(offered) > 0 && v.All {
				next = append(next, c.with(labelSet{v.Name: ".*"}))
				continue
			}
			for _, s := range offered[:min(len(offered), most)] {
				if value := s.Metric.Get(v.Name); value != "" {
					next = append(next, c.with(labelSet{v.Name: value}))
				}
			}
		}
		if choices = next; len(choices) == 0 {
			l.tb.Errorf("%s: the data offers nothing for $%s: %s", d.Uid, v.Name, v.Choices)
		}
	}
	return choices
}

// shows says whether a query has a result, with any of the choices.
func (l *lab) shows(expr string, choices []labelSet, at time.Time) (found bool) {
	for _, c := range choices {
		for _, s := range l.query(replaced(expr, c), at) {
			found = found || !math.IsNaN(s.F)
		}
	}
	return found
}

// TestEveryPanelShowsWhatTheRulesRecord runs every query with all that variables can be.
// Each has to have a result, but where that is good; and each series in it has to be
// there by its own, or a query that falls back to none of something would always pass.
func TestEveryPanelShowsWhatTheRulesRecord(t *testing.T) {
	places := smallWorld()
	all := append(resourceSeries(places), orchestratorSeries(places)...)
	for name, cluster := range map[string]string{"one cluster without a name": "", "one of several clusters": "c1"} {
		t.Run(name, func(t *testing.T) {
			l, at := newLab(t), time.Unix(1_800_000_000, 0)
			series := inCluster(all, cluster, 2)
			l.scrape(series, at.Add(-70*time.Minute), at)
			for range 30 { // so that alerts fire that are pending for some minutes
				at = at.Add(scrapeInterval)
				l.scrape(series, at, at)
				l.evaluate(at)
			}
			for uid, d := range allDashboards(t, cluster != "") {
				choices := l.choose(d, 100, at)
				for _, p := range d.panels() {
					for _, q := range p.queries() {
						if !l.shows(q.Expr, choices, at) && !p.NoDataIsGood {
							t.Errorf("%s: %q is empty:\n%s", uid, p.Title, q.Expr)
						}
						for _, part := range parts(t, q.Expr, d) {
							if !l.shows(part, choices, at) {
								t.Errorf("%s: %q reads %s, which has nothing", uid, p.Title, part)
							}
						}
					}
				}
			}
		})
	}
}

// parts are the selectors of a query, with its variables.
func parts(t *testing.T, expr string, d dashboardOf) (out []string) {
	t.Helper()
	marks, back := labelSet{}, labelSet{}
	for _, v := range d.Variables {
		marks[v.Name], back["MARK"+v.Name] = "$MARK"+v.Name, "$"+v.Name
	}
	for _, s := range selectors(t, replaced(expr, marks)) {
		alone := &parser.VectorSelector{Name: s.Name, LabelMatchers: s.LabelMatchers}
		out = append(out, replaced(alone.String(), back))
	}
	return out
}

// asked is what a dashboard takes.
type asked struct {
	queries, samples int
	wall             time.Duration
}

// dashboards asks each for the whole time at a step of a scrape, one query after the
// other, with the first choice that the data offers.
func (f filled) dashboards(b *testing.B) map[string]asked {
	b.Helper()
	out := map[string]asked{}
	for uid, d := range allDashboards(b, false) {
		choices := f.choose(d, 1, f.end)
		if len(choices) == 0 {
			continue // which choose has said
		}
		var sum asked
		for _, p := range d.panels() {
			for _, target := range p.Targets {
				start := time.Now()
				q, err := f.engine.NewRangeQuery(b.Context(), f.store, nil, replaced(target.Expr, choices[0]), f.end.Add(-*hour), f.end, scrapeInterval)
				if err != nil {
					b.Fatal(err)
				}
				if err := q.Exec(b.Context()).Err; err != nil {
					b.Errorf("%s: %q: %v", uid, p.Title, err)
				}
				sum.samples += int(q.Stats().Samples.TotalSamples)
				q.Close()
				sum.queries, sum.wall = sum.queries+1, sum.wall+time.Since(start)
			}
		}
		out[uid] = sum
	}
	return out
}
