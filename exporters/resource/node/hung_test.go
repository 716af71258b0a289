package node

import (
	"bytes"
	"context"
	"log/slog"
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

func TestMountsThatCouldNotBeAskedAreAnErrorAndHaveNoSeries(t *testing.T) {
	m := unpack(t, "kubernetes-node", "/")
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		m.kernel.statfs = func(string, *unix.Statfs_t) error { <-release; return nil }
		m.options.StatWorkers = 1
		c := only(m.collectors(t), []string{"filesystem"})[0]
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
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
