package page

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// functions are what the templates call.
var functions = template.FuncMap{
	"cores":    cores,
	"bytes":    byteSize,
	"percent":  percent,
	"duration": duration,
	"known":    func(v float64) bool { return !math.IsNaN(v) },
	"state":    state,
	"spaced":   spaced,
	"brief":    brief,
	"rollout":  rollout,
	"link":     link,
	"amount":   amount,
	"bar":      newBar,
	"spark":    newSpark,
	"leaf":     leaf,
	"plain":    plainName,
	"clock":    func(t time.Time) string { return t.Format("15:04:05") },
	"seconds":  func(d time.Duration) int { return max(int(d.Seconds()), 2) },
	"count":    func(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) },
	"millis":   func(d time.Duration) string { return strconv.FormatFloat(d.Seconds()*1000, 'f', 0, 64) + " ms" },
}

const absent = "–"

// cores shows processors with three significant digits, and thousandths of one as
// people write them in manifests.
func cores(v float64) string {
	switch {
	case math.IsNaN(v):
		return absent
	case v < 0.0005:
		return "0"
	case v < 1:
		return strconv.FormatFloat(v*1000, 'f', 0, 64) + "m"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// brief is the beginning of what somebody else wrote.
func brief(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// amount shows a whole number.
func amount(v float64) string {
	if math.IsNaN(v) {
		return absent
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

func byteSize(v float64) string {
	if math.IsNaN(v) {
		return absent
	}
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for ; v >= 1024 && i < len(units)-1; i++ {
		v /= 1024
	}
	digits := 0
	if i > 0 && v < 100 {
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + units[i]
}

// percent shows a ratio; little is left, so it is rounded down: 0 % means none.
func percent(v float64) string {
	if math.IsNaN(v) {
		return absent
	}
	return strconv.FormatFloat(math.Floor(v*100), 'f', 0, 64) + " %"
}

func duration(d time.Duration) string {
	switch {
	case d <= 0:
		return absent
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Headroom below which a row is marked.
const (
	tight = 0.10
	low   = 0.25
)

// state names how much headroom is left, as a class of the style sheet.
func state(headroom float64) string {
	switch {
	case math.IsNaN(headroom):
		return "none"
	case headroom < tight:
		return "tight"
	case headroom < low:
		return "low"
	}
	return "good"
}

// leaf says whether a row is a container, or stands for its only one.
func leaf(r *Row) bool { return len(r.Children) == 0 }

// plainName is the name to show for a pod of one container: both names, once when
// they are the same.
func plainName(r *Row) string {
	if len(r.Children) != 1 || r.Children[0].Name == r.Name {
		return r.Name
	}
	return r.Name + " / " + r.Children[0].Name
}

// bar is the drawn form of an Amount: how much of the limit is used, and where the
// request is. Its width is 100.
type bar struct {
	State         string
	Used, Request float64
	HasRequest    bool
	HasLimit      bool
}

func newBar(a Amount) bar {
	b := bar{State: state(a.Headroom), HasLimit: !math.IsNaN(a.Limit) && a.Limit > 0}
	scale := a.Limit
	if !b.HasLimit {
		// Without a limit the request is the measure, at the middle.
		scale = 2 * a.Request
	}
	if math.IsNaN(scale) || scale <= 0 {
		return b
	}
	b.Used = clamp(100 * a.Now / scale)
	if !math.IsNaN(a.Request) {
		b.Request, b.HasRequest = clamp(100*a.Request/scale), true
	}
	return b
}

func clamp(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return min(max(v, 0), 100)
}

// spark is a drawn sparkline of width 60 and height 18.
type spark struct {
	Path  string // of an SVG path, with a gap where nothing was measured; empty for one point
	Limit float64
	Has   bool // the limit is within the drawing
}

func newSpark(a Amount) spark {
	top := 0.0
	for _, v := range a.Spark {
		if !math.IsNaN(v) {
			top = max(top, v)
		}
	}
	var s spark
	// The limit is drawn where the line comes near it.
	if !math.IsNaN(a.Limit) && a.Limit > 0 && a.Limit <= 4*top {
		s.Has, top = true, max(top, a.Limit)
	}
	if top == 0 {
		top = 1
	}
	const width, height, margin = 60.0, 18.0, 1.0
	y := func(v float64) float64 { return margin + (height-2*margin)*(1-v/top) }
	s.Limit = y(a.Limit)
	var b strings.Builder
	command, lines := byte('M'), 0
	for i, v := range a.Spark {
		if math.IsNaN(v) {
			command = 'M'
			continue
		}
		fmt.Fprintf(&b, "%c%.1f %.1f", command, width*float64(i)/float64(max(len(a.Spark)-1, 1)), y(v))
		if command == 'L' {
			lines++
		}
		command = 'L'
	}
	if lines > 0 {
		s.Path = b.String()
	}
	return s
}
