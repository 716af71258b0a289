package report

import (
	"slices"
	"sort"
)

// interval is a time in which something was so, in Unix seconds; its end is not part
// of it.
type interval struct{ start, end int64 }

func (i interval) length() int64 { return i.end - i.start }

// clip returns what of it lies within bounds; the length of nothing is not positive.
func (i interval) clip(bounds interval) interval {
	return interval{max(i.start, bounds.start), min(i.end, bounds.end)}
}

// intervals are in order and more than the gap apart that they were put together with.
type intervals []interval

// with adds an interval. What is at most gap apart becomes one. It is cheap where it is
// added near the end.
func (s intervals) with(add interval, gap int64) intervals {
	from := len(s)
	for from > 0 && s[from-1].end+gap >= add.start {
		from--
	}
	to := from
	for to < len(s) && s[to].start <= add.end+gap {
		add = interval{min(add.start, s[to].start), max(add.end, s[to].end)}
		to++
	}
	return slices.Replace(s, from, to, add)
}

// within returns those that reach into bounds, whole.
func (s intervals) within(bounds interval) intervals {
	from := sort.Search(len(s), func(i int) bool { return s[i].end > bounds.start })
	to := sort.Search(len(s), func(i int) bool { return s[i].start >= bounds.end })
	return s[from:max(from, to)]
}

// union returns how long at least one of several intervals lasted, and how many of
// them there were at the same time at the most. It puts them in order.
func union(all []interval) (length int64, atOnce int) {
	slices.SortFunc(all, func(a, b interval) int { return int(a.start - b.start) })
	ends := make([]int64, len(all))
	for i, iv := range all {
		ends[i] = iv.end
	}
	slices.Sort(ends)
	var reached int64
	ended := 0
	for i, iv := range all {
		if i == 0 || iv.start > reached {
			reached = iv.start
		}
		if iv.end > reached {
			length += iv.end - reached
			reached = iv.end
		}
		for ended < len(ends) && ends[ended] <= iv.start {
			ended++
		}
		atOnce = max(atOnce, i+1-ended)
	}
	return length, atOnce
}

// median of lengths, the lower of two in the middle; 0 of none. It puts them in order.
func median(lengths []int64) int64 {
	if len(lengths) == 0 {
		return 0
	}
	slices.Sort(lengths)
	return lengths[(len(lengths)-1)/2]
}
