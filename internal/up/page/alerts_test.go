package page

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/promql"
)

// shownWith renders the page with alerts.
func shownWith(t *testing.T, alerts ...Alert) string {
	t.Helper()
	p, err := New(Options{
		Querier: nobody{}, Instance: "here", Every: 5 * time.Second, Logger: promslog.NewNopLogger(),
		Exporters: func() []Sources { return nil },
		Alerts:    func() []Alert { return alerts },
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/live", nil))
	return w.Body.String()
}

func TestPagesAreShownBeforeTicketsAndEventsAmongTheEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		text := shownWith(t,
			Alert{Name: "Restarted", Severity: "event", Since: now},
			Alert{Name: "OldTicket", Severity: "ticket", Since: now.Add(-3 * time.Hour)},
			Alert{Name: "NewTicket", Severity: "ticket", Since: now.Add(-time.Hour)},
			Alert{Name: "OldPage", Severity: "page", Since: now.Add(-4 * time.Hour), Summary: "Nobody answers.", Runbook: "/runbooks/old-page"},
		)
		last := -1
		for _, want := range []string{">OldPage<", ">NewTicket<", ">OldTicket<"} {
			at := strings.Index(text, want)
			if at <= last {
				t.Errorf("%s is not there or not in its place: %s", want, text)
			}
			last = at
		}
		for _, want := range []string{"for 4 h", "Nobody answers.", `<a href="/runbooks/old-page">`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s is not there: %s", want, text)
			}
		}
		if strings.Contains(text, "Restarted") {
			t.Error("an event is shown as an alert")
		}
	})
}

func TestManyAlertsAreCounted(t *testing.T) {
	var all []Alert
	for i := range shownAlerts + 3 {
		all = append(all, Alert{Name: fmt.Sprintf("Alert%02d", i), Severity: "ticket"})
	}
	text := shownWith(t, all...)
	if n := strings.Count(text, "<li data-severity"); n != shownAlerts || !strings.Contains(text, ">3 more</a>") {
		t.Errorf("%d are shown: %s", n, text)
	}
}

func TestWhatAnAlertSaysIsTextAndItsLinksAreAddresses(t *testing.T) {
	const hostile = `<script>alert(1)</script>`
	for address, followed := range map[string]bool{
		"https://example.com/x": true, "/runbooks/x": true,
		"javascript:alert(1)": false, "//example.com": false, `/\example.com`: false, "": false,
	} {
		text := shownWith(t, Alert{Name: hostile, Severity: hostile, Summary: hostile, Runbook: address})
		if strings.Contains(text, "<script") {
			t.Errorf("it became markup: %s", text)
		}
		if got := strings.Contains(text, ">runbook</a>"); got != followed {
			t.Errorf("%q is a link: %v", address, got)
		}
	}
}

// nobody has no numbers.
type nobody struct{}

func (nobody) Instant(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }

func (nobody) Range(context.Context, string, time.Time, time.Time, time.Duration) (promql.Matrix, error) {
	return nil, nil
}
