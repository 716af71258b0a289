package wait

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestUntilReturnsOnceTheConditionHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		err := Until(t.Context(), func() error {
			if looks++; looks < 3 {
				return errors.New("not yet")
			}
			return nil
		})
		if err != nil || looks != 3 {
			t.Errorf("Until = %v after %d looks, want nil after 3", err, looks)
		}
	})
}

func TestUntilGivesUpAtTheDeadlineWithTheLastReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		missing := errors.New("socket absent")
		err := Until(ctx, func() error { return missing })
		if !errors.Is(err, missing) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Until = %v, want both the deadline and the last reason", err)
		}
	})
}

func TestSlowMachinesAreWaitedForLonger(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 3 * time.Second, "8": 24 * time.Second, "0": 3 * time.Second, "x": 3 * time.Second} {
		t.Setenv(Slowness, text)
		if got := Limit(3 * time.Second); got != want {
			t.Errorf("with %s=%q 3 s become %v, want %v", Slowness, text, got, want)
		}
	}
}
