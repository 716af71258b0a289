package mount

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

func TestHungMountsDoNotKeepThePlacesOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := NewProber(func(path string, into *unix.Statfs_t) error {
			if strings.HasPrefix(path, "/hung") {
				<-release
			}
			into.Blocks = 1
			return nil
		}, 5*time.Second, 4, slog.New(slog.DiscardHandler))
		var paths []string
		for i := range 40 {
			paths = append(paths, fmt.Sprintf("/hung/%d", i))
		}
		paths = append(paths, "/good")
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		start := time.Now()
		answers := p.Ask(ctx, paths)
		// Ten rounds of four, each as long as the prober is patient, and the
		// timeout of the last.
		if took, most := time.Since(start), 6*time.Second; took > most {
			t.Errorf("took %v, want %v at the most", took, most)
		}
		if a := answers["/good"]; a.Err != nil || a.Stat.Blocks != 1 {
			t.Errorf("the mount that answers: %v", a.Err)
		}
		for _, path := range paths[:40] {
			if answers[path].Err != ErrHung {
				t.Errorf("%s: %v, want %v", path, answers[path].Err, ErrHung)
			}
		}
		close(release)
		synctest.Wait()
		if len(p.outstanding) != 0 {
			t.Errorf("%d calls count as outstanding after all returned", len(p.outstanding))
		}
	})
}

func TestNoMoreMountsAreAskedAtATimeThanThereArePlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int32
		p := NewProber(func(string, *unix.Statfs_t) error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-time.After(patience / 2) // fake time
			now.Add(-1)
			return nil
		}, time.Second, 3, slog.New(slog.DiscardHandler))
		var paths []string
		for i := range 30 {
			paths = append(paths, fmt.Sprint(i))
		}
		p.Ask(context.Background(), paths)
		if most.Load() != 3 {
			t.Errorf("%d at a time, want 3", most.Load())
		}
	})
}

func TestAskingEndsBeforeTheScrapesDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		p := NewProber(func(string, *unix.Statfs_t) error { <-release; return nil },
			5*time.Second, 4, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		start := time.Now()
		if a := p.Ask(ctx, []string{"/hung"}); a["/hung"].Err != ErrHung {
			t.Errorf("%v, want %v", a["/hung"].Err, ErrHung)
		}
		if took := time.Since(start); took != 1800*time.Millisecond {
			t.Errorf("took %v of 2 s, want 1.8 s", took)
		}
	})
}

func TestARealMountAnswers(t *testing.T) {
	var direct, asked unix.Statfs_t
	dir := t.TempDir()
	if err := unix.Statfs(dir, &direct); err != nil {
		t.Fatal(err)
	}
	if err := Statfs(dir, &asked); err != nil || asked.Blocks != direct.Blocks || asked.Bsize != direct.Bsize {
		t.Errorf("%v, %d blocks, want %d", err, asked.Blocks, direct.Blocks)
	}
	if err := Statfs(filepath.Join(dir, "none"), &asked); err != unix.ENOENT {
		t.Errorf("%v, want %v", err, unix.ENOENT)
	}
}
