package watch

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"

	"github.com/loadline-exporters/loadline/internal/source"
)

// none is a client that is never asked: the resources of these tests have their own.
type none struct{ kubernetes.Interface }

// watching watches resources in a bubble of fake time while do looks.
func watching(t *testing.T, o Options, add func(*Watcher), do func(*Watcher)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Logger = slog.New(slog.DiscardHandler)
		if o.PageSize == 0 {
			o.PageSize = usualPageSize
		}
		w := &Watcher{options: o, client: none{}, known: map[string]Resource{}}
		add(w)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { w.Run(ctx); close(done) }()
		synctest.Wait()
		do(w)
		cancel()
		<-done
	})
}

func pods(s *server, sinks ...Sink) func(*Watcher) {
	return func(w *Watcher) { w.AddResource(podsOf(s), sinks...) }
}

func expect(t *testing.T, b *book, want string) {
	t.Helper()
	synctest.Wait()
	if got := b.String(); got != want {
		t.Errorf("known are %s, want %s", got, want)
	}
}

func expectSource(t *testing.T, w *Watcher, i int, want source.Reason) {
	t.Helper()
	synctest.Wait()
	if got := w.Sources()[i].Status(); got.Reason != want {
		t.Errorf("source %s is %q (%s), want %q", got.Name, got.Reason, got.Detail, want)
	}
}

func TestSinksAreToldOfAListAndThenOfChanges(t *testing.T) {
	for name, noStreams := range map[string]bool{"streamed": false, "in pages": true} {
		t.Run(name, func(t *testing.T) {
			s := newServer("", "a", "b")
			s.noStreams = noStreams
			one, other := &book{}, &book{ignores: "b"}
			watching(t, Options{}, pods(s, one, other), func(w *Watcher) {
				expect(t, one, "[/a@1 /b@2]")
				expect(t, other, "[/a@1]")
				expectSource(t, w, 0, source.OK)
				s.set("c")
				s.set("b")
				s.remove("a")
				expect(t, one, "[/b@4 /c@3]")
				expect(t, other, "[/c@3]")
				if one.replaced != 1 {
					t.Errorf("replaced %d times", one.replaced)
				}
				if c := w.Counts()[0]; c != (Count{Resource: "pods", Lists: 1, Events: 3}) {
					t.Errorf("counts are %+v", c)
				}
			})
		})
	}
}

func TestAListIsReducedPageByPage(t *testing.T) {
	s := newServer("", "a", "b", "c", "d", "e")
	s.noStreams = true
	b := &book{}
	var reduced []int
	count := &counter{}
	s.onPage = func() { reduced = append(reduced, count.n) }
	watching(t, Options{PageSize: 2}, pods(s, b, count), func(*Watcher) {
		expect(t, b, "[/a@1 /b@2 /c@3 /d@4 /e@5]")
		if len(reduced) != 3 || reduced[1] != 2 || reduced[2] != 4 {
			t.Errorf("pages were asked for after %v objects, want 0, 2 and 4", reduced)
		}
	})
}

// counter counts the objects that it is shown.
type counter struct {
	book
	n int
}

func (c *counter) Reduce(obj runtimeObject) any { c.n++; return c.book.Reduce(obj) }

func TestAListThatExpiresOnTheWayComesInOnePiece(t *testing.T) {
	s := newServer("", "a", "b", "c", "d")
	s.noStreams = true
	b := &book{}
	pages := 0
	s.onPage = func() {
		if pages++; pages == 2 {
			s.ended = 3 // the second page's token
		} else {
			s.ended = 0
		}
	}
	watching(t, Options{PageSize: 2}, pods(s, b), func(*Watcher) {
		expect(t, b, "[/a@1 /b@2 /c@3 /d@4]")
		if pages != 3 {
			t.Errorf("%d pages were asked for, want two and then all", pages)
		}
	})
}

func TestAForbiddenResourceLeavesOthersGoingAndIsTriedAgain(t *testing.T) {
	allowed, denied := newServer("", "a"), newServer("", "x")
	denied.err = apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no"))
	one, other := &book{}, &book{}
	watching(t, Options{}, func(w *Watcher) {
		w.AddResource(podsOf(allowed), one)
		r := podsOf(denied)
		r.Name = "secrets"
		w.AddResource(r, other)
	}, func(w *Watcher) {
		expectSource(t, w, 0, source.OK)
		expectSource(t, w, 1, source.Forbidden)
		if w.Fresh("secrets") || !w.Fresh("pods") || w.Fresh("unknown") {
			t.Error("what is fresh is wrong")
		}
		time.Sleep(10 * time.Minute)
		if _, streams, _ := denied.requests(); streams < 20 || streams > 60 {
			t.Errorf("a forbidden resource was asked for %d times in ten minutes", streams)
		}
		denied.fail(nil)
		time.Sleep(time.Minute)
		expectSource(t, w, 1, source.OK)
		expect(t, other, "[/x@1]")
	})
}

func TestAResourceThatMayBeListedOnlyIsServedAndSaysSo(t *testing.T) {
	s := newServer("", "a")
	s.watchErr = apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no"))
	b := &book{}
	watching(t, Options{}, pods(s, b), func(w *Watcher) {
		for range 20 {
			expectSource(t, w, 0, source.Forbidden)
			if !w.Fresh("pods") {
				t.Error("it is not fresh")
			}
			time.Sleep(10 * time.Second)
		}
		s.set("b")
		time.Sleep(time.Minute)
		expect(t, b, "[/a@1 /b@2]")
	})
}

func TestWhatIsToldBeforeAnOutageIsServedForTwoMinutesAndGoesOnAfterIt(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for name, test := range map[string]struct {
		err     error
		reason  source.Reason
		compact bool
	}{
		"nobody listens": {refused, source.Absent, false},
		"nobody listens, and history is gone afterwards": {refused, source.Absent, true},
		"a refusal":         {apierrors.NewUnauthorized("no"), source.Forbidden, false},
		"too many requests": {apierrors.NewTooManyRequests("later", 1), source.Failed, false},
		"an internal error": {apierrors.NewInternalError(errors.New("x")), source.Failed, true},
		"a time-out":        {apierrors.NewTimeoutError("x", 1), source.Timeout, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer("", "a", "b")
			b := &book{}
			watching(t, Options{}, pods(s, b), func(w *Watcher) {
				time.Sleep(time.Hour) // in which nothing happens
				if !w.Fresh("pods") {
					t.Error("a quiet watch is taken for no contact")
				}
				s.fail(test.err)
				time.Sleep(source.StaleAfter - time.Second)
				expectSource(t, w, 0, test.reason)
				if !w.Fresh("pods") {
					t.Error("not fresh before two minutes")
				}
				time.Sleep(2 * time.Second)
				if w.Fresh("pods") {
					t.Error("fresh after two minutes")
				}
				s.set("a")
				s.remove("b")
				s.set("c")
				if test.compact {
					s.compact()
				}
				time.Sleep(time.Minute)
				s.fail(nil)
				time.Sleep(mostPause * 3 / 2)
				expectSource(t, w, 0, source.OK)
				expect(t, b, "[/a@3 /c@5]")
				if !w.Fresh("pods") {
					t.Error("not fresh after the outage")
				}
			})
		})
	}
}

func TestWatchesThatEndEverySecondAreFollowed(t *testing.T) {
	s := newServer("", "a")
	b := &book{}
	watching(t, Options{}, pods(s, b), func(w *Watcher) {
		for range 60 {
			s.closeWatches()
			time.Sleep(time.Second)
			s.set("a")
		}
		time.Sleep(time.Minute)
		expect(t, b, "[/a@61]")
		expectSource(t, w, 0, source.OK)
		if lists, streams, watches := s.requests(); lists+streams+watches > 120 {
			t.Errorf("%d lists, %d streamed ones and %d watches in two minutes", lists, streams, watches)
		}
	})
}

func TestListsThatBreakOffWhileTheyAreStreamedComeInPages(t *testing.T) {
	s := newServer("", "a")
	s.breaks = true
	b := &book{}
	watching(t, Options{}, pods(s, b), func(w *Watcher) {
		time.Sleep(time.Minute)
		expect(t, b, "[/a@1]")
		expectSource(t, w, 0, source.OK)
		if _, streams, _ := s.requests(); streams > 3 {
			t.Errorf("%d lists were streamed", streams)
		}
	})
}

func TestErrorsInAWatchAreSurvived(t *testing.T) {
	for name, err := range map[string]*apierrors.StatusError{
		"410": apierrors.NewResourceExpired("too old"), "429": apierrors.NewTooManyRequests("later", 1),
		"500": apierrors.NewInternalError(errors.New("x")),
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer("", "a")
			b := &book{}
			watching(t, Options{}, pods(s, b), func(w *Watcher) {
				s.sayInWatches(err)
				s.set("b")
				s.compact()
				time.Sleep(time.Minute)
				expect(t, b, "[/a@1 /b@2]")
				expectSource(t, w, 0, source.OK)
			})
		})
	}
}

func TestAnObjectThatASinkPanicsOnCostsItselfOnly(t *testing.T) {
	s := newServer("", "a", "odd")
	careful, careless := &book{}, &book{refuses: "odd"}
	watching(t, Options{}, pods(s, careful, careless), func(w *Watcher) {
		expect(t, careful, "[/a@1 /odd@2]")
		expect(t, careless, "[/a@1]")
		s.set("odd")
		s.set("b")
		expect(t, careful, "[/a@1 /b@4 /odd@3]")
		expect(t, careless, "[/a@1 /b@4]")
		if c := w.Counts()[0]; c.Skipped != 2 {
			t.Errorf("counts are %+v", c)
		}
	})
}

func TestNamespacesAreAskedForApartAndToldTogether(t *testing.T) {
	one, other := newServer("one", "a"), newServer("other", "b")
	b := &book{}
	watching(t, Options{Namespaces: []string{"one", "other"}}, func(w *Watcher) { w.AddResource(podsOf(one, other), b) }, func(w *Watcher) {
		expect(t, b, "[one/a@1 other/b@1]")
		one.set("c")
		other.remove("b")
		other.set("d")
		expect(t, b, "[one/a@1 one/c@2 other/d@3]")

		other.fail(apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no")))
		time.Sleep(time.Minute)
		expectSource(t, w, 0, source.Forbidden)
		expect(t, b, "[one/a@1 one/c@2 other/d@3]")
		one.set("a")
		one.sayInWatches(apierrors.NewResourceExpired("too old")) // it is listed anew
		one.compact()
		time.Sleep(2 * time.Minute)
		expect(t, b, "[one/a@3 one/c@2]")
		if !w.Fresh("pods") {
			t.Error("the namespace that may be read is not fresh")
		}
		other.fail(nil)
		time.Sleep(time.Minute)
		expectSource(t, w, 0, source.OK)
		expect(t, b, "[one/a@3 one/c@2 other/d@3]")
	})
}

func TestAnAPIServerThatDoesNotAnswerTimesOut(t *testing.T) {
	watching(t, Options{}, func(w *Watcher) {
		w.AddResource(Resource{Name: "pods", Object: &corev1.Pod{}, In: func(string) ListWatcher { return silent{} }}, &book{})
	}, func(w *Watcher) {
		expectSource(t, w, 0, source.Starting)
		time.Sleep(firstAnswer + time.Second)
		expectSource(t, w, 0, source.Timeout)
	})
}

// silent never answers.
type silent struct{}

func (silent) List(ctx context.Context, _ ListOptions) (runtimeObject, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (silent) Watch(ctx context.Context, _ ListOptions) (Stream, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAnUnknownResourceIsAnErrorThatNamesIt(t *testing.T) {
	w := New(fakeClient(), Options{})
	if err := w.Add("poods"); err == nil || !strings.Contains(err.Error(), `"poods"`) {
		t.Errorf("got %v", err)
	}
	for _, r := range builtIn(fakeClient()) {
		if err := w.Add(r.Name, &book{}); err != nil {
			t.Error(err)
		}
	}
	if len(w.Sources()) < 40 {
		t.Errorf("%d resources", len(w.Sources()))
	}
}
