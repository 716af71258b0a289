package browser

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/loadline-exporters/loadline/e2e/docker"
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

// TestPictureForTheDocumentation takes docs/images/start-page.png of a machine
// with three Compose projects, after long enough for the lines to show something.
func TestPictureForTheDocumentation(t *testing.T) {
	if !*update {
		t.Skip("takes minutes: only with -update")
	}
	w, d := newWorld(t), docker.Start(t)
	cpu := func(cores float64) int64 { return int64(cores * 100_000) }
	for _, c := range []struct {
		project, service string
		args             []string
		memory, reserved int64 // MiB
		quota            int64
	}{
		{"shop", "web", []string{"hold", "171MiB"}, 256, 160, cpu(0.5)},
		{"shop", "checkout", []string{"hold", "118MiB"}, 128, 96, cpu(0.5)},
		{"shop", "search", []string{"hold", "205MiB"}, 512, 256, cpu(1)},
		{"shop", "cache", []string{"hold", "40MiB"}, 0, 0, 0},
		{"billing", "api", []string{"hold", "74MiB"}, 96, 64, cpu(0.25)},
		{"billing", "reports", []string{"burn", "1"}, 64, 32, cpu(0.3)},
		{"monitoring", "collector", []string{"hold", "62MiB"}, 192, 128, cpu(0.5)},
		{"monitoring", "exporter", []string{"hold", "21MiB"}, 64, 32, cpu(0.1)},
	} {
		d.Run(t.Context(), docker.Spec{
			Name: c.project + "-" + c.service + "-1", Labels: compose(c.project, c.service), Args: c.args,
			MemoryLimit: c.memory * mebibyte, MemoryReservation: c.reserved * mebibyte, CPUQuota: c.quota, CgroupParent: w.parent,
		})
	}
	p := startUp(t, w.args(t, t.TempDir(), d.Host, d.ContainerdAddress)...)
	b := open(t, p.address)
	b.until("the workloads", rowExists("exporter")+"&&"+rowExists("checkout"))
	time.Sleep(3 * time.Minute)
	b.save(t, "../../docs/images/start-page.png", 1500, 900, "light")
}
