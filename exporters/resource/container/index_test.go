package container

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

func TestWhatTheSourcesSayIsJoined(t *testing.T) {
	a := id("a")
	job := Engine{ID: "job", Name: "job", Image: "batch:1", CgroupsPath: "/default/job"}
	web := Engine{ID: a, Name: "web", Image: "nginx:1", ImageDigest: "sha256:nginx"}
	static := podOf("")
	static.UID, static.StaticConfigID = "mirror", "0123456789abcdef"
	for name, test := range map[string]struct {
		*world
		want string
	}{
		"nothing but cgroups, of a pod": {
			&world{dirs: dirs(inPod + a)},
			"kubernetes default/" + uid + "/aaaaaaaaaaaa pod:" + uid + "  a…   host",
		},
		"nothing but cgroups, of Docker": {
			&world{dirs: dirs("/docker/" + a)},
			"docker default/aaaaaaaaaaaa/aaaaaaaaaaaa container:aaaaaaaaaaaa docker a…   host",
		},
		"nothing but cgroups, of CRI-O": {
			&world{dirs: dirs("/kubepods.slice/kubepods-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice/crio-" + a + ".scope")},
			"kubernetes default/" + uid + "/aaaaaaaaaaaa pod:" + uid + " cri-o a…   host",
		},
		"the kubelet alone, by the container's id": {
			&world{dirs: dirs(inPod + a), pods: []Pod{podOf(a)}},
			"kubernetes shop/web-x/app deployment:web cri-o a… spec:1 sha256:spec node-1 map[cpu:1]",
		},
		"containerd alone: the pod is the workload": {
			&world{dirs: dirs(inPod + a), containerd: engines(criContainer(a, "app"))},
			"kubernetes shop/web-x/app pod:web-x containerd a… engine:1 sha256:engine host",
		},
		"the kubelet and containerd: the engine's image, the pod's place": {
			&world{dirs: dirs(inPod + a), pods: []Pod{podOf(a)}, containerd: engines(criContainer(a, "app"))},
			"kubernetes shop/web-x/app deployment:web containerd a… engine:1 sha256:engine node-1 map[cpu:1]",
		},
		"before the pod's status has the id, by the pod's UID and the container's name": {
			&world{dirs: dirs(inPod + a), pods: []Pod{podOf("")}, containerd: engines(criContainer(a, "app"))},
			"kubernetes shop/web-x/app deployment:web containerd a… engine:1 sha256:engine node-1 map[cpu:1]",
		},
		"while the pod's status has the id of the instance before": {
			&world{dirs: dirs(inPod + a), pods: []Pod{podOf(id("b"))}, containerd: engines(criContainer(a, "app"))},
			"kubernetes shop/web-x/app deployment:web containerd a… engine:1 sha256:engine node-1 map[cpu:1]",
		},
		"a sandbox belongs to the pod and asks for nothing": {
			&world{dirs: dirs(inPod + a), pods: []Pod{podOf("")}, containerd: engines(criContainer(a, ""))},
			"kubernetes shop/web-x/POD deployment:web containerd a… engine:1 sha256:engine node-1",
		},
		"a sandbox without a kubelet": {
			&world{dirs: dirs(inPod + a), containerd: engines(criContainer(a, ""))},
			"kubernetes shop/web-x/POD pod:web-x containerd a… engine:1 sha256:engine host",
		},
		"a static pod is found by its configuration's hash": {
			&world{dirs: dirs("/kubepods/pod0123456789abcdef/" + a), pods: []Pod{static}, containerd: engines(criContainer(a, "app"))},
			"kubernetes shop/web-x/app deployment:web containerd a… engine:1 sha256:engine node-1 map[cpu:1]",
		},
		"Docker alone": {
			&world{dirs: dirs("/docker/" + a), docker: engines(web)},
			"docker default/web/web container:web docker web nginx:1 sha256:nginx host",
		},
		"Docker's names win over containerd's": {
			&world{dirs: dirs("/system.slice/docker-" + a + ".scope"), docker: engines(web), containerd: engines(Engine{ID: a, Name: a, Image: "other"})},
			"docker default/web/web container:web docker web nginx:1 sha256:nginx host",
		},
		"Docker's container in a cgroup of any name is found by the path of its containerd": {
			&world{
				dirs:   dirs("/custom/parent"),
				docker: engines(web), containerd: engines(Engine{ID: a, Name: a, CgroupsPath: "/custom/parent"}),
			},
			"docker default/web/web container:web docker web nginx:1 sha256:nginx host",
		},
		"a bare containerd container is found by its path": {
			&world{dirs: dirs("/default/job", "/default"), containerd: engines(job)},
			"containerd default/job/job container:job containerd job batch:1  host",
		},
		"containers of the same id in two namespaces are two": {
			&world{dirs: dirs("/default/job", "/other/job"), containerd: engines(job, Engine{ID: "job", Name: "job", Image: "other:1", CgroupsPath: "/other/job"})},
			"containerd default/job/job container:job containerd job batch:1  host\n" +
				"containerd default/job/job container:job containerd job other:1  host",
		},
		"what runs inside a container is counted once": {
			&world{
				dirs:       dirs("/default/job", "/default/job-2", "/default/job/docker/"+a, "/default/job-2/x", "/docker/"+a+"/docker/"+id("b"), "/docker/"+a),
				containerd: engines(job, Engine{ID: "job-2", Name: "job-2", CgroupsPath: "/default/job-2"}), docker: engines(web),
			},
			"containerd default/job/job container:job containerd job batch:1  host\n" +
				"containerd default/job-2/job-2 container:job-2 containerd job-2   host\n" +
				"docker default/web/web container:web docker web nginx:1 sha256:nginx host",
		},
		"a sleeping source and no cgroup": {
			&world{dirs: dirs("/", "/system.slice", "/kubepods/burstable/pod"+uid), pods: []Pod{podOf(a)}, docker: engines(web)},
			"",
		},
		"not every source was asked yet": {
			&world{dirs: dirs("/docker/" + a), docker: engines(web), unsettled: true},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			ix := test.index()
			ix.join()
			if got := ix.show(); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// run runs an index in a bubble of fake time; after advances it.
func run(t *testing.T, w *world, f func(ix *Index, after func(time.Duration, func()))) {
	synctest.Test(t, func(t *testing.T) {
		ix := w.index()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { ix.Run(ctx); close(ended) }()
		synctest.Wait()
		f(ix, func(d time.Duration, change func()) {
			time.Sleep(d)
			if change != nil {
				w.mu.Lock()
				change()
				w.mu.Unlock()
				ix.Changed()
			}
			synctest.Wait()
		})
		cancel()
		<-ended
	})
}

func expect(t *testing.T, when string, ix *Index, want ...string) {
	t.Helper()
	if got := ix.show(); got != strings.Join(want, "\n") {
		t.Errorf("%s: got\n%s\nwant\n%s", when, got, strings.Join(want, "\n"))
	}
}

func TestAContainerThatNobodyNamesIsHeldBackForAWhile(t *testing.T) {
	w := &world{dirs: dirs(), docker: engines()}
	unnamed := "docker default/aaaaaaaaaaaa/aaaaaaaaaaaa container:aaaaaaaaaaaa docker a…   host"
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		after(0, func() { w.dirs = dirs("/docker/" + id("a")) })
		expect(t, "at once", ix)
		after(nameGrace-time.Second, nil)
		expect(t, "shortly before", ix)
		if n := w.times(); n < 8 {
			t.Errorf("the sources were asked %d times in 9 s", n)
		}
		after(7*time.Second, nil)
		expect(t, "then", ix, unnamed)
		asked := w.times()
		after(time.Minute, nil)
		if more := w.times() - asked; more != 0 {
			t.Errorf("the sources were asked %d times more", more)
		}
	})
}

func TestAContainerThatIsNamedInTimeHasNoOtherName(t *testing.T) {
	w := &world{dirs: dirs("/docker/" + id("a")), docker: engines()}
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		expect(t, "at first", ix)
		after(3*time.Second, func() { w.docker = engines(Engine{ID: id("a"), Name: "web", Image: "nginx"}) })
		expect(t, "when it is listed", ix, "docker default/web/web container:web docker web nginx  host")
	})
}

func TestAContainerWaitsForTheKubeletToNameItsWorkload(t *testing.T) {
	a := id("a")
	w := &world{dirs: dirs(inPod + a), containerd: engines(criContainer(a, "app")), pods: []Pod{}}
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		expect(t, "before", ix)
		after(3*time.Second, func() { w.pods = []Pod{podOf("")} })
		expect(t, "when the kubelet lists the pod", ix, "kubernetes shop/web-x/app deployment:web containerd a… engine:1 sha256:engine node-1 map[cpu:1]")
	})
}

func TestAContainerOfAPodThatTheKubeletDoesNotKnowIsNamedByItsEngine(t *testing.T) {
	a := id("a")
	w := &world{dirs: dirs("/kubepods/podffff/" + a), containerd: engines(criContainer(a, "app")), pods: []Pod{podOf("")}}
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		expect(t, "at first", ix)
		after(16*time.Second, nil)
		expect(t, "after the grace", ix, "kubernetes shop/web-x/app pod:web-x containerd a… engine:1 sha256:engine host")
	})
}

func TestAContainerOfAKnownPodThatItsStatusNeverNamesIsInThePod(t *testing.T) {
	w := &world{dirs: dirs(inPod + id("a")), pods: []Pod{podOf(id("b"))}}
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		expect(t, "at first", ix)
		after(16*time.Second, nil)
		expect(t, "after the grace", ix, "kubernetes shop/web-x/aaaaaaaaaaaa deployment:web  a…   node-1")
	})
}

func TestWhatRunsInsideAContainerThatIsHeldBackIsHeldBackToo(t *testing.T) {
	w := &world{dirs: dirs("/docker/"+id("a"), "/docker/"+id("a")+"/docker/"+id("b")), docker: engines(Engine{ID: id("b"), Name: "inner"})}
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		expect(t, "at first", ix)
		after(16*time.Second, nil)
		expect(t, "then", ix, "docker default/aaaaaaaaaaaa/aaaaaaaaaaaa container:aaaaaaaaaaaa docker a…   host")
	})
}

func TestNamesStayWhenSourcesGoAway(t *testing.T) {
	a := id("a")
	w := &world{
		dirs: dirs(inPod+a, "/default/job"), pods: []Pod{podOf(a)},
		containerd: engines(criContainer(a, "app"), Engine{ID: "job", Name: "job", CgroupsPath: "/default/job"}),
	}
	job := "containerd default/job/job container:job containerd job   host"
	app := "kubernetes shop/web-x/app deployment:web containerd a… engine:1 sha256:engine node-1"
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		expect(t, "with all", ix, job, app+" map[cpu:1]")
		after(0, func() { w.pods = nil })
		expect(t, "without the kubelet its amounts are not known", ix, job, app)
		after(0, func() { w.containerd = nil })
		expect(t, "without all", ix, job, app)
		after(0, func() { w.containerd, w.pods = engines(), []Pod{} })
		expect(t, "removed by the engine before the kernel", ix, job, app)
		after(0, func() { delete(w.dirs, inPod+a); delete(w.dirs, "/default/job") })
		expect(t, "ended", ix)
		if len(ix.known) > 0 {
			t.Errorf("%d cgroups are remembered", len(ix.known))
		}
	})
}

func TestANewContainerWithoutAKubeletIsNamedByItsEngine(t *testing.T) {
	w := &world{dirs: dirs(inPod + id("a")), containerd: engines(criContainer(id("a"), "app"))}
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		expect(t, "without", ix, "kubernetes shop/web-x/app pod:web-x containerd a… engine:1 sha256:engine host")
		after(0, func() { w.pods = []Pod{podOf(id("a"))} })
		expect(t, "with", ix, "kubernetes shop/web-x/app deployment:web containerd a… engine:1 sha256:engine node-1 map[cpu:1]")
	})
}

func TestACgroupMadeAnewIsAnotherContainer(t *testing.T) {
	w := &world{dirs: dirs("/default/job"), containerd: engines(Engine{ID: "job", Name: "job", Image: "a:1", CgroupsPath: "/default/job"})}
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		first := ix.List()[0]
		after(time.Second, nil)
		if again := ix.List()[0]; again.Started != first.Started {
			t.Error("its start changed by itself")
		}
		after(time.Second, func() {
			w.dirs = map[string]cgroup.Dir{"/default/job": {Inode: 7}}
			w.containerd = engines(Engine{ID: "job", Name: "job", Image: "a:2", CgroupsPath: "/default/job"})
		})
		if again := ix.List()[0]; !again.Started.Equal(time.Unix(7, 0)) || again.Image != "a:2" {
			t.Errorf("got %+v", again)
		}
	})
}

func TestARenamedContainerHasItsNewName(t *testing.T) {
	w := &world{dirs: dirs("/docker/" + id("a")), docker: engines(Engine{ID: id("a"), Name: "old"})}
	run(t, w, func(ix *Index, after func(time.Duration, func())) {
		after(0, func() { w.docker = engines(Engine{ID: id("a"), Name: "new"}) })
		expect(t, "renamed", ix, "docker default/new/new container:new docker new   host")
	})
}

// TestReadersSeeWholeLists changes the world while others read; it is the race
// detector's.
func TestReadersSeeWholeLists(t *testing.T) {
	w := &world{dirs: dirs(), docker: engines()}
	ix := w.index()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { ix.Run(ctx) })
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				list := ix.List()
				if !slices.IsSortedFunc(list, func(x, y *Container) int { return strings.Compare(x.CgroupPath, y.CgroupPath) }) {
					t.Error("a list is not sorted")
				}
			}
		})
	}
	for i := range 500 {
		w.mu.Lock()
		a := id(fmt.Sprintf("%x", i%16))
		w.dirs = dirs("/docker/"+a, inPod+a)
		w.docker = engines(Engine{ID: a, Name: fmt.Sprint(i)})
		w.pods = []Pod{podOf(a)}
		w.mu.Unlock()
		ix.Changed()
	}
	cancel()
	wg.Wait()
}

func TestWhereNoOtherGroupIsSeenTheTopmostIsTheContainerThatThisRunsIn(t *testing.T) {
	w := &world{dirs: dirs("/inner")}
	ix := w.index()
	ix.sources.Own = &Container{Place: hierarchy.OfLabels(hierarchy.Containerd, "", hierarchy.PodLabels("shop", "web-0", "", "agent")), Name: "agent", Node: "host"}
	ix.join()
	list, groups := ix.List(), ix.Groups()
	if len(list) != 1 || list[0].CgroupPath != "/" || list[0].Pod != "web-0" || list[0].Container != "agent" || list[0].Kind != App || list[0].Workload.Type != hierarchy.Pod {
		t.Errorf("got %s", ix.show())
	}
	if len(groups) != 0 {
		t.Errorf("it is a group, too: %+v", groups[0])
	}
}
