package serve

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/source"
)

// collect is a collector's work, given the collector's only family.
type collect func(ctx context.Context, w *family.Writer, own *family.Family) error

// exporter makes one of collectors named a, b and so on, each with one family.
func exporter(work ...collect) Exporter {
	e := Exporter{Name: "test", Sources: []*source.Source{source.New("s")}}
	for i, do := range work {
		name := string(rune('a' + i))
		own := &family.Family{Name: "loadline_" + name, Type: family.Gauge, Help: "X.", Collector: name}
		e.Families = append(e.Families, own)
		e.Collectors = append(e.Collectors, Collector{Name: name, Collect: func(ctx context.Context, w *family.Writer) error {
			return do(ctx, w, own)
		}})
	}
	return e
}

func gatherer(t *testing.T, e Exporter, log *bytes.Buffer) *Gatherer {
	t.Helper()
	if log == nil {
		log = new(bytes.Buffer)
	}
	g, err := NewGatherer(e, GatherOptions{Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func gather(t *testing.T, g *Gatherer, timeout time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	r, err := g.Gather(ctx, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Encode(&b, family.Text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// add adds one sample.
func add(_ context.Context, w *family.Writer, own *family.Family) error {
	w.Series(own).Add(1)
	return nil
}

func TestACollectorThatHangsCostsNothingButItsSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var begun atomic.Int32
		e := exporter(func(_ context.Context, w *family.Writer, own *family.Family) error {
			begun.Add(1)
			<-release
			w.Series(own).Add(1)
			return nil
		}, add)
		g := gatherer(t, e, nil)
		for range 3 {
			start := time.Now()
			text := gather(t, g, 10*time.Second)
			if took := time.Since(start); took >= 10*time.Second {
				t.Errorf("the scrape took %s, its whole timeout", took)
			}
			for _, want := range []string{"loadline_b 1\n", `loadline_collector_success{collector="a"} 0`, `loadline_collector_success{collector="b"} 1`} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing from\n%s", want, text)
				}
			}
			if strings.Contains(text, "loadline_a ") {
				t.Error("a hung collector has series")
			}
		}
		if n := begun.Load(); n != 1 {
			t.Errorf("the hung collector was started %d times", n)
		}
		close(release)
		synctest.Wait()
		if text := gather(t, g, 10*time.Second); !strings.Contains(text, "loadline_a 1\n") {
			t.Errorf("it is not back after it returned:\n%s", text)
		}
	})
}

func TestAPanicOrAnErrorLosesNothingElse(t *testing.T) {
	var log bytes.Buffer
	e := exporter(
		func(context.Context, *family.Writer, *family.Family) error { panic("hostile") },
		func(_ context.Context, w *family.Writer, own *family.Family) error {
			w.Series(own).Add(2)
			return errors.New("only half")
		}, add)
	g := gatherer(t, e, &log)
	for range 3 {
		text := gather(t, g, time.Minute)
		for _, want := range []string{"loadline_b 2\n", "loadline_c 1\n", `loadline_collector_success{collector="a"} 0`, `loadline_collector_success{collector="b"} 0`} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing from\n%s", want, text)
			}
		}
	}
	if n := strings.Count(log.String(), "only half"); n != 1 {
		t.Errorf("the same error was logged %d times:\n%s", n, log.String())
	}
}

func TestScrapesThatOverlapShareOneCollection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var collections atomic.Int32
		e := exporter(func(context.Context, *family.Writer, *family.Family) error {
			collections.Add(1)
			time.Sleep(time.Second)
			return nil
		})
		g := gatherer(t, e, nil)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { gather(t, g, 10*time.Second) })
		}
		wg.Wait()
		if n := collections.Load(); n != 1 {
			t.Errorf("%d collections for ten scrapes at once", n)
		}
	})
}

func TestAScrapeThatGoesAwayDoesNotSpoilTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := exporter(func(ctx context.Context, w *family.Writer, own *family.Family) error {
			select {
			case <-time.After(time.Second):
				w.Series(own).Add(1)
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		g := gatherer(t, e, nil)
		first, leave := context.WithTimeout(t.Context(), 10*time.Second)
		gone := make(chan error)
		go func() { _, err := g.Gather(first, Selection{}); gone <- err }()
		synctest.Wait()
		joined := make(chan string)
		go func() { joined <- gather(t, g, 10*time.Second) }()
		synctest.Wait()
		leave()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("the one that left got %v", err)
		}
		if text := <-joined; !strings.Contains(text, "loadline_a 1\n") {
			t.Errorf("the one that stayed lost its series:\n%s", text)
		}
	})
}

func TestASelectionRunsWhatItNames(t *testing.T) {
	for name, test := range map[string]struct {
		Selection
		a, b bool
		err  string
	}{
		"nothing given":   {Selection{}, true, true, ""},
		"one":             {Selection{Only: []string{"b"}}, false, true, ""},
		"all but one":     {Selection{Except: []string{"b"}}, true, false, ""},
		"both":            {Selection{Only: []string{"a"}, Except: []string{"b"}}, false, false, "not both"},
		"an unknown name": {Selection{Only: []string{"a", "nope"}}, false, false, `"nope"`},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := gatherer(t, exporter(add, add), nil).Gather(t.Context(), test.Selection)
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("got %v, want %q", err, test.err)
			}
			var b bytes.Buffer
			if err := result.Encode(&b, family.Text); err != nil {
				t.Fatal(err)
			}
			for line, want := range map[string]bool{"loadline_a 1\n": test.a, "loadline_b 1\n": test.b} {
				if got := strings.Contains(b.String(), line); got != want {
					t.Errorf("%q served: %t, want %t", line, got, want)
				}
			}
		})
	}
}

func TestACollectorWhoseFamiliesAreOffDoesNotRun(t *testing.T) {
	e := exporter(func(context.Context, *family.Writer, *family.Family) error { t.Error("it ran"); return nil }, add)
	g, err := NewGatherer(e, GatherOptions{Filter: family.Filter{Deny: []string{"loadline_a"}}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	gather(t, g, time.Minute)
}

func TestABudgetIsKeptAndWhatItCostsIsSaid(t *testing.T) {
	var log bytes.Buffer
	e := exporter(add, add)
	g, err := NewGatherer(e, GatherOptions{Budget: 1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		text := gather(t, g, time.Minute)
		for _, want := range []string{"loadline_a 1\n", "loadline_exporter_series 1\n", `loadline_exporter_series_dropped{reason="budget"} 1`} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing from\n%s", want, text)
			}
		}
	}
	if n := strings.Count(log.String(), "loadline_b (1, budget)"); n != 1 {
		t.Errorf("the dropped family was logged %d times:\n%s", n, log.String())
	}
}

func TestACollectorOfForeignFamiliesRunsWithoutItsOwn(t *testing.T) {
	e := exporter(func(_ context.Context, w *family.Writer, own *family.Family) error {
		w.Series(own).Add(1)
		for _, name := range []string{"x", "loadline_build_info", "go_goroutines"} {
			s, err := w.Foreign(&family.Family{Name: name, Type: family.Gauge, Help: "X."})
			if (err == nil) != (name == "x") {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil {
				s.AddForeign("", 1, nil)
			}
		}
		return nil
	})
	for _, runs := range []bool{true, false} {
		e.Collectors[0].Foreign = runs
		g, err := NewGatherer(e, GatherOptions{Filter: family.Filter{Deny: []string{"loadline_a"}}, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		text := gather(t, g, time.Minute)
		if strings.Contains(text, "\nx 1\n") != runs || strings.Contains(text, "loadline_a 1\n") {
			t.Errorf("foreign: %t:\n%s", runs, text)
		}
	}
}
