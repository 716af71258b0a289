package browser

import (
	"path/filepath"
	"testing"
)

// TestAlertReport opens the report that is kept with its package's tests, where a
// service has a script for a name.
func TestAlertReport(t *testing.T) {
	path, err := filepath.Abs("../../internal/report/testdata/report.html")
	if err != nil {
		t.Fatal(err)
	}
	address := "file://" + path
	b := open(t, address)
	b.until("the report", `document.querySelector("h1").textContent === "Alerts of 7 d"`)
	if n := must[int](b, `document.scripts.length + document.images.length + [...document.styleSheets].filter(s => s.href).length`); n > 0 {
		t.Errorf("the report is of %d files more than one", n)
	}
	if !must[bool](b, `[...document.querySelectorAll("th")].some(h => h.textContent.includes("<script>alert(1)</script>"))`) {
		t.Error("the hostile name is not shown as it is")
	}
	for _, view := range []struct {
		width, height int64
		scheme        string
	}{{1400, 2700, "light"}, {1400, 2700, "dark"}, {900, 1200, "light"}, {390, 844, "light"}, {390, 844, "dark"}} {
		b.picture(t, "report", view.width, view.height, view.scheme)
		if wide := must[int](b, `document.documentElement.scrollWidth`); int64(wide) > view.width {
			t.Errorf("in a window of %d pixels the report is %d wide", view.width, wide)
		}
	}
	if *update {
		b.save(t, "../../docs/images/alert-report.png", 1400, 1000, "light")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.console) > 0 || len(b.requests) != 1 {
		t.Errorf("the console has %q, and %q were asked", b.console, b.requests)
	}
}
