// Package wait polls for a condition with a deadline, in place of sleeping.
package wait

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// interval is short beside what real components need (a container starts in
// some 100 ms) and long beside what a look costs.
const interval = 20 * time.Millisecond

// Until calls check until it returns nil or ctx is done. The error then is
// check's last one, which says what is still missing.
func Until(ctx context.Context, check func() error) error {
	ticker := time.NewTicker(interval)
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

// For fails the test at once unless check returns nil within limit. what
// completes the sentence "waiting for …".
func For(t testing.TB, limit time.Duration, what string, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := Until(ctx, check); err != nil {
		t.Fatalf("waiting %v for %s: %v", limit, what, err)
	}
}
