package browser

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/up"
)

// update has the documentation's picture taken anew, which takes minutes.
var update = flag.Bool("update", false, "take the picture of the start page for the documentation anew")

// picture saves what the window shows to the directory that LOADLINE_PICTURES
// names, or to the test's artifacts.
func (b *tab) picture(t *testing.T, name string, width, height int64, scheme string) {
	t.Helper()
	dir := os.Getenv("LOADLINE_PICTURES")
	if dir == "" {
		dir = t.ArtifactDir()
	}
	b.save(t, filepath.Join(dir, fmt.Sprintf("%s-%s-%dx%d.png", name, scheme, width, height)), width, height, scheme)
}

func (b *tab) save(t *testing.T, path string, width, height int64, scheme string) {
	t.Helper()
	b.view(width, height, scheme)
	take := chromedp.CaptureScreenshot()
	if width < 600 {
		take = chromedp.FullScreenshot(100) // what is reached by scrolling too
	}
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	image, err := chromedp.Run(ctx, take)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, image, 0o644)
	}
	if err != nil {
		t.Errorf("picture %s: %v", path, err)
	}
}

// pictures also checks what a look at them would show first: that nothing is wider
// than the window.
func (s *startPage) pictures(t *testing.T) {
	for _, view := range []struct {
		width, height int64
		scheme        string
	}{{1500, 900, "light"}, {1500, 900, "dark"}, {390, 844, "light"}} {
		s.tab.picture(t, "page", view.width, view.height, view.scheme)
		if wide := must[int](s.tab, `document.documentElement.scrollWidth`); int64(wide) > view.width {
			t.Errorf("in a window of %d pixels the page is %d wide", view.width, wide)
		}
	}
	s.tab.view(1500, 900, "light")
}

// shown is a container of the documentation's picture. It uses about so much memory
// (MiB) and processor time (cores), of which the latter comes and goes.
type shown struct {
	project, service string
	memory           int64
	cores            float64

	reserved, limit int64   // MiB, 0 for none
	quota           float64 // cores, 0 for none
}

// TestPictureForTheDocumentation takes docs/images/start-page.png of a machine
// with three Compose projects, after long enough for the lines to show something.
func TestPictureForTheDocumentation(t *testing.T) {
	if !*update {
		t.Skip("takes minutes: only with -update")
	}
	const duration = 9 * time.Minute
	w, d := newWorld(t), docker.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	var load sync.WaitGroup
	for _, s := range []shown{
		{"shop", "web", 150, 0.21, 160, 256, 0.5},
		{"shop", "checkout", 110, 0.06, 96, 128, 0.5},
		{"shop", "search", 190, 0.17, 256, 512, 1},
		{"shop", "mailer", 18, 0.01, 32, 96, 0.1},
		{"shop", "cache", 62, 0.03, 0, 0, 0},
		{"billing", "api", 60, 0.09, 64, 96, 0.25},
		{"billing", "reports", 34, 0.185, 32, 96, 0.2},
		{"billing", "ledger", 88, 0.04, 96, 192, 0.5},
		{"monitoring", "collector", 66, 0.08, 128, 192, 0.5},
		{"monitoring", "exporter", 19, 0.015, 32, 64, 0.1},
	} {
		c := d.Run(t.Context(), docker.Spec{
			Name: s.project + "-" + s.service + "-1", Labels: compose(s.project, s.service),
			Args:        []string{"hold", fmt.Sprintf("%dMiB", s.memory)},
			MemoryLimit: s.limit * mebibyte, MemoryReservation: s.reserved * mebibyte, CPUQuota: int64(s.quota * 100_000),
			CgroupParent: w.parent,
		})
		load.Go(func() { s.breathe(ctx, t, d, c) })
	}
	// What this machine mounts says nothing about the page.
	p := up.Start(t, append(w.args(t, t.TempDir(), d.Host, d.ContainerdAddress), "--collector.filesystem.mount-points-include=^/$")...)
	b := open(t, p.Address)
	b.until("the workloads", rowExists("exporter")+"&&"+rowExists("checkout"))
	load.Wait()
	b.save(t, "../../docs/images/start-page.png", 1500, 900, "light")
}

// breathe has a process in the container compute for a share of the time that
// changes, and others hold memory for a while.
func (s shown) breathe(ctx context.Context, t *testing.T, d *docker.Docker, c *docker.Container) {
	burner := execute(t, d, c, "burn", "1")
	const slice = 200 * time.Millisecond
	var holder int
	phase := rand.Float64() * 2 * math.Pi
	ticker := time.NewTicker(slice)
	defer ticker.Stop()
	for i := 0; ; i++ {
		if i%150 == 0 { // every half minute
			if holder > 0 {
				_ = syscall.Kill(holder, syscall.SIGKILL)
			}
			holder = execute(t, d, c, "hold", fmt.Sprintf("%dKiB", 1+int64(rand.Float64()*0.12*float64(s.memory)*1024)))
		}
		share := s.cores * (1 + 0.35*math.Sin(phase+float64(i)/200) + 0.15*rand.NormFloat64())
		_ = syscall.Kill(burner, syscall.SIGCONT)
		stop := time.NewTimer(time.Duration(share * float64(slice)))
		select {
		case <-stop.C:
		case <-ctx.Done():
			stop.Stop()
			return
		}
		_ = syscall.Kill(burner, syscall.SIGSTOP)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// execute starts a workload in a container beside its own and returns its process
// id.
func execute(t *testing.T, d *docker.Docker, c *docker.Container, args ...string) int {
	created, err := d.Client.ExecCreate(t.Context(), c.ID, client.ExecCreateOptions{Cmd: append([]string{"/workload"}, args...)})
	if err == nil {
		_, err = d.Client.ExecStart(t.Context(), created.ID, client.ExecStartOptions{Detach: true})
	}
	if err != nil {
		t.Errorf("start %v in %s: %v", args, c.Name, err)
		return 0
	}
	state, err := d.Client.ExecInspect(t.Context(), created.ID, client.ExecInspectOptions{})
	if err != nil {
		t.Errorf("inspect %v in %s: %v", args, c.Name, err)
	}
	return state.PID
}
