package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/internal/source"
)

const limit = 20 * time.Second

// running is a watcher that runs until the test ends, or is told to.
type running struct {
	*Watcher
	t     *testing.T
	calls atomic.Int32 // of changed
	stop  context.CancelFunc
	ended chan struct{}
}

func run(t *testing.T, a *apiServer, options ...func(*Watcher)) *running {
	t.Helper()
	r := &running{t: t, ended: make(chan struct{})}
	var err error
	r.Watcher, err = New(a.kubeconfig(), slog.New(slog.DiscardHandler), func() { r.calls.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range options {
		o(r.Watcher)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.stop = cancel
	go func() {
		r.Run(ctx)
		close(r.ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-r.ended
	})
	return r
}

// becomes waits until the source's reason is the one wanted.
func (r *running) becomes(want source.Reason) {
	r.t.Helper()
	wait.For(r.t, limit, fmt.Sprintf("reason %q", want), func() error {
		if s := r.Source.Status(); s.Reason != want {
			return fmt.Errorf("it is %q: %s", s.Reason, s.Detail)
		}
		return nil
	})
}

// knows waits until a Job's CronJob is the one wanted.
func (r *running) knows(job, cronJob string, known bool) {
	r.t.Helper()
	wait.For(r.t, limit, "the CronJob of "+job, func() error {
		if got, ok := r.CronJobOf("batch", job); got != cronJob || ok != known {
			return fmt.Errorf("got %q, %v; want %q, %v", got, ok, cronJob, known)
		}
		return nil
	})
}

func TestTheCronJobOfAJobIsKnown(t *testing.T) {
	for name, streams := range map[string]bool{"from a list": false, "from a streamed list": true} {
		t.Run(name, func(t *testing.T) {
			a := startAPIServer(t)
			a.streams = streams
			a.add(job("by-hand", "CronJob", "nightly"), job("alone", "", ""), job("of-another", "Workflow", "w"))
			r := run(t, a)
			r.becomes(source.OK)
			r.knows("by-hand", "nightly", true)
			r.knows("alone", "", true)
			r.knows("of-another", "", true)
			r.knows("not-there", "", false)
			a.add(job("later", "CronJob", "hourly"))
			r.knows("later", "hourly", true)
			a.remove("by-hand")
			r.knows("by-hand", "", false)
			if (a.lists > 0) == streams {
				t.Errorf("%d lists", a.lists)
			}
			if name, ok := r.CronJobOf("other", "later"); ok {
				t.Errorf("another namespace's Job has CronJob %q", name)
			}
		})
	}
}

func TestOnlyAJobThatWasAskedForIsTold(t *testing.T) {
	a := startAPIServer(t)
	r := run(t, a)
	r.becomes(source.OK)
	r.knows("asked", "", false)
	a.add(job("other", "CronJob", "nightly"))
	r.knows("other", "nightly", true)
	a.add(job("asked", "CronJob", "nightly"))
	wait.For(t, limit, "the call", func() error {
		if n := r.calls.Load(); n < 1 {
			return fmt.Errorf("%d calls", n)
		}
		return nil
	})
	a.add(job("last", "CronJob", "nightly"))
	a.remove("asked")
	r.knows("last", "nightly", true)
	// Asking for "other" and "last" before they were there may have been told too.
	if n := r.calls.Load(); n > 3 {
		t.Errorf("%d calls", n)
	}
}

func TestWhatIsAskedForInVainIsBounded(t *testing.T) {
	w, err := New(startAPIServer(t).kubeconfig(), slog.New(slog.DiscardHandler), func() {})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2*maxMissed + 1 {
		w.CronJobOf("batch", fmt.Sprint(i))
	}
	if len(w.missed) > maxMissed {
		t.Errorf("%d are remembered", len(w.missed))
	}
}

func TestARightThatIsGrantedLaterIsUsed(t *testing.T) {
	for code := range map[int]bool{403: true, 401: true} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			a := startAPIServer(t)
			a.add(job("by-hand", "CronJob", "nightly"))
			a.refuses = code
			r := run(t, a)
			r.becomes(source.Forbidden)
			r.knows("by-hand", "", false)
			a.set(func() { a.refuses = 0 })
			r.becomes(source.OK)
			r.knows("by-hand", "nightly", true)
			if r.calls.Load() == 0 {
				t.Error("that the Job is known now was not told")
			}
		})
	}
}

func TestAServerThatIsAwayIsSaidToBeAndComesBack(t *testing.T) {
	a := startAPIServer(t)
	a.streams = true
	a.add(job("by-hand", "CronJob", "nightly"))
	r := run(t, a)
	r.becomes(source.OK)
	r.knows("by-hand", "nightly", true)
	a.stop()
	r.becomes(source.Absent)
	r.knows("by-hand", "nightly", true) // an owner does not change
	a.add(job("later", "CronJob", "hourly"))
	a.start()
	r.becomes(source.OK)
	r.knows("later", "hourly", true)
}

func TestAServerThatFailsIsSaidTo(t *testing.T) {
	a := startAPIServer(t)
	a.refuses = 500
	r := run(t, a)
	r.becomes(source.Failed)
	a.set(func() { a.refuses = 0 })
	r.becomes(source.OK)
}

func TestAServerThatDoesNotAnswerIsATimeout(t *testing.T) {
	a := startAPIServer(t)
	a.hangs = true
	r := run(t, a, func(w *Watcher) { w.firstAnswer = 50 * time.Millisecond })
	r.becomes(source.Timeout)
}

func TestHistoryThatIsGoneIsNoFailure(t *testing.T) {
	a := startAPIServer(t)
	r := run(t, a)
	r.becomes(source.OK)
	since := r.Source.Status().Since
	for i := range 2 {
		a.expire()
		name := fmt.Sprint("after-", i)
		a.add(job(name, "CronJob", "nightly"))
		r.knows(name, "nightly", true)
	}
	if s := r.Source.Status(); s.Reason != source.OK || s.Since != since {
		t.Errorf("the source was not available in between: %+v", s)
	}
}

func TestWatchesThatEndAtOnceAreBegunAnew(t *testing.T) {
	a := startAPIServer(t)
	a.closes = true
	a.add(job("by-hand", "CronJob", "nightly"))
	r := run(t, a)
	r.knows("by-hand", "nightly", true)
	a.add(job("later", "CronJob", "hourly"))
	r.knows("later", "hourly", true)
	r.becomes(source.OK)
}

func TestNoMoreThanTheOwnerIsKept(t *testing.T) {
	a := startAPIServer(t)
	a.add(job("by-hand", "CronJob", "nightly"))
	r := run(t, a)
	r.knows("by-hand", "nightly", true)
	m, _ := r.get("batch/by-hand")
	if m.Labels != nil || m.Annotations != nil || m.ManagedFields != nil || m.Finalizers != nil {
		t.Errorf("kept %+v", m)
	}
	if o := metav1.GetControllerOfNoCopy(m); o == nil || m.UID == "" || m.ResourceVersion == "" {
		t.Errorf("lost what is needed: %+v", m)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	for name, change := range map[string]func(*apiServer){
		"while it watches":      func(*apiServer) {},
		"while it is forbidden": func(a *apiServer) { a.refuses = 403 },
		"while it waits":        func(a *apiServer) { a.hangs = true },
	} {
		t.Run(name, func(t *testing.T) {
			a := startAPIServer(t)
			change(a)
			r := run(t, a, func(w *Watcher) { w.firstAnswer = 50 * time.Millisecond })
			wait.For(t, limit, "a first answer", func() error {
				if !r.Source.Ready() {
					return fmt.Errorf("not ready")
				}
				return nil
			})
			before := r.Source.Status()
			r.stop()
			select {
			case <-r.ended:
			case <-time.After(limit):
				t.Fatal("it goes on")
			}
			if after := r.Source.Status(); after != before {
				t.Errorf("the end was taken for %+v", after)
			}
		})
	}
}

func TestWithoutAClusterTheSourceIsAbsent(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	w, err := New("", slog.New(slog.DiscardHandler), func() {})
	if err != nil {
		t.Fatal(err)
	}
	if s := w.Source.Status(); s.Reason != source.Absent {
		t.Errorf("got %+v", s)
	}
	w.Run(t.Context()) // returns at once
	if name, ok := w.CronJobOf("batch", "x"); ok {
		t.Errorf("got %q", name)
	}
}

func TestAKubeconfigThatCannotBeUsedIsAnErrorThatNamesIt(t *testing.T) {
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, []byte("{]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{garbage, "/missing/kubeconfig"} {
		if _, err := New(file, slog.New(slog.DiscardHandler), func() {}); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
}
