package life

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/internal/counts"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

func TestAWorkloadIsServedAtZeroBeforeItCounts(t *testing.T) {
	b := NewBook()
	begin(b, path, true).Totals(known(3, 0))
	if got := serve(t, b); got != "" {
		t.Errorf("at first got\n%s", got)
	}
	if got, want := serve(t, b), "cpu_seconds_total shop/web/deployment/app 3\ncontainer_starts_total shop/web/deployment/app 1"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWhatEndedBeforeItWasNamedIsCountedOnceItIs(t *testing.T) {
	b := NewBook()
	begin(b, pod+"/other", true)
	serve(t, b)
	l, _ := b.Life(&cgroup.Tree{}, path, 7, true)
	l.Totals(known(2, 0))
	b.Gone(path)
	if nameless := b.Nameless(); len(nameless) != 1 || nameless[0] != l {
		t.Fatalf("%d lives wait for a name", len(nameless))
	}
	l.Named(web)
	if got, want := serve(t, b), "cpu_seconds_total shop/web/deployment/app 2\ncontainer_starts_total shop/web/deployment/app 2"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAGroupThatIsGoneAndStillListedIsNoNewLife(t *testing.T) {
	b := NewBook()
	l := begin(b, path, true)
	b.Gone(path)
	again, isNew := b.Life(&cgroup.Tree{}, path, l.Inode, true)
	if again != l || isNew {
		t.Error("it is another life")
	}
	again.Named(web)
	serve(t, b)
	if got, want := serve(t, b), "container_starts_total shop/web/deployment/app 1"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if other, isNew := b.Life(&cgroup.Tree{}, path, l.Inode+1, true); other == l || !isNew {
		t.Error("another group of the same path is the same life")
	}
}

func TestAContainerThatNobodyNamesCountsUnderNoWorkload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBook()
		for i, p := range []string{path, "/session-1.scope"} {
			l, _ := b.Life(&cgroup.Tree{}, p, uint64(i), true)
			l.Totals(known(2, 0))
			b.Gone(p)
		}
		time.Sleep(2 * nameWithin)
		serve(t, b)
		if got, want := serve(t, b), "cpu_seconds_total /// 2\ncontainer_starts_total /// 1"; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestAnAccountGoesAnHourAfterItsLastContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBook()
		begin(b, path, true).Totals(known(1, 0))
		other := begin(b, pod+"/other", true)
		b.Gone(path)
		time.Sleep(2 * counts.KeepEnded)
		serve(t, b)
		if serve(t, b) == "" {
			t.Error("gone while a container is there")
		}
		b.Gone(other.Group.Path())
		time.Sleep(counts.KeepEnded - time.Minute)
		if serve(t, b) == "" {
			t.Error("gone before its hour")
		}
		time.Sleep(counts.KeepEnded)
		if got := serve(t, b); got != "" {
			t.Errorf("an hour after: got\n%s", got)
		}
	})
}

func TestAccountsOfEndedWorkloadsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBook()
		for i := range counts.MaxEnded + 100 {
			p := fmt.Sprint("/docker/", i)
			l, _ := b.Life(&cgroup.Tree{}, p, 1, true)
			l.Named(hierarchy.OfLabels(hierarchy.Docker, fmt.Sprint("job-", i), nil))
			b.Gone(p)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		serve(t, b)
		if len(b.over) != 0 || len(b.byPath) != 0 || len(b.byFirst) != 0 {
			t.Errorf("%d lives over, %d by path, %d by process are kept", len(b.over), len(b.byPath), len(b.byFirst))
		}
		got := serve(t, b)
		if n := strings.Count(got, "container_starts_total"); n != counts.MaxEnded {
			t.Errorf("%d accounts are served", n)
		}
		if strings.Contains(got, "job-99/") || !strings.Contains(got, fmt.Sprintf("job-%d/", counts.MaxEnded)) {
			t.Error("it is not the earliest that went")
		}
	})
}

func TestAContainerThatMovesToItsWorkloadCountsThereFromThenOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBook()
		l, _ := b.Life(&cgroup.Tree{}, path, 1, true)
		before := web
		before.Workload = hierarchy.Workload{Name: "web-1", Type: hierarchy.Pod}
		l.Named(before)
		l.Totals(known(1, 0))
		l.Named(web)
		l.Totals(known(3, 0))
		serve(t, b)
		want := "cpu_seconds_total shop/web-1/pod/app 1\ncpu_seconds_total shop/web/deployment/app 2\ncontainer_starts_total shop/web-1/pod/app 1"
		if got := serve(t, b); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		time.Sleep(counts.KeepEnded)
		if got, want := serve(t, b), "cpu_seconds_total shop/web/deployment/app 2"; got != want {
			t.Errorf("an hour later got\n%s\nwant\n%s", got, want)
		}
	})
}
