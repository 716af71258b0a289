package bench

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/figures"
	"github.com/loadline-exporters/loadline/e2e/peers"
)

// profiledFor is how long the processor profile takes, under a scrape a second.
const profiledFor = 30 * time.Second

// profile prints where the exporter's processor time and allocations go, if a bar
// was missed. It runs the exporter anew: profiling costs, too.
func (r *results) profile(b *testing.B, c *cluster) {
	b.Helper()
	if !slices.ContainsFunc(r.bars(), func(x figures.Bar) bool { return !x.Kept }) {
		return
	}
	p := peers.Exporter(b, c.Address, "--web.enable-pprof")
	defer p.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		top(b, p.URL, fmt.Sprintf("profile?seconds=%.0f", profiledFor.Seconds()))
	}()
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-tick.C:
			p.MustScrape()
			continue
		case <-done:
		}
		break
	}
	top(b, p.URL, "allocs")
}

// top prints the functions that take most of what a profile counts.
func top(b *testing.B, url, profile string) {
	file := filepath.Join(b.TempDir(), "profile")
	if err := fetch(url+"/debug/pprof/"+profile, file); err != nil {
		b.Errorf("fetch %s: %v", profile, err)
		return
	}
	for _, order := range []string{"-flat", "-cum"} {
		out, err := exec.Command("go", "tool", "pprof", "-top", order, "-nodecount=45", file).CombinedOutput()
		if err != nil {
			b.Errorf("read the profile: %v", err)
		}
		fmt.Printf("%s, %s:\n%s\n", profile, order[1:], out)
	}
}

func fetch(url, into string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", response.Status)
	}
	return os.WriteFile(into, body, 0o600)
}
