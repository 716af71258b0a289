package page

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Alert is an alert that fires.
type Alert struct {
	Name, Severity, Summary string
	Runbook, Dashboard      string // addresses, or empty
	Since                   time.Time
}

// shownAlerts is how many alerts are shown: the dashboards' page has all.
const shownAlerts = 12

// severities are in the order in which people look; others follow.
var severities = []string{"page", "ticket"}

// event is the severity of what is told in a digest: the page has a section of events.
const event = "event"

func severity(a Alert) int {
	if i := slices.Index(severities, a.Severity); i >= 0 {
		return i
	}
	return len(severities)
}

// alerts are what fires: pages first, then what began last.
func (p *Page) alerts() (shown []Alert, more int) {
	if p.o.Alerts == nil {
		return nil, 0
	}
	all := slices.DeleteFunc(p.o.Alerts(), func(a Alert) bool { return a.Severity == event })
	slices.SortFunc(all, func(a, b Alert) int {
		return cmp.Or(cmp.Compare(severity(a), severity(b)), b.Since.Compare(a.Since),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Summary, b.Summary))
	})
	shown = all[:min(len(all), shownAlerts)]
	return shown, len(all) - len(shown)
}

// link is an address that the page may lead to. Who writes a rule may have written
// anything.
func link(address string) string {
	if strings.HasPrefix(address, "https://") || strings.HasPrefix(address, "http://") {
		return address
	}
	if strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") && !strings.HasPrefix(address, "/\\") {
		return address
	}
	return ""
}
