package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/prometheus/common/model"
)

// request is what a report is asked for.
type request struct {
	settings Settings
	hours    workingHours
	now      time.Time
	start    int64 // of the period; the one before is as long
	end      int64
	// selector is what alerts are chosen by; counters by those of its matchers that are
	// of labels that they have.
	selector, counterSelector string
	leftOut                   []string // matchers
}

// before is the period before.
func (r request) before() interval { return interval{2*r.start - r.end, r.start} }

// period is that of the report.
func (r request) period() interval { return interval{r.start, r.end} }

// window is the longest part of the period, of whole steps and at most an hour, that
// divides it.
func (r request) window() int64 {
	step := int64(r.settings.StepSeconds)
	steps := (r.end - r.start) / step
	for n := min(steps, max(1, maxWindow/step)); n > 1; n-- {
		if steps%n == 0 {
			return n * step
		}
	}
	return step
}

// make asks for everything and puts the report together.
func (r request) make(ctx context.Context, from *client) (*Report, error) {
	all := piece{r.before().start + int64(r.settings.StepSeconds), r.end, int64(r.settings.StepSeconds)}
	covered, err := collectCoverage(ctx, from, all)
	if err != nil {
		return nil, err
	}
	collected := alerts{settings: r.settings, selector: r.selector, all: map[string]*alert{}}
	if err := collected.collect(ctx, from, all); err != nil {
		return nil, err
	}
	out := &Report{
		Version: Version, Generated: r.now.In(r.hours.zone).Truncate(time.Second), Prometheus: from.address, Selector: r.selector,
		Period: covered.period(r.period(), r.hours.zone), Before: covered.period(r.before(), r.hours.zone),
		Settings: r.settings, Notes: []string{},
	}
	if !covered.known && len(collected.all) == 0 {
		out.Notes = append(out.Notes, "There is neither a series named up nor any of ALERTS: this Prometheus has no data of these times, or none at all.")
	}
	out.Comparable = out.Period.share() >= enough && out.Before.share() >= enough
	out.Notes = append(out.Notes, coverageNotes(out)...)
	c := r.comparison(out.Comparable)
	r.fill(out, c, collected.list())
	out.Runbooks = from.runbooks(ctx, collected.names())
	for _, family := range counterFamilies() {
		counted, err := r.count(ctx, from, family, c)
		if err != nil {
			return nil, err
		}
		out.Counters = append(out.Counters, counted)
	}
	if len(r.leftOut) > 0 {
		for _, m := range r.leftOut {
			out.Notes = append(out.Notes, "Counters are of all that matches --selector without "+m+", which is a label of alerts alone.")
		}
	}
	for _, w := range from.warnings {
		out.Notes = append(out.Notes, "Warning of the API: "+w)
	}
	return out, nil
}

func (r request) comparison(compared bool) comparison {
	s := scope{
		bounds: r.period(), end: r.end, hours: r.hours,
		gap: int64(r.settings.GapSeconds), short: int64(r.settings.ShortSeconds),
	}
	before := s
	before.bounds = r.before()
	return comparison{now: s, before: before, compared: compared, top: r.settings.Top}
}

func (r request) count(ctx context.Context, from *client, family counterFamily, c comparison) (Counter, error) {
	reader := counterReader{
		family: family, selector: r.counterSelector, replicas: r.settings.ReplicaLabels, border: r.start, client: from,
		last: map[string]float64{}, sums: map[amountKey]*amounts{},
	}
	if err := reader.read(ctx, interval{r.before().start, r.end}, r.window()); err != nil {
		return Counter{}, err
	}
	return reader.counter(c), nil
}

// fill is what the report says of alerts.
func (r request) fill(out *Report, c comparison, all []*alert) {
	all = r.withoutHeartbeats(out, c, all)
	for _, u := range []urgency{page, ticket, event} {
		of := slices.DeleteFunc(slices.Clone(all), func(a *alert) bool { return a.urgency != u })
		out.ByUrgency = append(out.ByUrgency, c.row(group{map[string]string{"urgency": u.String()}, of}))
	}
	observed := c.now.bounds.length()
	if o := out.Period.ObservedSeconds; o != nil {
		observed = *o
	}
	rows := c.rows(by(all, byName))
	slices.SortStableFunc(rows, r.settings.byUrgency)
	fired := filter(rows, func(r Row) bool { return r.Episodes > 0 })
	out.Noisy = noisy(fired, r.settings, observed)
	out.Noisy = out.Noisy[:min(len(out.Noisy), c.top)]
	out.Alerts = c.table(slices.Clone(fired), r.settings.byUrgency)
	out.Gone = c.table(filter(rows, func(r Row) bool { return r.Change == Gone }), func(a, b Row) int {
		return cmp.Compare(b.Before.Episodes, a.Before.Episodes)
	})
	out.SelfHealed = c.table(filter(rows, func(r Row) bool { return r.HealedPending+r.Short > 0 }), byHealed)
	out.LongestPages = c.longestPages(all)
	out.Services = c.places(by(all, ofService))
	out.Workloads = c.places(by(all, ofWorkload))
	for _, label := range []string{"severity", "level", r.settings.OwnerLabel, "cluster", "namespace", "service", "workload"} {
		rows := filter(c.rows(by(all, ofLabel(label))), func(r Row) bool { return r.Episodes > 0 || r.Change == Gone })
		out.By = append(out.By, Dimension{label, c.table(rows, byEpisodes)})
	}
	out.Hours, out.Days = calendar(all, c.now.bounds, r.hours)
}

// withoutHeartbeats takes the alerts out that are meant to fire always.
func (r request) withoutHeartbeats(out *Report, c comparison, all []*alert) []*alert {
	out.Heartbeats = []Heartbeat{}
	for _, name := range r.settings.Heartbeats {
		var of []*alert
		all = slices.DeleteFunc(all, func(a *alert) bool {
			if string(a.labels[model.AlertNameLabel]) != name {
				return false
			}
			of = append(of, a)
			return true
		})
		if len(of) > 0 {
			s := c.now.stats(of)
			out.Heartbeats = append(out.Heartbeats, Heartbeat{name, s.AnySeconds, s.StillFiring > 0})
		}
	}
	return all
}

func byName(a *alert) map[string]string {
	return map[string]string{"alertname": a.get(model.AlertNameLabel), "severity": a.get("severity")}
}

func ofService(a *alert) map[string]string {
	if a.get("service") == "" {
		return nil
	}
	return map[string]string{"cluster": a.get("cluster"), "namespace": a.get("namespace"), "service": a.get("service")}
}

func ofWorkload(a *alert) map[string]string {
	name, kind := a.workload()
	if name == "" {
		return nil
	}
	return map[string]string{"cluster": a.get("cluster"), "namespace": a.get("namespace"), "workload": name, "workload_type": kind}
}

// ofLabel returns the key of a dimension. Of services and workloads the namespace is
// part of the name.
func ofLabel(label string) func(*alert) map[string]string {
	switch label {
	case "service":
		return ofService
	case "workload":
		return ofWorkload
	}
	return func(a *alert) map[string]string {
		return map[string]string{label: a.get(model.LabelName(label))}
	}
}

// String is the urgency's name.
func (u urgency) String() string { return [...]string{"event", "ticket", "page"}[u] }
