package source

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// runStream runs a stream for a time, in a bubble of fake time.
func runStream(s *Stream, d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	s.Run(ctx)
}

func TestABrokenStreamIsOpenedAgainAfterGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		s := NewStream("x", slog.New(slog.DiscardHandler), func(context.Context, func(string)) error {
			at = append(at, time.Since(began))
			return errors.New("broken")
		})
		runStream(s, 20*time.Second)
		want := []time.Duration{0, 1, 3, 7, 12, 17} // seconds
		if len(at) != len(want) {
			t.Fatalf("attempts at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i]*time.Second {
				t.Errorf("attempt %d at %v, want %v", i, at[i], want[i]*time.Second)
			}
		}
		if st := s.Status(); st.Reason != Failed {
			t.Errorf("its status is %+v", st)
		}
	})
}

func TestAStreamThatLastedIsOpenedAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, attempts := 0, 0
		s := NewStream("x", slog.New(slog.DiscardHandler), func(ctx context.Context, connected func(string)) error {
			attempts++
			connected("here")
			pause(ctx, 10*time.Second)
			return nil
		})
		s.Connected = func() {
			asked++
			if st := s.Status(); !st.Available() || st.Detail != "here" {
				t.Errorf("its status is %+v", st)
			}
		}
		runStream(s, 105*time.Second) // ten seconds each, and one between them
		if attempts != 10 || asked != 10 {
			t.Errorf("%d attempts and %d listings were asked for, want 10 of each", attempts, asked)
		}
	})
}

func TestAStreamThatEndsByItselfIsNotAvailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStream("x", slog.New(slog.DiscardHandler), func(_ context.Context, connected func(string)) error {
			connected("here")
			return nil
		})
		runStream(s, 500*time.Millisecond)
		if st := s.Status(); st.Reason != Absent {
			t.Errorf("its status is %+v", st)
		}
	})
}

func TestAPanicBreaksAStreamOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		s := NewStream("x", slog.New(slog.DiscardHandler), func(context.Context, func(string)) error {
			attempts++
			panic("hostile")
		})
		runStream(s, 4*time.Second)
		if st := s.Status(); st.Reason != Invalid || attempts != 3 {
			t.Errorf("after %d attempts its status is %+v", attempts, st)
		}
	})
}
