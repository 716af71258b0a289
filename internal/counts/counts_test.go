package counts

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadline-exporters/loadline/internal/family"
)

var (
	events = &family.Family{
		Name: "loadline_events_total", Type: family.Counter, Help: "Events.", Collector: "x", Labels: []string{"workload", "class"},
	}
	restarts = &family.Family{
		Name: "loadline_restarts_total", Type: family.Counter, Help: "Restarts.", Collector: "y", Labels: []string{"workload"},
	}
	waiting = &family.Family{
		Name: "loadline_waiting_seconds", Type: family.Histogram, Help: "Waiting.", Collector: "x",
		Labels: []string{"workload"}, Buckets: []float64{1, 10},
	}
	table = family.Table{events, restarts, waiting}
)

func newBook() *Book[string] {
	return NewBook([]string{"workload"}, func(k string) []string { return []string{k} })
}

// serve returns what is served of families, a series a line, without headers and buckets.
func serve(b *Book[string], of family.Table) string {
	w := family.NewWriter(of, nil)
	b.Collect(w)
	var text bytes.Buffer
	_ = family.Budget(of, []*family.Writer{w}, 0).Encode(&text, family.Text) // a buffer takes everything
	var lines []string
	for line := range strings.Lines(text.String()) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket") {
			lines = append(lines, strings.TrimPrefix(strings.TrimSpace(line), "loadline_"))
		}
	}
	return strings.Join(lines, "\n")
}

func expect(t *testing.T, got string, want ...string) {
	t.Helper()
	if want := strings.Join(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWhatIsNewIsServedAtZeroOnceBeforeItCounts(t *testing.T) {
	b := newBook()
	b.Add(events, "web", 2, "killed")
	b.Observe(waiting, "web", 3)
	expect(t, serve(b, table), `events_total{workload="web",class="killed"} 0`, `waiting_seconds_sum{workload="web"} 0`, `waiting_seconds_count{workload="web"} 0`)
	b.Add(events, "web", 1, "killed")
	b.Add(events, "web", 1, "pulled")
	expect(t, serve(b, table), `events_total{workload="web",class="killed"} 3`, `events_total{workload="web",class="pulled"} 0`,
		`waiting_seconds_sum{workload="web"} 3`, `waiting_seconds_count{workload="web"} 1`)
}

func TestAnAccountStartsWithWhatIsAskedForAtZero(t *testing.T) {
	b := newBook()
	b.Start(restarts)
	b.Start(events, "killed")
	b.Hold("web")
	expect(t, serve(b, table), `events_total{workload="web",class="killed"} 0`, `restarts_total{workload="web"} 0`)
	b.Add(events, "web", 1, "killed")
	expect(t, serve(b, table), `events_total{workload="web",class="killed"} 1`, `restarts_total{workload="web"} 0`)
}

func TestWhatACollectorDoesNotServeIsNotTakenForServed(t *testing.T) {
	b := newBook()
	b.Add(restarts, "web", 1)
	serve(b, family.Table{events, waiting})
	expect(t, serve(b, family.Table{restarts}), `restarts_total{workload="web"} 0`)
	expect(t, serve(b, family.Table{restarts}), `restarts_total{workload="web"} 1`)
}

func TestAnAccountGoesAnHourAfterItsLastHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.Start(restarts)
		b.Hold("web")
		b.Hold("web")
		b.Release("web")
		time.Sleep(2 * KeepEnded)
		expect(t, serve(b, table), `restarts_total{workload="web"} 0`)
		b.Release("web")
		b.Release("web") // once too often
		time.Sleep(KeepEnded - time.Second)
		b.Add(restarts, "web", 1) // word of its end may come late
		expect(t, serve(b, table), `restarts_total{workload="web"} 1`)
		time.Sleep(KeepEnded - time.Second)
		expect(t, serve(b, table), `restarts_total{workload="web"} 1`)
		b.Hold("web")
		time.Sleep(2 * KeepEnded)
		expect(t, serve(b, table), `restarts_total{workload="web"} 1`)
		b.ReleaseAt("web", time.Now().Add(-KeepEnded+time.Minute))
		time.Sleep(time.Minute)
		expect(t, serve(b, table))
		b.Hold("web")
		expect(t, serve(b, table), `restarts_total{workload="web"} 0`)
	})
}

func TestAccountsThatEndedAreBoundedWithoutAScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.Hold("held")
		b.Add(restarts, "held", 1)
		for i := range 5 * MaxEnded {
			b.Add(restarts, fmt.Sprint("job-", i), 1)
			if len(b.accounts) > 2*MaxEnded+1 {
				t.Fatalf("%d accounts", len(b.accounts))
			}
			time.Sleep(time.Millisecond)
		}
		serve(b, table)
		if len(b.accounts) != MaxEnded+1 || len(b.order) != MaxEnded+1 || b.ended != MaxEnded {
			t.Errorf("%d accounts, %d in order, %d of them ended", len(b.accounts), len(b.order), b.ended)
		}
		got := serve(b, table)
		last := fmt.Sprintf("job-%d", 5*MaxEnded-1)
		if !strings.Contains(got, `"held"`) || !strings.Contains(got, `"`+last+`"`) || strings.Contains(got, `"job-0"`) {
			t.Error("it is not the earliest that went")
		}
	})
}

func TestTheSeriesOfAnAccountAreBounded(t *testing.T) {
	b := newBook()
	for i := range 2 * MaxCells {
		if room := b.Add(events, "web", 1, fmt.Sprint(i)); room != (i < MaxCells) {
			t.Errorf("room for the %d. series: %v", i, room)
		}
	}
	serve(b, table)
	if got := len(strings.Split(serve(b, table), "\n")); got != MaxCells {
		t.Errorf("%d series", got)
	}
}

func TestCountingFromManySidesLosesNothing(t *testing.T) {
	b := newBook()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 1000 {
				b.Hold("web")
				b.Add(restarts, "web", 1)
				b.Observe(waiting, "web", float64(i))
				b.Release("web")
			}
		})
	}
	wg.Go(func() {
		for range 100 {
			serve(b, table)
		}
	})
	wg.Wait()
	serve(b, table)
	expect(t, serve(b, table), `restarts_total{workload="web"} 8000`, `waiting_seconds_sum{workload="web"} 28000`, `waiting_seconds_count{workload="web"} 8000`)
}

func TestWhatIsListedNoMoreIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.Start(restarts)
		h := NewHolder(b)
		h.Hold(map[string]bool{"web": true, "db": true})
		h.Hold(map[string]bool{"web": true})
		time.Sleep(KeepEnded)
		expect(t, serve(b, table), `restarts_total{workload="web"} 0`)
		h.Hold(map[string]bool{"db": true})
		expect(t, serve(b, table), `restarts_total{workload="web"} 0`, `restarts_total{workload="db"} 0`)
	})
}
