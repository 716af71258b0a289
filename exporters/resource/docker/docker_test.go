package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/dockerclient/dockertest"
	"github.com/loadline-exporters/loadline/internal/source"
)

func newSource(t *testing.T, host string) *Source {
	t.Helper()
	s, err := New(host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func fetch(t *testing.T, s *Source) (container.Engines, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	engines, _, err := s.Fetch(ctx)
	return engines, err
}

func TestRunningContainersAreListed(t *testing.T) {
	d := dockertest.Start(t)
	d.Answer("/containers/json", `[
		{"Id":"aaa","Names":["/other/alias","/web"],"Image":"nginx:1","ImageID":"sha256:i1","Labels":{"com.docker.compose.project":"shop"},"State":"running"},
		{"Id":"bbb","Names":["/k8s_POD_x"],"Image":"pause","ImageID":"sha256:i2","Labels":{"io.kubernetes.docker.type":"podsandbox"}},
		{"Id":"ccc","Names":[],"Image":"sha256:i3","ImageID":"sha256:i3"},
		{"Id":"ddd","Names":["/new"],"Image":"new:1","ImageID":"sha256:i4","ImageManifestDescriptor":{"digest":"sha256:m4"}}]`)
	d.Answer("/images/sha256:i1/json", `{"Id":"sha256:i1","RepoDigests":["nginx@sha256:m1","mirror/nginx@sha256:m9"]}`)
	d.Answer("/images/sha256:i2/json", `{"Id":"sha256:i2","RepoDigests":[]}`)
	d.Fail("/images/sha256:i3/json", http.StatusNotFound, `{"message":"No such image"}`)
	got, err := fetch(t, newSource(t, d.Host))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"aaa": "web nginx:1 sha256:m1 false", "bbb": "k8s_POD_x pause  true", "ccc": "ccc sha256:i3  false", "ddd": "new new:1 sha256:m4 false",
	} {
		e := got[id]
		if line := fmt.Sprintf("%s %s %s %v", e.Name, e.Image, e.ImageDigest, e.Sandbox); line != want || e.ID != id {
			t.Errorf("%s: got %q, want %q", id, line, want)
		}
	}
	if len(got) != 4 || got["aaa"].Labels["com.docker.compose.project"] != "shop" {
		t.Errorf("got %+v", got)
	}
	if d.Times("/v1.41/containers/json") != 1 {
		t.Errorf("the version was not negotiated")
	}
}

func TestAnImageIsAskedForOnce(t *testing.T) {
	d := dockertest.Start(t)
	list := func(images ...string) {
		var out []string
		for i, image := range images {
			out = append(out, fmt.Sprintf(`{"Id":"c%d","ImageID":%q}`, i, image))
		}
		d.Answer("/containers/json", "["+strings.Join(out, ",")+"]")
	}
	d.Answer("/images/known/json", `{"RepoDigests":["x@sha256:m"]}`)
	d.Fail("/images/removed/json", http.StatusNotFound, `{"message":"No such image"}`)
	d.Fail("/images/failing/json", http.StatusInternalServerError, `{"message":"disk"}`)
	list("known", "known", "removed", "failing")
	s := newSource(t, d.Host)
	for range 3 {
		if got, err := fetch(t, s); err != nil || got["c1"].ImageDigest != "sha256:m" {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	for image, want := range map[string]int{"known": 1, "removed": 1, "failing": 3} {
		if n := d.Times("/v1.41/images/" + image + "/json"); n != want {
			t.Errorf("%s was asked for %d times, want %d", image, n, want)
		}
	}
	list("known")
	if _, err := fetch(t, s); err != nil || s.digests.Len() != 1 {
		t.Errorf("%d digests are remembered of one image in use, %v", s.digests.Len(), err)
	}
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestImagesThatDoNotAnswerLoseNoName(t *testing.T) {
	d := dockertest.Start(t)
	d.Answer("/containers/json", `[{"Id":"a","Names":["/web"],"ImageID":"i"},{"Id":"b","Names":["/db"],"ImageID":"j"}]`)
	d.Handle("/images/i/json", hang)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	got, _, err := newSource(t, d.Host).Fetch(ctx)
	if err != nil || got["a"].Name != "web" || got["b"].Name != "db" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAnswersThatCannotBeUsedHaveTheirReasons(t *testing.T) {
	answer := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		reason  source.Reason
	}{
		"none":             {answer(200, "[]"), source.OK},
		"null":             {answer(200, "null"), source.OK},
		"empty":            {answer(200, ""), source.Invalid},
		"no JSON":          {answer(200, "<html>"), source.Invalid},
		"another shape":    {answer(200, `{"a":1}`), source.Invalid},
		"another type":     {answer(200, `[{"Id":7}]`), source.Invalid},
		"truncated":        {answer(200, `[{"Id":"a"`), source.Invalid},
		"nested deeply":    {answer(200, strings.Repeat("[", 20_000)), source.Invalid},
		"refused by proxy": {answer(403, `{"message":"no"}`), source.Forbidden},
		"not logged in":    {answer(401, `{"message":"no"}`), source.Forbidden},
		"failing":          {answer(500, `{"message":"no"}`), source.Failed},
		"failing at length": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			_, _ = w.Write([]byte(strings.Repeat("x", 4<<20)))
		}, source.Failed},
		"hanging": {hang, source.Timeout},
		"hanging in the middle": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte(`[{"Id":"a"},`))
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		}, source.Timeout},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`[{"Id":"a"},`))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, source.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			d := dockertest.Start(t)
			d.Handle("/containers/json", test.handler)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_, _, err := newSource(t, d.Host).Fetch(ctx)
			if got := source.ReasonOf(err); got != test.reason {
				t.Errorf("reason %q of %v, want %q", got, err, test.reason)
			}
			if err != nil && !strings.Contains(err.Error(), d.Host) {
				t.Errorf("%q does not say where", err)
			}
		})
	}
}

func TestAPingThatHangsIsATimeout(t *testing.T) {
	d := dockertest.Start(t)
	d.Handle("/_ping", hang)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, _, err := newSource(t, d.Host).Fetch(ctx); source.ReasonOf(err) != source.Timeout {
		t.Errorf("got %v, want a timeout", err)
	}
}

func TestAnEndlessAnswerTakesBoundedMemory(t *testing.T) {
	const limit = 256 << 20
	d := dockertest.Start(t)
	var sent, highest uint64
	var now, before runtime.MemStats
	done := make(chan struct{})
	d.Handle("/containers/json", func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		piece := []byte(strings.Repeat(`{"Id":"a","Names":["/web"],"Labels":{"a":"b"}},`, 1000))
		_, err := w.Write([]byte("["))
		for sent < 200<<20 && err == nil {
			var n int
			n, err = w.Write(piece)
			sent += uint64(n)
			if sent>>20 == (sent-uint64(n))>>20 {
				continue // a look at the heap stops the world: once a MiB is enough
			}
			runtime.ReadMemStats(&now)
			highest = max(highest, now.HeapAlloc)
		}
	})
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, err := fetch(t, newSource(t, d.Host))
	<-done
	if source.ReasonOf(err) != source.Invalid || !errors.Is(err, dockerclient.ErrTooLong) {
		t.Errorf("got %v", err)
	}
	if grown := int64(highest) - int64(before.HeapAlloc); sent > 64<<20 || grown > limit {
		t.Errorf("%d MiB were read, the heap grew by %d MiB", sent>>20, grown>>20)
	}
}

func TestASocketThatCannotBeReachedHasItsReason(t *testing.T) {
	d := dockertest.Start(t)
	socket := strings.TrimPrefix(d.Host, "unix://")
	if _, err := fetch(t, newSource(t, "unix://"+socket+".missing")); source.ReasonOf(err) != source.Absent {
		t.Errorf("missing: %v", err)
	}
	if _, err := fetch(t, newSource(t, "tcp://127.0.0.1:1")); source.ReasonOf(err) != source.Absent {
		t.Errorf("refused: %v", err)
	}
	need.AsNobody(t, func() {
		if _, err := fetch(t, newSource(t, d.Host)); source.ReasonOf(err) != source.Forbidden {
			t.Errorf("not permitted: %v", err)
		}
	})
}

func TestAHostThatIsNoAddressIsAnError(t *testing.T) {
	for _, host := range []string{"", "nonsense", "ftp://x", "unix://"} {
		if s, err := New(host); err == nil {
			_, err = fetch(t, s)
			t.Errorf("%q was accepted: %v", host, err)
		}
	}
}
