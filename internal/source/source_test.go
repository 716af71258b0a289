package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestErrorsHaveAReason(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want Reason
	}{
		"none":                    {nil, OK},
		"a missing file":          {fmt.Errorf("x: %w", fs.ErrNotExist), Absent},
		"nobody listens":          {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, Absent},
		"a refusal":               {fmt.Errorf("x: %w", syscall.EACCES), Forbidden},
		"a deadline":              {fmt.Errorf("x: %w", context.DeadlineExceeded), Timeout},
		"what its maker knows":    {fmt.Errorf("x: %w", Because(Invalid, fs.ErrNotExist)), Invalid},
		"a name that isn't there": {&net.DNSError{IsTimeout: true}, Timeout},
		"anything else":           {errors.New("x"), Failed},
	} {
		if got := ReasonOf(test.err); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestASourceSaysWhenItsStateChanges(t *testing.T) {
	s := New("x")
	if s.Ready() {
		t.Error("ready before it was asked")
	}
	for i, step := range []struct {
		err     error
		changed bool
	}{{fs.ErrNotExist, true}, {fs.ErrNotExist, false}, {nil, true}, {nil, false}, {errors.New("x"), true}} {
		if got := s.Report(step.err, "there"); got != step.changed {
			t.Errorf("step %d: changed is %v", i, got)
		}
		if st := s.Status(); st.Available() != (step.err == nil) || !s.Ready() {
			t.Errorf("step %d: %+v", i, st)
		}
	}
}

// script is a source that answers as it is told.
type script struct {
	answers chan error
	asked   int
}

func (s *script) fetch(context.Context) (int, string, error) {
	s.asked++
	return s.asked, "here", <-s.answers
}

func newScript(answers ...error) (*script, *Polled[int]) {
	s := &script{answers: make(chan error, 100)}
	for _, a := range answers {
		s.answers <- a
	}
	return s, NewPolled("x", slog.New(slog.DiscardHandler), s.fetch)
}

// run runs a polled source; the function that it returns ends it.
func run(t *testing.T, p *Polled[int]) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

func TestASnapshotIsServedUntilItIsStale(t *testing.T) {
	failing := errors.New("gone")
	changes := 0
	synctest.Test(t, func(t *testing.T) {
		_, p := newScript(nil, failing, failing, failing, failing, failing, failing)
		p.Changed = func() { changes++ }
		defer run(t, p)()
		synctest.Wait()
		if v, ok := p.Get(); v != 1 || !ok {
			t.Errorf("after the first answer: %v %v", v, ok)
		}
		time.Sleep(StaleAfter - time.Second)
		if v, ok := p.Get(); v != 1 || !ok {
			t.Errorf("before it is stale: %v %v", v, ok)
		}
		if st := p.Status(); st.Reason != Failed {
			t.Errorf("the failure does not show: %+v", st)
		}
		time.Sleep(2 * time.Second)
		if _, ok := p.Get(); ok {
			t.Error("a stale snapshot is served")
		}
		time.Sleep(p.Every)
	})
	if changes != 3 {
		t.Errorf("%d changes were told, want the answer, the first failure and its going stale", changes)
	}
}

func TestWakingPollsSoonButNotAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newScript(make([]error, 100)...)
		defer run(t, p)()
		synctest.Wait()
		for range 50 {
			p.Wake()
			time.Sleep(100 * time.Millisecond)
		}
		synctest.Wait()
		if s.asked < 5 || s.asked > 7 {
			t.Errorf("asked %d times in 5 s of waking, want one a second", s.asked)
		}
	})
}

func TestASourceThatHangsIsTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPolled("x", slog.New(slog.DiscardHandler), func(ctx context.Context) (int, string, error) {
			<-ctx.Done()
			return 0, "", fmt.Errorf("asking: %w", ctx.Err())
		})
		defer run(t, p)()
		time.Sleep(p.Deadline + time.Second)
		if st := p.Status(); st.Reason != Timeout {
			t.Errorf("got %+v", st)
		}
	})
}

func TestAPanicIsAnInvalidAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPolled("x", slog.New(slog.DiscardHandler), func(context.Context) (int, string, error) { panic("hostile") })
		defer run(t, p)()
		synctest.Wait()
		if st := p.Status(); st.Reason != Invalid {
			t.Errorf("got %+v", st)
		}
	})
}
