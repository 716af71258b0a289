package report

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// TestTenThousandLabelSetsAreAskedForInParts has more samples than are asked for at once.
func TestTenThousandLabelSetsAreAskedForInParts(t *testing.T) {
	const sets, fired = 10_000, time.Hour
	h := newHistory(t)
	h.scraped(12*time.Hour, 0)
	for i := range sets {
		h.alert(5*time.Hour, fired, "PodIsNotReady", "ticket", "namespace", "n", "workload", "w"+strconv.Itoa(i%500), "pod", "p"+strconv.Itoa(i), "level", "pod")
	}
	server := h.serve()
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var asked, most atomic.Int64
	proxy := httputil.NewSingleHostReverseProxy(to)
	counting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		c := &lengthCounter{ResponseWriter: w}
		proxy.ServeHTTP(c, r)
		for n := most.Load(); c.n > n && !most.CompareAndSwap(n, c.n); n = most.Load() {
		}
	}))
	t.Cleanup(counting.Close)

	r := made(t, counting.URL, "--since=6h")
	if row := r.Alerts.Rows[0]; row.Episodes != sets || row.AtOnce != sets || row.FiringSeconds != sets*int64(fired.Seconds()) {
		t.Errorf("%d times, %d at once, %d s in all", row.Episodes, row.AtOnce, row.FiringSeconds)
	}
	if len(r.Workloads.Rows) != r.Settings.Top || r.Workloads.Rest != 500-r.Settings.Top {
		t.Errorf("%d workloads and %d more", len(r.Workloads.Rows), r.Workloads.Rest)
	}
	// 600,000 samples in all, of which the first piece may be all.
	if most.Load() > 40<<20 || asked.Load() > 60 {
		t.Errorf("%d queries, the largest answer of %d bytes", asked.Load(), most.Load())
	}
}

// lengthCounter counts what is written.
type lengthCounter struct {
	http.ResponseWriter
	n int64
}

// Write implements io.Writer.
func (c *lengthCounter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.ResponseWriter.Write(p)
}
