package report

import (
	"fmt"
	"math"
)

// When an alert is noisy.
const (
	// flapsADay is how often a day one label set has to fire, at least flaps times in
	// all.
	flapsADay = 1
	flaps     = 5
	// manyShort is how many short episodes there have to be, and shortShare their share.
	manyShort  = 5
	shortShare = 0.8
	// alwaysShare is the share of the period for which one label set has to fire.
	alwaysShare = 0.5
	// wide is how many label sets have to fire at the same time.
	wide = 20
)

// noisy are the rows with a reason, in their order. An event notifies nobody, so it
// can't be noise.
func noisy(rows []Row, s Settings, observed int64) []Noisy {
	out := []Noisy{}
	for _, r := range rows {
		if s.urgency(r.Labels["severity"]) == event {
			continue
		}
		if reasons := reasons(r, s, observed); len(reasons) > 0 {
			out = append(out, Noisy{r, reasons})
		}
	}
	return out
}

// reasons says why an alert is noisy in a period of which so many seconds have data.
func reasons(r Row, s Settings, observed int64) []Reason {
	var out []Reason
	days := float64(observed) / (24 * 60 * 60)
	perDay := float64(r.MostOfOne) / max(days, 1)
	if r.MostOfOne >= flaps && perDay >= flapsADay && r.MedianSeconds <= 6*int64(s.ShortSeconds) {
		out = append(out, Reason{
			"flapping",
			fmt.Sprintf("the same one fired %s, half of all for at most %s", times(r.MostOfOne), length(r.MedianSeconds)),
			"Put the threshold where it means harm, or give it “keep_firing_for”, so that it comes and goes once.",
		})
	}
	if share := float64(r.Short) / float64(max(r.Episodes, 1)); r.Short >= manyShort && share >= shortShare {
		out = append(out, Reason{
			"short",
			fmt.Sprintf("%d of %d were over within %s, sooner than anybody could act", r.Short, r.Episodes, length(int64(s.ShortSeconds))),
			fmt.Sprintf("Lengthen its “for” by %s, so that what heals itself does not fire.", length(int64(s.ShortSeconds))),
		})
	}
	if share := float64(r.OneSeconds) / float64(max(observed, 1)); share >= alwaysShare {
		out = append(out, Reason{
			"always",
			fmt.Sprintf("one fired for %.0f %% of the time: it is looked at by nobody, or nothing can be done", 100*math.Min(share, 1)),
			"Mend what it shows, raise its threshold, or delete it.",
		})
	}
	if r.AtOnce >= wide {
		out = append(out, Reason{
			"wide",
			fmt.Sprintf("%d fired at the same time: one cause, many messages", r.AtOnce),
			"Alert on the level above (workload, service, node), or inhibit it by the alert of the cause.",
		})
	}
	return out
}

// urgency is what a severity asks for.
func (s Settings) urgency(severity string) urgency {
	for _, v := range s.PageSeverities {
		if v == severity {
			return page
		}
	}
	for _, v := range s.TicketSeverities {
		if v == severity {
			return ticket
		}
	}
	return event
}
