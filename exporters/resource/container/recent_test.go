package container

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// keys are what is remembered; those that ended with a dagger.
func (r *Recent) keys() string {
	var all []string
	r.each(func(key string, _ Engine, ended bool) {
		if ended {
			key += "†"
		}
		all = append(all, key)
	})
	return strings.Join(all, " ")
}

func created(key string) Event {
	return Event{Kind: Created, Key: key, ID: key, Engine: &Engine{ID: key, Name: key}}
}

func TestAContainerIsRememberedForAWhileAfterItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRecent()
		expect := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			if got := r.keys(); got != want {
				t.Errorf("remembered are %q, want %q", got, want)
			}
		}
		r.Take(created("never started"))
		r.Take(created("a"))
		r.Take(Event{Kind: OOMKilled, Key: "a"})
		expect(0, "never started a")
		time.Sleep(5 * time.Minute)
		r.Take(created("again"))
		r.Take(Event{Kind: Ended, Key: "again"})
		r.Take(Event{Kind: OOMKilled, Key: "again"}) // engines tell of a kill before or after the end
		r.Take(Event{Kind: Ended, Key: "unknown"})
		expect(0, "never started a again†")
		r.Take(created("again"))
		expect(endedFor, "never started a again")
		r.Take(Event{Kind: Ended, Key: "a"})
		expect(endedFor-time.Second, "never started again a†")
		expect(time.Second, "never started again")
		expect(createdFor-9*time.Minute, "again")
		expect(5*time.Minute, "")
		if r.bytes != 0 || len(r.byKey) != 0 || r.oldest.Len() != 0 {
			t.Errorf("%d bytes of %d containers are left", r.bytes, len(r.byKey))
		}
	})
}

func TestDockersEndSaysWhatEnded(t *testing.T) {
	r := NewRecent()
	r.Take(Event{Kind: Ended, Key: "a", ID: "a", Engine: &Engine{ID: "a", Name: "web"}})
	r.Take(Event{Kind: Ended, Key: "a", ID: "a"})
	r.each(func(_ string, e Engine, ended bool) {
		if e.Name != "web" || !ended {
			t.Errorf("%+v, ended %v", e, ended)
		}
	})
	if got := r.keys(); got != "a†" {
		t.Errorf("remembered are %q", got)
	}
}

func TestTheOldestAreForgottenFirst(t *testing.T) {
	r := NewRecent()
	for i := range recentCount + 10 {
		r.Take(created(fmt.Sprint(i)))
	}
	if got := r.keys(); !strings.HasPrefix(got, "10 11 ") || r.oldest.Len() != recentCount || len(r.byKey) != recentCount {
		t.Errorf("%d are remembered, from %.20q on", r.oldest.Len(), got)
	}
	// A hostile label takes no more memory than many containers do.
	for i := range 100 {
		e := created(fmt.Sprint("large ", i))
		e.Engine.Labels = map[string]string{"x": strings.Repeat("x", 1<<20)}
		r.Take(e)
	}
	if got := r.keys(); r.bytes > recentBytes || !strings.HasSuffix(got, "large 98 large 99") {
		t.Errorf("%d bytes are remembered: %.100q", r.bytes, got)
	}
	r.Take(Event{Kind: Created, Key: "too large", Engine: &Engine{Labels: map[string]string{"x": strings.Repeat("x", recentBytes)}}})
	if got := r.keys(); got != "" || r.bytes != 0 {
		t.Errorf("%d bytes are remembered: %.100q", r.bytes, got)
	}
}

func TestWhatEventsToldIsJoinedAfterListings(t *testing.T) {
	a, b := id("a"), id("b")
	w := &world{dirs: dirs("/docker/"+a, "/docker/"+b, "/default/job"), docker: engines(Engine{ID: b, Name: "listed", ImageDigest: "sha256:m"}), containerd: engines()}
	recentDocker, recentContainerd := NewRecent(), NewRecent()
	recentDocker.Take(Event{Kind: Created, Key: a, Engine: &Engine{ID: a, Name: "young"}})
	recentDocker.Take(Event{Kind: Created, Key: b, Engine: &Engine{ID: b, Name: "told"}})
	recentContainerd.Take(Event{Kind: Created, Key: "default/job", Engine: &Engine{ID: "job", Name: "job", CgroupsPath: "/default/job"}})
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		after(0, func() { ix.sources.RecentDocker, ix.sources.RecentContainerd = recentDocker, recentContainerd })
		expect(t, "running and not listed: they wait for the listing", ix, "docker default/listed/listed container:listed docker listed  sha256:m host")
		after(time.Second, func() {
			w.docker["a"] = Engine{ID: a, Name: "young", ImageDigest: "sha256:m"}
			recentContainerd.Take(Event{Kind: Ended, Key: "default/job"})
		})
		now := []string{
			"containerd default/job/job container:job containerd job   host",
			"docker default/young/young container:young docker young  sha256:m host",
			"docker default/listed/listed container:listed docker listed  sha256:m host",
		}
		expect(t, "listed, or ended", ix, now...)
		after(time.Second, func() {
			w.docker = engines()
			recentDocker.Take(Event{Kind: Ended, Key: a})
			recentDocker.Take(Event{Kind: Ended, Key: b})
		})
		expect(t, "what a listing said stays", ix, now...)
	})
}
