// Package wait polls for a condition with a deadline, in place of sleeping.
package wait

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// interval is short beside what real components need (a container starts in
// some 100 ms) and long beside what a look costs. It is as many times longer as waits
// are on a slow machine.
const interval = 20 * time.Millisecond

// Slowness is the name of the variable by which a slow machine, such as one
// whose processors are emulated, says how many times longer to wait.
const Slowness = "LOADLINE_E2E_SLOWNESS"

// Limit is how long to wait on this machine for what takes less than limit on
// one that runs at full speed.
func Limit(limit time.Duration) time.Duration {
	if times, err := strconv.Atoi(os.Getenv(Slowness)); err == nil && times > 1 {
		return limit * time.Duration(times)
	}
	return limit
}

// Until calls check until it returns nil or ctx is done. The error then is
// check's last one, which says what is still missing.
func Until(ctx context.Context, check func() error) error {
	ticker := time.NewTicker(Limit(interval))
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: last look: %w", context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

// For fails the test at once unless check returns nil within limit, or longer on
// a slow machine. what
// completes the sentence "waiting for …".
func For(t testing.TB, limit time.Duration, what string, check func() error) {
	t.Helper()
	limit = Limit(limit)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := Until(ctx, check); err != nil {
		t.Fatalf("waiting %v for %s: %v", limit, what, err)
	}
}
