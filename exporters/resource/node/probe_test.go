package node

import (
	"bytes"
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

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// hanging makes statfs of one path hang until release is closed, and counts its
// calls.
func (m *machine) hanging(path string) (release chan struct{}, calls *atomic.Int32) {
	release, calls = make(chan struct{}), new(atomic.Int32)
	answer := m.kernel.statfs
	m.kernel.statfs = func(p string, into *unix.Statfs_t) error {
		if p == path {
			calls.Add(1)
			<-release
		}
		return answer(p, into)
	}
	return release, calls
}

func TestAHungMountIsReportedAndHoldsUpNothing(t *testing.T) {
	m := unpack(t, "kubernetes-node", "/host")
	var log bytes.Buffer
	m.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	synctest.Test(t, func(t *testing.T) {
		release, calls := m.hanging("/host/mnt/with space")
		c := only(m.collectors(t), []string{"filesystem"})
		const labels = `{device="/dev/nvme3n1",mountpoint="/mnt/with space",fstype="xfs",device_error=`
		const hung, answers = labels + `"mountpoint timeout"} 1`, labels + `""} 0`
		for i, scrape := range []struct {
			took  time.Duration
			calls int32
			want  string
		}{
			{5 * time.Second, 1, hung},
			{0, 1, hung}, // known to hang: neither asked nor waited for
			{0, 1, hung},
			{0, 2, answers}, // it was released
		} {
			if i == 3 {
				close(release)
				synctest.Wait()
			}
			start := time.Now()
			out, err := collect(c)
			if err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took != scrape.took {
				t.Errorf("scrape %d took %v, want %v", i, took, scrape.took)
			}
			if n := calls.Load(); n != scrape.calls {
				t.Errorf("scrape %d: the mount was asked %d times so far, want %d", i, n, scrape.calls)
			}
			text := string(encode(out, family.Text))
			if want := "node_filesystem_device_error" + scrape.want; !strings.Contains(text, want) {
				t.Errorf("scrape %d: no %s", i, want)
			}
			if want := "node_filesystem_readonly" + scrape.want[:len(scrape.want)-1] + "1"; !strings.Contains(text, want) {
				t.Errorf("scrape %d: the mount is not said to be read-only", i)
			}
			if n := strings.Count(text, "\nnode_filesystem_size_bytes{"); n != 7+i/3 {
				t.Errorf("scrape %d: %d file systems have a size, want %d", i, n, 7+i/3)
			}
		}
	})
	if strings.Count(log.String(), "does not answer") != 1 || strings.Count(log.String(), "answers again") != 1 {
		t.Errorf("want one line when it hangs and one when it answers again:\n%s", log.String())
	}
}

func TestHungMountsDoNotKeepThePlacesOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := newProber(func(path string, into *unix.Statfs_t) error {
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
		answers := p.ask(ctx, paths)
		// Ten rounds of four, each as long as the prober is patient, and the
		// timeout of the last.
		if took, most := time.Since(start), 6*time.Second; took > most {
			t.Errorf("took %v, want %v at the most", took, most)
		}
		if a := answers["/good"]; a.err != nil || a.stat.Blocks != 1 {
			t.Errorf("the mount that answers: %v", a.err)
		}
		for _, path := range paths[:40] {
			if answers[path].err != errHung {
				t.Errorf("%s: %v, want %v", path, answers[path].err, errHung)
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
		p := newProber(func(string, *unix.Statfs_t) error {
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
		p.ask(context.Background(), paths)
		if most.Load() != 3 {
			t.Errorf("%d at a time, want 3", most.Load())
		}
	})
}

func TestAskingEndsBeforeTheScrapesDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		p := newProber(func(string, *unix.Statfs_t) error { <-release; return nil },
			5*time.Second, 4, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		start := time.Now()
		if a := p.ask(ctx, []string{"/hung"}); a["/hung"].err != errHung {
			t.Errorf("%v, want %v", a["/hung"].err, errHung)
		}
		if took := time.Since(start); took != 1800*time.Millisecond {
			t.Errorf("took %v of 2 s, want 1.8 s", took)
		}
	})
}

func TestMountsThatCouldNotBeAskedAreAnErrorAndHaveNoSeries(t *testing.T) {
	m := unpack(t, "kubernetes-node", "/")
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		m.kernel.statfs = func(string, *unix.Statfs_t) error { <-release; return nil }
		m.options.StatWorkers = 1
		c := only(m.collectors(t), []string{"filesystem"})[0]
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		w := family.NewWriter(metrics.Table().Of(c.Name), nil)
		err := c.Collect(ctx, w)
		if err == nil || !strings.Contains(err.Error(), "9 of 10 mounts were not asked") {
			t.Errorf("error %v, want one that counts the mounts", err)
		}
		text := string(encode(family.Budget(metrics.Table(), []*family.Writer{w}, 0), family.Text))
		if n := strings.Count(text, "\nnode_filesystem_device_error{"); n != 1 {
			t.Errorf("%d mounts have series, want the one that was asked", n)
		}
	})
}

func TestARealMountAnswers(t *testing.T) {
	var direct, asked unix.Statfs_t
	dir := t.TempDir()
	if err := unix.Statfs(dir, &direct); err != nil {
		t.Fatal(err)
	}
	if err := statfs(dir, &asked); err != nil || asked.Blocks != direct.Blocks || asked.Bsize != direct.Bsize {
		t.Errorf("%v, %d blocks, want %d", err, asked.Blocks, direct.Blocks)
	}
	if err := statfs(filepath.Join(dir, "none"), &asked); err != unix.ENOENT {
		t.Errorf("%v, want %v", err, unix.ENOENT)
	}
}
