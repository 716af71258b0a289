package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

//go:embed assets
var assets embed.FS

// WriteHTML writes a report as one file that needs nothing else: no script, no other
// address.
func WriteHTML(w io.Writer, r *Report) error {
	style, err := assets.ReadFile("assets/report.css")
	if err != nil {
		return err
	}
	t, err := template.New("").Option("missingkey=zero").Funcs(template.FuncMap{
		"style":  func() template.CSS { return template.CSS(style) },
		"length": length, "amount": amount, "count": func(n int) string { return amount(float64(n)) }, "of": counted,
		"at": at, "until": until, "day": func(t time.Time) string { return t.Format("Mon 2 Jan 2006") },
		"since": since, "from": from, "percent": percent, "place": placeOf, "details": details, "spaced": spaced,
		"row": func(r Report, kind string) Row {
			return r.ByUrgency[slices.Index([]string{"page", "ticket", "event"}, kind)]
		},
		"sum": func(n ...int) (s int) {
			for _, v := range n {
				s += v
			}
			return s
		},
		"runbook": func(alert string) string { return r.Runbooks[alert] },
		"hours":   hourBars, "days": dayBars, "dimensions": dimensions, "join": strings.Join,
	}).ParseFS(assets, "assets/*.html")
	if err != nil {
		return err
	}
	return t.ExecuteTemplate(w, "report.html", *r)
}

func at(t time.Time) string { return t.Format("Mon 2 Jan 15:04") }

// until is the end of what began at another time, without the day if it is the same.
func until(start, end time.Time) string {
	if midnight(start).Equal(midnight(end)) {
		return end.Format("15:04")
	}
	return at(end)
}

// tag is a short word and how to show it.
type tag struct{ Class, Text string }

// since says what became of a row since the period before.
func since(c Change, before any) tag {
	var old string
	switch b := before.(type) {
	case *Stats:
		if b == nil {
			return tag{}
		}
		old = amount(float64(b.Episodes))
	case *float64:
		if b == nil {
			return tag{}
		}
		old = amount(*b)
	case *int64:
		if b == nil {
			return tag{}
		}
		old = length(*b)
	}
	switch c {
	case New:
		return tag{"low", "new"}
	case Gone:
		return tag{"good", "gone, " + old + " before"}
	case More:
		return tag{"low", "▲ from " + old}
	case Fewer:
		return tag{"good", "▼ from " + old}
	case Same:
		return tag{"soft", "as before"}
	}
	return tag{}
}

// from is since, for an amount without a word of its own.
func from(now int64, before *int64) tag {
	if before == nil {
		return tag{}
	}
	return since(change(float64(now), float64(*before)), before)
}

// counted is how many there are of something.
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return amount(float64(n)) + " " + one + "s"
}

func percent(part, whole int64) string {
	return fmt.Sprintf("%.0f %%", 100*float64(part)/float64(max(whole, 1)))
}

// named is a name and what stands before it.
type named struct{ Above, Name, Kind string }

// placeOf is the name of what labels say: a service, a workload, or one label's value.
func placeOf(labels map[string]string) named {
	var n named
	for _, label := range []string{"cluster", "namespace"} {
		if v := labels[label]; v != "" && len(labels) > 1 {
			n.Above += v + " / "
		}
	}
	switch {
	case labels["workload"] != "":
		n.Name, n.Kind = labels["workload"], labels["workload_type"]
	case labels["service"] != "":
		n.Name = labels["service"]
	case len(labels) == 1:
		for _, v := range labels {
			n.Name = v
		}
	}
	if n.Name == "" {
		n.Above, n.Name = "", "(none)"
	}
	return n
}

// details are the labels of an episode but for its name and severity.
func details(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if name != "alertname" && name != "severity" && labels[name] != "" {
			parts = append(parts, name+"="+labels[name])
		}
	}
	return strings.Join(parts, " ")
}

// spaced is a word of a closed list as people say it.
func spaced(s string) string { return strings.ReplaceAll(s, "_", " ") }

// bar is a bar of a chart of 100 by 100 for all of them: two parts, one on the other.
type bar struct {
	X, Width         float64
	Lower, LowerY    float64
	Upper, UpperY    float64
	Label, Title     string
	LabelX, LabelTop float64
}

// chart is bars, and the height of the highest.
type chart struct {
	Bars []bar
	Most int
}

// bars lays out pairs of amounts.
func bars(n int, of func(i int) (lower, upper int, label, title string)) chart {
	c := chart{}
	for i := range n {
		lower, upper, _, _ := of(i)
		c.Most = max(c.Most, lower+upper)
	}
	scale := 100 / float64(max(c.Most, 1))
	width := 100 / float64(max(n, 1))
	for i := range n {
		lower, upper, label, title := of(i)
		b := bar{
			X: float64(i)*width + width*0.12, Width: width * 0.76, Label: label, Title: title,
			Lower: float64(lower) * scale, Upper: float64(upper) * scale, LabelX: (float64(i) + 0.5) * width,
		}
		b.LowerY = 100 - b.Lower
		b.UpperY = b.LowerY - b.Upper
		c.Bars = append(c.Bars, b)
	}
	return c
}

func hourBars(r Report) chart {
	return bars(24, func(i int) (int, int, string, string) {
		h := r.Hours[i]
		var label string
		if i%6 == 0 {
			label = fmt.Sprintf("%02d", i)
		}
		return h.Pages - h.PagesOutside, h.PagesOutside, label,
			fmt.Sprintf("%02d:00: %s, %d outside working hours; %s", i, counted(h.Pages, "page"), h.PagesOutside, counted(h.Tickets, "ticket"))
	})
}

func dayBars(r Report) chart {
	const labels = 8
	every := 1 + (len(r.Days)-1)/labels
	return bars(len(r.Days), func(i int) (int, int, string, string) {
		d := r.Days[i]
		var label string
		if i%every == 0 {
			label = d.Start.Format("Mon 2")
			if every > 1 {
				label = d.Start.Format("2 Jan")
			}
		}
		return d.Pages, d.Tickets, label, fmt.Sprintf("%s: %s, %s", d.Start.Format("Mon 2 Jan"), counted(d.Pages, "page"), counted(d.Tickets, "ticket"))
	})
}

// dimensions are those that say something and are not shown otherwise.
func dimensions(r Report) []Dimension {
	var out []Dimension
	for _, d := range r.By {
		if d.Label == "service" || d.Label == "workload" || len(d.Rows) == 0 {
			continue
		}
		if len(d.Rows) == 1 && d.Rows[0].Labels[d.Label] == "" {
			continue
		}
		out = append(out, d)
	}
	return out
}
