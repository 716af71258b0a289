package report

import (
	"fmt"
	"math"
	"strconv"
)

// length is a length of time in seconds as people say it: its two largest units.
func length(seconds int64) string {
	if seconds < 60 {
		return fmt.Sprintf("%d s", seconds)
	}
	minutes := seconds / 60
	switch {
	case minutes < 60:
		return fmt.Sprintf("%d min", minutes)
	case minutes < 24*60:
		return two(minutes/60, "h", minutes%60, "min")
	}
	hours := (minutes + 30) / 60
	return two(hours/24, "d", hours%24, "h")
}

func two(a int64, unit string, b int64, less string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unit)
	}
	return fmt.Sprintf("%d %s %d %s", a, unit, b, less)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// amount is a count, which a counter has as a float, with thousands apart.
func amount(v float64) string {
	s := strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:] // a narrow space that does not break
	}
	return s
}

// Step, Gap and Short are lengths as the page shows them.

// Step is the resolution in seconds.
func (s Settings) Step() int64 { return int64(s.StepSeconds) }

// Gap is the longest gap within an episode in seconds.
func (s Settings) Gap() int64 { return int64(s.GapSeconds) }

// Short is the length in seconds of what is said to have healed itself.
func (s Settings) Short() int64 { return int64(s.ShortSeconds) }
