package report

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestAFaultIsSaidInOneLine(t *testing.T) {
	answer := func(code int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect to another server is followed")
	}))
	t.Cleanup(elsewhere.Close)
	redirect := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirect.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, c := range map[string]struct {
		args []string
		want []string // all of them
	}{
		"no address": {[]string{"--prometheus=prometheus:9090"}, []string{"is not an address"}},
		"an address with a password that is wrong": {[]string{"--prometheus=ftp://me:secret@x"}, []string{"is not an address"}},
		"nobody there":                      {[]string{"--prometheus=" + gone.URL}, []string{"query group(up) of " + gone.URL, "connection refused"}},
		"unauthorized":                      {[]string{"--prometheus=" + answer(401, "go\naway")}, []string{"query group(up) of", "401", "go away"}},
		"a proxy's error":                   {[]string{"--prometheus=" + answer(502, "<html>bad gateway</html>")}, []string{"502", "bad gateway"}},
		"a page, no API":                    {[]string{"--prometheus=" + answer(200, "<html>")}, []string{"bad_response"}},
		"an answer of another kind":         {[]string{"--prometheus=" + answer(200, `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`)}, []string{"scalar instead of a matrix"}},
		"an expression that fails":          {[]string{"--prometheus=" + answer(422, `{"status":"error","errorType":"execution","error":"out of ideas"}`)}, []string{"out of ideas"}},
		"a redirect":                        {[]string{"--prometheus=" + redirect.URL}, []string{"redirects to " + elsewhere.URL}},
		"an unknown format":                 {[]string{"--prometheus=http://x", "--format=pdf"}, []string{"neither html nor json"}},
		"an ending of no format":            {[]string{"--prometheus=http://x", "--output=report.txt"}, []string{"give --format"}},
		"a selector":                        {[]string{"--prometheus=http://x", "--selector=cluster=prod"}, []string{"--selector"}},
		"a selector of states":              {[]string{"--prometheus=http://x", `--selector=alertstate="pending"`}, []string{"alertstate is the report's to set"}},
		"a selector that ends early":        {[]string{"--prometheus=http://x", `--selector=a="b"} or up{`}, []string{"--selector"}},
		"a period of no steps":              {[]string{"--prometheus=http://x", "--since=90s"}, []string{"not a multiple of --step"}},
		"a period since ever":               {[]string{"--prometheus=http://x", "--since=90y"}, []string{"too long"}},
		"a time that is none":               {[]string{"--prometheus=http://x", "--until=yesterday"}, []string{"--until"}},
		"a place on no earth":               {[]string{"--prometheus=http://x", "--timezone=Middle/Earth"}, []string{"--timezone"}},
		"no hours":                          {[]string{"--prometheus=http://x", "--working-hours=9to5"}, []string{"--working-hours"}},
		"no rows":                           {[]string{"--prometheus=http://x", "--top=0"}, []string{"--top"}},
		"a configuration that is not there": {[]string{"--prometheus=http://x", "--prometheus.config-file=/nowhere"}, []string{"--prometheus.config-file /nowhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, code := run(t, c.args...)
			if code != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "secret") {
				t.Errorf("exit code %d, output %.100q, error %q", code, stdout, stderr)
			}
			for _, w := range c.want {
				if !strings.Contains(stderr, w) {
					t.Errorf("the error is %q, want %q in it", stderr, w)
				}
			}
		})
	}
}

// emptyAPI is one without any data; ask is told each request before.
func emptyAPI(t *testing.T, ask func(w http.ResponseWriter, r *http.Request) (answered bool)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ask(w, r) {
			return
		}
		if strings.HasSuffix(r.URL.Path, "/rules") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		kind := "matrix"
		if strings.HasSuffix(r.URL.Path, "/query") {
			kind = "vector"
		}
		fmt.Fprintf(w, `{"status":"success","warnings":["%s is slow today","%s is slow today"],"data":{"resultType":%q,"result":[]}}`, "store<1>", "store<1>", kind)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestCredentialsComeFromTheConfigurationFile(t *testing.T) {
	address := emptyAPI(t, func(w http.ResponseWriter, r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		if ok := user == "report" && password == "secret"; ok {
			return false
		}
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	dir := t.TempDir()
	file := filepath.Join(dir, "http.yaml")
	for name, content := range map[string]string{"http.yaml": "basic_auth:\n  username: report\n  password_file: password\n", "password": "secret\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, stderr, code := run(t, "--prometheus", address); code != 1 || !strings.Contains(stderr, "401") {
		t.Errorf("exit code %d without credentials: %s", code, stderr)
	}
	if r := made(t, address, "--prometheus.config-file", file); r.Prometheus != address {
		t.Errorf("it is of %s", r.Prometheus)
	}
}

func TestAPasswordInTheAddressIsNotInTheReport(t *testing.T) {
	address := emptyAPI(t, func(http.ResponseWriter, *http.Request) bool { return false })
	stdout, stderr, code := run(t, "--prometheus", strings.Replace(address, "http://", "http://me:secret@", 1))
	if code != 0 || strings.Contains(stdout+stderr, "secret") {
		t.Errorf("exit code %d, error %q, in the page: %t", code, stderr, strings.Contains(stdout, "secret"))
	}
}

func TestWarningsOfTheAPIAreInTheReportOnce(t *testing.T) {
	address := emptyAPI(t, func(http.ResponseWriter, *http.Request) bool { return false })
	r := made(t, address)
	n := 0
	for _, note := range r.Notes {
		if note == "Warning of the API: store<1> is slow today" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the warning is there %d times: %q", n, r.Notes)
	}
}

func TestWhatIsTooMuchAtOnceIsAskedForInHalves(t *testing.T) {
	var refused, answered atomic.Int64
	address := emptyAPI(t, func(w http.ResponseWriter, r *http.Request) bool {
		var from, to float64
		_, err1 := fmt.Sscan(r.FormValue("start"), &from)
		_, err2 := fmt.Sscan(r.FormValue("end"), &to)
		if err1 != nil || err2 != nil || to-from < 3600 {
			answered.Add(1)
			return false
		}
		refused.Add(1)
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
		return true
	})
	made(t, address, "--since=1d")
	// Two days in parts of less than an hour, of ALERTS twice.
	if answered.Load() < 2*48 {
		t.Errorf("%d queries were answered", answered.Load())
	}
	if refused.Load() > 40 {
		t.Errorf("%d queries were refused: it does not remember what was too much", refused.Load())
	}
}

func TestAQueryThatHangsEndsWithItsTimeout(t *testing.T) {
	address := emptyAPI(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.FormValue("query"), "ALERTS") {
			<-r.Context().Done()
			return true
		}
		return false
	})
	_, stderr, code := run(t, "--prometheus", address, "--since=2m", "--timeout=50ms")
	if code != 1 || !strings.Contains(stderr, "ALERTS") || !strings.Contains(stderr, "--timeout=50ms") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
