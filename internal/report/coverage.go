package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// coverageStep is how far a selector looks back: a point without a sample means that
	// there was none since the last.
	coverageStep = 300
	// maxMissing bounds the times without data that are listed.
	maxMissing = 10
	// enough is the share of a period that must have data to be compared.
	enough = 0.9
)

// coverage is when a Prometheus has samples of any target.
type coverage struct {
	known   bool
	present intervals
}

// collectCoverage asks for the series up, which every Prometheus has that scrapes.
// Without any in all of the time nothing can be told, or there is no data at all.
func collectCoverage(ctx context.Context, from *client, all piece) (coverage, error) {
	var c coverage
	// A grid from the end of all backwards.
	step := all.step * max(1, coverageStep/all.step)
	first := all.last - (all.last-all.first)/step*step
	err := inPieces(ctx, piece{first, all.last, step}, firstPoints, func(p piece) (int, error) {
		m, err := from.matrix(ctx, "group(up)", p)
		if err != nil {
			return 0, err
		}
		for _, series := range m {
			c.known = true
			for _, point := range series.Values {
				at := point.Timestamp.Unix()
				c.present = c.present.with(interval{at - step, at}, 0)
			}
		}
		return samples(m), nil
	})
	return c, err
}

// period describes a time.
func (c coverage) period(bounds interval, zone *time.Location) Period {
	at := func(t int64) time.Time { return time.Unix(t, 0).In(zone) }
	p := Period{Start: at(bounds.start), End: at(bounds.end), Seconds: bounds.length()}
	if !c.known {
		return p
	}
	var observed int64
	reached := bounds.start
	miss := func(until int64) {
		if until > reached {
			p.Missing = append(p.Missing, Span{at(reached), at(until)})
		}
	}
	for _, iv := range c.present.within(bounds) {
		iv = iv.clip(bounds)
		observed += iv.length()
		miss(iv.start)
		reached = iv.end
	}
	miss(bounds.end)
	p.ObservedSeconds = &observed
	slices.SortStableFunc(p.Missing, func(a, b Span) int { return cmp.Compare(b.End.Sub(b.Start), a.End.Sub(a.Start)) })
	p.Missing = p.Missing[:min(len(p.Missing), maxMissing)]
	return p
}

// share is how much of a period has data; 1 where that can't be told.
func (p Period) share() float64 {
	if p.ObservedSeconds == nil {
		return 1
	}
	return float64(*p.ObservedSeconds) / float64(max(p.Seconds, 1))
}

// coverageNotes say what is missing.
func coverageNotes(r *Report) []string {
	var out []string
	if r.Period.ObservedSeconds == nil {
		out = append(out, "There is no series named up, so times without data can't be told from times in which nothing fired.")
		return out
	}
	if share := r.Period.share(); share == 0 {
		out = append(out, "There is no data of the period: the retention of this Prometheus does not reach so far back, or it did not run.")
	} else if share < enough {
		out = append(out, fmt.Sprintf("There is data of %s of the %s of the period only; what fired meanwhile is not known.", length(*r.Period.ObservedSeconds), length(r.Period.Seconds)))
	}
	switch share := r.Before.share(); {
	case share == 0:
		out = append(out, "There is no data of the period before: the retention of this Prometheus does not reach so far back, or it did not run. Nothing is compared.")
	case share < enough:
		out = append(out, fmt.Sprintf("There is data of %s of the %s of the period before only. Nothing is compared.", length(*r.Before.ObservedSeconds), length(r.Before.Seconds)))
	case r.Period.share() < enough:
		out = append(out, "Nothing is compared with the period before, which has all its data.")
	}
	return out
}
