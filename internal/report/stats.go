package report

import (
	"time"
)

// scope is what statistics are of: a period, and how it is judged.
type scope struct {
	bounds interval
	end    int64 // of all that was asked for, from which on nothing is known
	hours  workingHours
	gap    int64
	short  int64
}

// stats are those of the episodes of some alerts.
func (s scope) stats(all []*alert) Stats {
	var out Stats
	var parts []interval
	var lengths []int64
	for _, a := range all {
		out.HealedPending += a.healed(s.bounds, s.end, s.gap)
		episodes := a.firing.within(s.bounds)
		if len(episodes) == 0 {
			continue
		}
		out.LabelSets++
		out.MostOfOne = max(out.MostOfOne, len(episodes))
		var one int64
		for _, e := range episodes {
			part := e.clip(s.bounds)
			parts = append(parts, part)
			lengths = append(lengths, part.length())
			one += part.length()
			s.count(&out, a, e)
		}
		out.FiringSeconds += one
		out.OneSeconds = max(out.OneSeconds, one)
	}
	out.Episodes = len(parts)
	if len(parts) == 0 {
		return out
	}
	out.MedianSeconds = median(lengths)
	out.LongestSeconds = lengths[len(lengths)-1]
	out.AnySeconds, out.AtOnce = union(parts)
	out.First = time.Unix(parts[0].start, 0).In(s.hours.zone)
	last := parts[0].end
	for _, p := range parts {
		last = max(last, p.end)
	}
	out.Last = time.Unix(last, 0).In(s.hours.zone)
	return out
}

// count judges one episode.
func (s scope) count(out *Stats, a *alert, e interval) {
	carried, still := e.start < s.bounds.start, s.still(a, e)
	if carried {
		out.CarriedOver++
	} else if s.hours.outside(e.start) {
		out.OutsideHours++
	}
	if still {
		out.StillFiring++
	}
	if !carried && !still && e.length() <= s.short {
		out.Short++
	}
}

// still says whether an episode lasts at the end of the scope's period.
func (s scope) still(a *alert, e interval) bool {
	return e.end > s.bounds.end || e.end == s.bounds.end && a.still
}

// change says what became of an amount.
func change(now, before float64) Change {
	switch {
	case now == before:
		return Same
	case before == 0:
		return New
	case now == 0:
		return Gone
	case now > before:
		return More
	}
	return Fewer
}
