package kubelet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/internal/source"
)

// secret is the token of every test; it must not be in any error.
const secret = "eyJhbGciOi.S3CR3T.c2lnbmF0dXJl"

// fake is a kubelet whose answer a test chooses.
type fake struct {
	*httptest.Server
	options     Options
	connections atomic.Int32
}

func newFake(t *testing.T, h http.HandlerFunc) *fake {
	t.Helper()
	f := &fake{Server: httptest.NewUnstartedServer(h)}
	s := f.Server
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			f.connections.Add(1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	dir := t.TempDir()
	o := Options{URL: s.URL, TokenFile: filepath.Join(dir, "token"), CAFile: filepath.Join(dir, "ca.crt")}
	write(t, o.TokenFile, secret+"\n")
	write(t, o.CAFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	f.options = o
	return f
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fetch asks once, with a new source of the fake's options.
func (f *fake) fetch(t *testing.T) error {
	t.Helper()
	s, err := New(f.options, nil)
	if err != nil {
		t.Fatal(err)
	}
	return fetch(t, s)
}

// fetch asks once and checks that no error tells the token.
func fetch(t *testing.T, s *Source) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, _, err := s.Fetch(ctx)
	if err != nil && strings.Contains(err.Error(), "S3CR3T") {
		t.Errorf("the error tells the token: %v", err)
	}
	return err
}

const noPods = `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":null}`

func answer(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

func TestAnAnswerThatCannotBeUsedHasAReasonAndSaysWhy(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		reason  source.Reason
		says    string
	}{
		"the token is not known":      {answer(401, "Unauthorized"), source.Forbidden, "nodes/pods"},
		"the right is missing":        {answer(403, "Forbidden"), source.Forbidden, "nodes/pods"},
		"the kubelet fails":           {answer(500, "panic"), source.Failed, "500"},
		"the kubelet has too much":    {answer(429, "later"), source.Failed, "429"},
		"this is something else":      {answer(404, "page not found"), source.Invalid, "--kubelet-url"},
		"an empty answer":             {answer(200, ""), source.Invalid, "unexpected EOF"},
		"no JSON":                     {answer(200, "<html>"), source.Invalid, "invalid character"},
		"an array":                    {answer(200, "[1]"), source.Invalid, "no PodList"},
		"another kind":                {answer(200, `{"kind":"NodeList","items":[]}`), source.Invalid, "no PodList"},
		"no kind":                     {answer(200, `{"items":[]}`), source.Invalid, "no PodList"},
		"pods that are no list":       {answer(200, `{"kind":"PodList","items":{"a":1}}`), source.Invalid, "no PodList"},
		"a pod that is none":          {answer(200, `{"kind":"PodList","items":[7]}`), source.Invalid, "cannot unmarshal"},
		"truncated in a pod":          {answer(200, `{"kind":"PodList","items":[{"metadata":{"na`), source.Invalid, "EOF"},
		"truncated between pods":      {answer(200, `{"kind":"PodList","items":[{"metadata":{}},`), source.Invalid, "EOF"},
		"truncated at the end":        {answer(200, `{"kind":"PodList","items":[]`), source.Invalid, "EOF"},
		"deeply nested, not used":     {answer(200, `{"kind":"PodList","other":`+deep+`}`), source.Invalid, "depth"},
		"deeply nested, used":         {answer(200, `{"kind":"PodList","items":[{"metadata":`+deep+`}]}`), source.Invalid, "depth"},
		"an amount that is no number": {answer(200, `{"kind":"PodList","items":[{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}]}`), source.Invalid, "quantities"},
		"an amount that is costly":    {answer(200, `{"kind":"PodList","items":[{"spec":{"containers":[{"resources":{"limits":{"cpu":"1e-999999999"}}}]}}]}`), source.Invalid, "quantity"},
		"more pods than a node can have": {
			answer(200, `{"kind":"PodList","items":[`+strings.Repeat(`{},`, maxPods)+`{}]}`), source.OK, "",
		},
		"more named pods than a node can have": {
			answer(200, `{"kind":"PodList","items":[`+strings.Repeat(`{"metadata":{"name":"a","namespace":"b"}},`, maxPods)+`{}]}`), source.Invalid, "more than 5000 pods",
		},
		"the connection is cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"kind":"PodList","items":[`))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, source.Invalid, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			err := newFake(t, test.handler).fetch(t)
			if got := source.ReasonOf(err); got != test.reason {
				t.Fatalf("reason %q of %v, want %q", got, err, test.reason)
			}
			if err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q does not say %q", err, test.says)
			}
		})
	}
}

func TestWithoutATokenFileTheErrorSaysSo(t *testing.T) {
	f := newFake(t, answer(401, "Unauthorized"))
	f.options.TokenFile += ".missing"
	if err := f.fetch(t); source.ReasonOf(err) != source.Forbidden || !strings.Contains(err.Error(), "--kubelet-token-file") {
		t.Errorf("got %v", err)
	}
}

func TestTheCertificateIsCheckedUnlessToldOtherwise(t *testing.T) {
	f := newFake(t, answer(200, noPods))
	if err := f.fetch(t); err != nil {
		t.Fatalf("with its own authority: %v", err)
	}
	right := f.options.CAFile
	f.options.CAFile = filepath.Join(t.TempDir(), "other.crt")
	write(t, f.options.CAFile, otherAuthority(t))
	for _, file := range []string{f.options.CAFile, "", "/missing"} {
		f.options.CAFile = file
		err := f.fetch(t)
		if source.ReasonOf(err) != source.Forbidden || !strings.Contains(err.Error(), "--kubelet-ca-file") {
			t.Errorf("with authority %q: %v, want forbidden and a hint", file, err)
		}
	}
	f.options.Insecure = true
	if err := f.fetch(t); err != nil {
		t.Errorf("unchecked: %v", err)
	}
	f.options.Insecure, f.options.CAFile = false, right
	f.options.URL = strings.Replace(f.URL, "127.0.0.1", "localhost", 1) // not in the certificate
	if err := f.fetch(t); source.ReasonOf(err) != source.Forbidden {
		t.Errorf("another name: %v, want forbidden", err)
	}
}

func otherAuthority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestOptionsThatCannotBeMeantAreErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.crt")
	write(t, file, "no certificate")
	for _, o := range []Options{
		{URL: ""}, {URL: "127.0.0.1:10250"}, {URL: "ftp://node"}, {URL: "https://"}, {URL: "https://%zz"},
		{URL: DefaultURL, CAFile: file}, {URL: DefaultURL, CAFile: t.TempDir()},
	} {
		if _, err := New(o, nil); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestARotatedTokenIsUsedAtTheNextRequest(t *testing.T) {
	var got atomic.Value
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		got.Store(r.Header.Get("Authorization"))
		_, _ = w.Write([]byte(noPods))
	})
	s, err := New(f.options, nil)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		secret: "Bearer " + secret, "\n " + secret + "2\r\n\n": "Bearer " + secret + "2", " \n": "", "": "",
	} {
		write(t, f.options.TokenFile, file)
		if err := fetch(t, s); err != nil {
			t.Fatal(err)
		}
		if got.Load() != want {
			t.Errorf("token file %q: sent %q, want %q", file, got.Load(), want)
		}
	}
}

func TestAFileThatHoldsNoTokenIsNotSentAndNotShown(t *testing.T) {
	f := newFake(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	for _, text := range []string{secret + "\nInjected: header", secret + "\x00", "pass word" + secret, "ü" + secret} {
		write(t, f.options.TokenFile, text)
		if err := f.fetch(t); source.ReasonOf(err) != source.Invalid {
			t.Errorf("%q: %v, want invalid", text, err)
		}
	}
	f.options.TokenFile = t.TempDir()
	if err := f.fetch(t); err == nil || !strings.Contains(err.Error(), "bearer token") {
		t.Errorf("a directory as token file: %v", err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the other server was asked, with %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(other.Close)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	if err := f.fetch(t); source.ReasonOf(err) != source.Invalid {
		t.Errorf("got %v, want invalid", err)
	}
}

func TestAReadOnlyPortIsSentNoToken(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a token was sent in the clear")
		}
		_, _ = w.Write([]byte(noPods))
	}))
	t.Cleanup(s.Close)
	f := &fake{Server: s, options: Options{URL: s.URL, TokenFile: filepath.Join(t.TempDir(), "token")}}
	write(t, f.options.TokenFile, secret)
	if err := f.fetch(t); err != nil {
		t.Error(err)
	}
}

func TestAPasswordInTheURLIsNotShown(t *testing.T) {
	for _, code := range []int{401, 404, 500, 200} {
		f := newFake(t, answer(code, "x"))
		f.options.URL = strings.Replace(f.URL, "https://", "https://user:S3CR3T@", 1)
		if err := f.fetch(t); err == nil {
			t.Error("want an error")
		}
	}
}

func TestAnAnswerThatDoesNotEndInTimeIsATimeout(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"it never comes": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"it stops in the middle": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"kind":"PodList","items":[`))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"it drips": func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`{"kind":"PodList","items":[`))
			for drip := time.NewTicker(time.Millisecond); ; {
				select {
				case <-r.Context().Done():
					return
				case <-drip.C:
					_, _ = w.Write([]byte("{},"))
					_ = http.NewResponseController(w).Flush()
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(newFake(t, handler).options, nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, _, err := s.Fetch(ctx); source.ReasonOf(err) != source.Timeout {
				t.Errorf("got %v, want a timeout", err)
			}
		})
	}
}

func TestNobodyThereIsAbsent(t *testing.T) {
	f := newFake(t, answer(200, noPods))
	f.Close()
	if err := f.fetch(t); source.ReasonOf(err) != source.Absent {
		t.Errorf("got %v, want absent", err)
	}
}

func TestTheConnectionIsUsedAgain(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		// Sent in pieces, as a kubelet does: its length is not known beforehand.
		_, _ = fmt.Fprintln(w, noPods)
		_ = http.NewResponseController(w).Flush()
	})
	s, err := New(f.options, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := fetch(t, s); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.connections.Load(); n > 1 {
		t.Errorf("%d connections for three requests", n)
	}
}

// TestAnEndlessAnswerTakesBoundedMemory sends 200 MB in several shapes and looks
// at the heap while it is being sent.
func TestAnEndlessAnswerTakesBoundedMemory(t *testing.T) {
	const size, limit = 200 << 20, 128 << 20 // the reader's buffer doubles until it has 64 MiB
	pod := `{"metadata":{"name":"a","namespace":"b","managedFields":[` + strings.Repeat(`{"x":[1]},`, 2000) + `{}]}},`
	for name, piece := range map[string][2]string{
		"whole pods":     {`{"kind":"PodList","items":[`, pod},
		"an endless pod": {`{"kind":"PodList","items":[{"metadata":{"name":"`, strings.Repeat("a", 20_000)},
	} {
		t.Run(name, func(t *testing.T) {
			var before, now runtime.MemStats
			var highest, sent uint64
			f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
				_, err := w.Write([]byte(piece[0]))
				for i := 0; sent < size && err == nil; i++ {
					var n int
					n, err = w.Write([]byte(piece[1]))
					sent += uint64(n)
					if i%100 == 0 {
						runtime.ReadMemStats(&now)
						highest = max(highest, now.HeapAlloc)
					}
				}
			})
			runtime.GC()
			runtime.ReadMemStats(&before)
			err := f.fetch(t)
			f.Close() // and with it the handler, which counts
			if source.ReasonOf(err) != source.Invalid || !strings.Contains(err.Error(), "more than 32 MiB") {
				t.Errorf("got %v", err)
			}
			if sent > 64<<20 {
				t.Errorf("%d MiB were read", sent>>20)
			}
			if grown := int64(highest) - int64(before.HeapAlloc); grown > limit {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			} else {
				t.Logf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}
