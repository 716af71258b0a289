package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// maxLabel bounds the value of a label, in bytes.
const maxLabel = 200

// comparison is the period of the report beside the one before it.
type comparison struct {
	now, before scope
	compared    bool
	top         int
}

// group is the alerts that have the same values of some labels.
type group struct {
	labels map[string]string
	alerts []*alert
}

// by groups alerts by what key says, in the order of the keys. A nil key leaves an
// alert out.
func by(all []*alert, key func(*alert) map[string]string) []group {
	groups := map[string]*group{}
	for _, a := range all {
		labels := key(a)
		if labels == nil {
			continue
		}
		id := identity(labels)
		if groups[id] == nil {
			groups[id] = &group{labels: labels}
		}
		groups[id].alerts = append(groups[id].alerts, a)
	}
	out := make([]group, 0, len(groups))
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, *groups[id])
	}
	return out
}

func identity(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(name + "\xff" + labels[name] + "\xff")
	}
	return b.String()
}

// rows are the statistics of groups; those without anything in either period are left
// out.
func (c comparison) rows(groups []group) []Row {
	var out []Row
	for _, g := range groups {
		if r := c.row(g); r.Episodes > 0 || r.HealedPending > 0 || r.Before != nil && r.Before.Episodes > 0 {
			out = append(out, r)
		}
	}
	return out
}

func (c comparison) row(g group) Row {
	r := Row{Labels: g.labels, Stats: c.now.stats(g.alerts)}
	if c.compared {
		before := c.before.stats(g.alerts)
		r.Before, r.Change = &before, change(float64(r.Episodes), float64(before.Episodes))
	}
	return r
}

// table has the first rows by an order, and of the rest the sums.
func (c comparison) table(rows []Row, order func(a, b Row) int) Table {
	slices.SortStableFunc(rows, order)
	t := Table{Rows: append([]Row{}, rows[:min(len(rows), c.top)]...)}
	for _, r := range rows[len(t.Rows):] {
		t.Rest.Rows++
		t.Rest.Episodes += r.Episodes
		t.Rest.FiringSeconds += r.FiringSeconds
	}
	return t
}

// filter returns the rows for which keep is true.
func filter(rows []Row, keep func(Row) bool) []Row {
	var out []Row
	for _, r := range rows {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out
}

// byUrgency is the order by what the severity asks for, then by episodes, then by time.
func (s Settings) byUrgency(a, b Row) int {
	return cmp.Or(
		cmp.Compare(s.urgency(b.Labels["severity"]), s.urgency(a.Labels["severity"])),
		byEpisodes(a, b),
	)
}

func byEpisodes(a, b Row) int {
	return cmp.Or(cmp.Compare(b.Episodes, a.Episodes), cmp.Compare(b.FiringSeconds, a.FiringSeconds))
}

func byHealed(a, b Row) int {
	return cmp.Compare(b.HealedPending+b.Short, a.HealedPending+a.Short)
}

// places are services or workloads, the worst first.
func (c comparison) places(groups []group) Places {
	var all []Place
	for _, g := range groups {
		p := Place{Labels: g.labels, Top: c.longest(g.alerts)}
		p.Pages, p.PageSeconds = c.now.anyOf(g.alerts, page)
		p.Tickets, p.TicketSeconds = c.now.anyOf(g.alerts, ticket)
		if p.PageSeconds == 0 && p.TicketSeconds == 0 {
			continue
		}
		if c.compared {
			_, pages := c.before.anyOf(g.alerts, page)
			_, tickets := c.before.anyOf(g.alerts, ticket)
			p.PageSecondsBefore, p.TicketSecondsBefore = &pages, &tickets
			if p.Change = change(float64(p.PageSeconds), float64(pages)); p.Change == Same {
				p.Change = change(float64(p.TicketSeconds), float64(tickets))
			}
			if p.Change == New && pages+tickets > 0 {
				p.Change = More // it had tickets before
			}
			if p.Change == Gone {
				p.Change = Fewer // pages are, tickets are not
			}
		}
		all = append(all, p)
	}
	slices.SortStableFunc(all, func(a, b Place) int {
		return cmp.Or(cmp.Compare(b.PageSeconds, a.PageSeconds), cmp.Compare(b.TicketSeconds, a.TicketSeconds))
	})
	out := Places{Rows: append([]Place{}, all[:min(len(all), c.top)]...)}
	for _, p := range all[len(out.Rows):] {
		out.Rest++
		out.RestSeconds += p.PageSeconds + p.TicketSeconds
	}
	return out
}

// anyOf returns how often alerts of an urgency fired, and how long at least one did.
func (s scope) anyOf(all []*alert, u urgency) (episodes int, length int64) {
	var parts []interval
	for _, a := range all {
		if a.urgency != u {
			continue
		}
		for _, e := range a.firing.within(s.bounds) {
			parts = append(parts, e.clip(s.bounds))
		}
	}
	length, _ = union(parts)
	return len(parts), length
}

// longest is the name of the alert that fired longest, of those that are most urgent.
func (c comparison) longest(all []*alert) string {
	most := map[string]int64{}
	var top string
	var urgent urgency
	for _, a := range all {
		for _, e := range a.firing.within(c.now.bounds) {
			name := a.get(model.AlertNameLabel)
			if a.urgency > urgent {
				urgent, top = a.urgency, name
			}
			most[name] += e.clip(c.now.bounds).length()
			if a.urgency == urgent && most[name] > most[top] {
				top = name
			}
		}
	}
	return top
}

// longestPages are single episodes.
func (c comparison) longestPages(all []*alert) Episodes {
	out := Episodes{Rows: []Episode{}}
	for _, a := range all {
		if a.urgency != page {
			continue
		}
		for _, e := range a.firing.within(c.now.bounds) {
			part := e.clip(c.now.bounds)
			out.Rows = append(out.Rows, Episode{
				Labels: shown(a), Seconds: part.length(),
				Start: time.Unix(part.start, 0).In(c.now.hours.zone), End: time.Unix(part.end, 0).In(c.now.hours.zone),
				CarriedOver: e.start < c.now.bounds.start, StillFiring: c.now.still(a, e),
			})
		}
	}
	slices.SortStableFunc(out.Rows, func(a, b Episode) int { return cmp.Compare(b.Seconds, a.Seconds) })
	rest := out.Rows
	out.Rows = rest[:min(len(rest), c.top)]
	for _, e := range rest[len(out.Rows):] {
		out.Rest.Rows++
		out.Rest.Episodes++
		out.Rest.FiringSeconds += e.Seconds
	}
	return out
}

// maxLabels bounds the labels of an episode.
const maxLabels = 20

// shown are an alert's labels as they are shown.
func shown(a *alert) map[string]string {
	out := make(map[string]string, len(a.labels))
	for _, name := range slices.Sorted(maps.Keys(a.labels)) {
		if len(out) == maxLabels {
			break
		}
		out[cut(string(name), maxLabel)] = a.get(name)
	}
	return out
}
