package report

import (
	"fmt"
	"strings"
	"time"
)

// workingHours are hours of days of the week, in a time zone.
type workingHours struct {
	zone       *time.Location
	days       [7]bool // by time.Weekday
	start, end int     // minutes of the day; the end is not part of them
}

var weekdays = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

// parseHours reads days and hours such as "Mon-Fri 09:00-18:00".
func parseHours(text string, zone *time.Location) (workingHours, error) {
	h := workingHours{zone: zone}
	bad := fmt.Errorf("--working-hours %q is not of the form Mon-Fri 09:00-18:00", text)
	days, hours, ok := strings.Cut(text, " ")
	firstDay, lastDay, ok1 := strings.Cut(days, "-")
	from, to, ok2 := strings.Cut(hours, "-")
	if !ok || !ok1 || !ok2 {
		return h, bad
	}
	first, last := weekday(firstDay), weekday(lastDay)
	if first < 0 || last < 0 {
		return h, bad
	}
	for d := first; ; d = (d + 1) % 7 {
		h.days[d] = true
		if d == last {
			break
		}
	}
	h.start, h.end = minuteOfDay(from), minuteOfDay(to)
	if h.start < 0 || h.end <= h.start {
		return h, bad
	}
	return h, nil
}

func weekday(name string) int {
	for i, d := range weekdays {
		if strings.EqualFold(d, name) {
			return i
		}
	}
	return -1
}

// minuteOfDay reads hours and minutes, 24:00 for the day's end; -1 if it can't.
func minuteOfDay(text string) int {
	if text == "24:00" {
		return 24 * 60
	}
	t, err := time.Parse("15:04", text)
	if err != nil {
		return -1
	}
	return t.Hour()*60 + t.Minute()
}

// outside says whether a time (Unix) is outside working hours.
func (h workingHours) outside(at int64) bool {
	t := time.Unix(at, 0).In(h.zone)
	minute := t.Hour()*60 + t.Minute()
	return !h.days[t.Weekday()] || minute < h.start || minute >= h.end
}

// maxDays bounds the bars of days.
const maxDays = 62

// calendar counts what began by hour of the day, and by day.
func calendar(all []*alert, bounds interval, h workingHours) (hours [24]Hour, days []Day) {
	start, end := time.Unix(bounds.start, 0).In(h.zone), time.Unix(bounds.end, 0).In(h.zone)
	each := 1 + int(end.Sub(start).Hours()/24)/maxDays
	for day := midnight(start); day.Before(end); day = day.AddDate(0, 0, each) {
		days = append(days, Day{Start: day})
	}
	for _, a := range all {
		if a.urgency == event {
			continue
		}
		for _, e := range a.firing.within(bounds) {
			if e.start < bounds.start {
				continue
			}
			at := time.Unix(e.start, 0).In(h.zone)
			hour, day := &hours[at.Hour()], &days[dayOf(days, at)]
			if a.urgency == ticket {
				hour.Tickets++
				day.Tickets++
				continue
			}
			hour.Pages++
			day.Pages++
			if h.outside(e.start) {
				hour.PagesOutside++
			}
		}
	}
	return hours, days
}

// dayOf returns the last of days that has begun.
func dayOf(days []Day, at time.Time) int {
	i := len(days) - 1
	for i > 0 && days[i].Start.After(at) {
		i--
	}
	return i
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}
