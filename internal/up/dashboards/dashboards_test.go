package dashboards

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/common/promslog"
)

// script is what the page is made of.
const script = "console.log('drawn')"

func handler(t *testing.T) *Handler {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, script); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	h, err := New(Options{
		Page: fstest.MapFS{
			"index.html":             {Data: []byte(`<meta name="style-nonce" content="{{nonce}}">`)},
			"assets/index-abc.js.gz": {Data: b.Bytes()},
		},
		Dashboards: fstest.MapFS{
			"loadline-zebra.json":    {Data: []byte(`{"spec":{"display":{}}}`)},
			"loadline-node.json":     {Data: []byte(`{"spec":{"display":{"name":"Node"}}}`)},
			"loadline-overview.json": {Data: []byte(`{"spec":{"display":{"name":"Overview","description":"All of it."}}}`)},
		},
		Runbooks: fstest.MapFS{
			"README.md":       {Data: []byte("# How these are written")},
			"node-is-gone.md": {Data: []byte("# NodeIsGone\n\n<script>alert(1)</script>\n\n| a | b |\n|-|-|\n| 1 | [other](other.md) |\n\n[no](javascript:alert(1))\n")},
		},
		Interval: 5 * time.Second, Logger: promslog.NewNopLogger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, path, encoding string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if encoding != "" {
		r.Header.Set("Accept-Encoding", encoding)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestThePageIsServedForEveryDashboardWithANonceOfItsOwn(t *testing.T) {
	h := handler(t)
	nonces := map[string]bool{}
	for path, status := range map[string]int{
		"/dashboards/": 200, "/dashboards/loadline-node": 200, "/dashboards/alerts": 200, "/dashboards/nothing": 404,
	} {
		w := get(h, path, "")
		if w.Code != status || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, %v", path, w.Code, w.Header())
		}
		nonce := regexp.MustCompile(`content="([A-Z0-9]{20,})"`).FindStringSubmatch(w.Body.String())
		if nonce == nil {
			t.Fatalf("%s has no nonce: %s", path, w.Body)
		}
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, "'nonce-"+nonce[1]+"'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: the policy is %s", path, csp)
		}
		nonces[nonce[1]] = true
	}
	if len(nonces) != 4 {
		t.Errorf("%d answers have %d nonces", 4, len(nonces))
	}
}

func TestTheListIsFromTheWholeToItsParts(t *testing.T) {
	w := get(handler(t), "/dashboards/data/list.json", "")
	const want = `{"dashboards":[` +
		`{"name":"loadline-overview","title":"Overview","description":"All of it."},` +
		`{"name":"loadline-node","title":"Node","description":""},` +
		`{"name":"loadline-zebra","title":"loadline-zebra","description":""}],"interval":"5s"}`
	if w.Body.String() != want {
		t.Errorf("it is %s, want %s", w.Body, want)
	}
}

func TestADashboardIsServedAsItIs(t *testing.T) {
	h := handler(t)
	w := get(h, "/dashboards/data/loadline-node.json", "")
	if w.Code != 200 || w.Body.String() != `{"spec":{"display":{"name":"Node"}}}` || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("status %d, %v, %s", w.Code, w.Header(), w.Body)
	}
	for _, path := range []string{"/dashboards/data/alerts.json", "/dashboards/data/loadline-node", "/dashboards/data/..%2findex.html", "/dashboards/assets/..%2findex.html"} {
		if w := get(h, path, ""); w.Code != 404 {
			t.Errorf("%s has status %d", path, w.Code)
		}
	}
}

func TestAssetsAreSentCompressedToWhoTakesThat(t *testing.T) {
	h := handler(t)
	for encoding, compressed := range map[string]bool{
		"gzip, deflate, br": true, "br;q=1, GZIP;q=0.5": true, "": false, "br": false, "gzip;q=0": false,
	} {
		w := get(h, "/dashboards/assets/index-abc.js", encoding)
		if got := w.Header().Get("Content-Encoding") == "gzip"; w.Code != 200 || got != compressed {
			t.Errorf("to %q: status %d, compressed %v", encoding, w.Code, got)
		}
		if h := w.Header(); !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Vary") != "Accept-Encoding" || !strings.HasPrefix(h.Get("Content-Type"), "text/javascript") {
			t.Errorf("the header is %v", h)
		}
		var body io.Reader = w.Body
		if compressed {
			var err error
			if body, err = gzip.NewReader(body); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != script {
			t.Errorf("to %q: %q (error %v)", encoding, text, err)
		}
	}
}

func TestARunbookIsRenderedAndItsMarkupIsText(t *testing.T) {
	h := handler(t)
	for _, path := range []string{"/runbooks/node-is-gone", "/runbooks/node-is-gone.md"} {
		w := get(h, path, "")
		body := w.Body.String()
		for _, want := range []string{"<h1>NodeIsGone</h1>", "<td>1</td>", `<a href="other.md">`} {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %s: %s", path, want, body)
			}
		}
		for _, bad := range []string{"<script", "javascript:"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %s: %s", path, bad, body)
			}
		}
	}
	if body := get(h, "/runbooks/", "").Body.String(); !strings.Contains(body, `href="node-is-gone"`) || strings.Contains(body, "README") {
		t.Errorf("the list is %s", body)
	}
	for _, path := range []string{"/runbooks/README", "/runbooks/nothing", "/runbooks/..%2fx"} {
		if w := get(h, path, ""); w.Code != 404 {
			t.Errorf("%s has status %d", path, w.Code)
		}
	}
}

func TestAPageWithoutAPlaceForANonceIsRefused(t *testing.T) {
	_, err := New(Options{Page: fstest.MapFS{"index.html": {Data: []byte("<p>")}}})
	if err == nil || !strings.Contains(err.Error(), "nonce") {
		t.Errorf("the error is %v", err)
	}
}
