package volume

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// node is a kubelet's root directory with what is mounted there.
type node struct {
	pods       []container.Pod
	containers []*container.Container
	mounts     []mount.Mount
	mountsOf   map[string][]mount.Mount // by cgroup path
	statfs     func(string, *unix.Statfs_t) error
	asked      []string
	counted    map[string]float64
}

func (n *node) collector() *Collector {
	return &Collector{
		Pods:       func() ([]container.Pod, bool) { return n.pods, n.pods != nil },
		Containers: func() []*container.Container { return n.containers },
		Mounts:     func() ([]mount.Mount, error) { return n.mounts, nil },
		MountsOf: func(path string) ([]mount.Mount, error) {
			if m, ok := n.mountsOf[path]; ok {
				return m, nil
			}
			return nil, fs.ErrNotExist
		},
		Counted: func(path string) (float64, bool) {
			bytes, ok := n.counted[path]
			return bytes, ok
		},
		Root: "/host", KubeletRoot: "/var/lib/kubelet",
		Prober: mount.NewProber(func(path string, into *unix.Statfs_t) error {
			if n.statfs != nil {
				return n.statfs(path, into)
			}
			n.asked = append(n.asked, path)
			*into = unix.Statfs_t{Bsize: 4096, Blocks: 100, Bfree: 60, Bavail: 50, Files: 10, Ffree: 7}
			return nil
		}, time.Second, 1, slog.New(slog.DiscardHandler)),
	}
}

func collect(t *testing.T, c *Collector) (lines []string) {
	t.Helper()
	own := metrics.Table().Of("volume")
	w := family.NewWriter(own, nil)
	if err := c.Collect(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	family.Budget(own, []*family.Writer{w}, 0).Encode(&b, family.Text)
	for line := range strings.Lines(b.String()) {
		if line[0] != '#' {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// of are the lines of one family without its name.
func of(lines []string, name string) (out []string) {
	for _, l := range lines {
		if rest, ok := strings.CutPrefix(l, name+"{"); ok {
			out = append(out, "{"+rest)
		}
	}
	return out
}

func pod(uid string, volumes ...container.Volume) container.Pod {
	return container.Pod{
		UID: types.UID(uid), Namespace: "shop", Name: "db-" + uid, Workload: hierarchy.Workload{Name: "db", Type: "statefulset"}, Volumes: volumes,
	}
}

func claimed(name, claim string, by ...container.VolumeMount) container.Volume {
	return container.Volume{Name: name, Claim: claim, MountedBy: by}
}

func at(device, root, point string) mount.Mount {
	major, minor, _ := strings.Cut(device, ":")
	return mount.Mount{Major: major, Minor: minor, Root: root, Point: point}
}

const ofPods = "/var/lib/kubelet/pods/"

func TestAClaimHasTheKubeletsFamilies(t *testing.T) {
	n := &node{pods: []container.Pod{pod("1", claimed("data", "data-db-0"))}, mounts: []mount.Mount{
		at("8:1", "/", "/"), at("8:16", "/", ofPods+"1/volumes/kubernetes.io~csi/pvc-7/mount"),
		at("0:9", "/", ofPods+"1/volumes/kubernetes.io~projected/token"),
	}}
	const labels = `{namespace="shop",persistentvolumeclaim="data-db-0"} `
	want(t, collect(t, n.collector()),
		"kubelet_volume_stats_capacity_bytes"+labels+"409600", "kubelet_volume_stats_available_bytes"+labels+"204800",
		"kubelet_volume_stats_used_bytes"+labels+"163840", "kubelet_volume_stats_inodes"+labels+"10",
		"kubelet_volume_stats_inodes_free"+labels+"7", "kubelet_volume_stats_inodes_used"+labels+"3",
		`loadline_volume_available{namespace="shop",persistentvolumeclaim="data-db-0",reason=""} 1`)
	want(t, n.asked, "/host"+ofPods+"1/volumes/kubernetes.io~csi/pvc-7/mount")
}

func TestTwoPodsThatShareAClaimAreOneSeries(t *testing.T) {
	n := &node{pods: []container.Pod{pod("1", claimed("a", "shared")), pod("2", claimed("b", "shared"))}, mounts: []mount.Mount{
		at("0:50", "/", ofPods+"1/volumes/kubernetes.io~nfs/pv"), at("0:50", "/", ofPods+"2/volumes/kubernetes.io~nfs/pv"),
	}}
	want(t, of(collect(t, n.collector()), "kubelet_volume_stats_used_bytes"), `{namespace="shop",persistentvolumeclaim="shared"} 163840`)
}

func TestClaimsOfOnePodAreToldApartByWhatItsContainersHaveMounted(t *testing.T) {
	p := pod("1",
		claimed("a", "claim-a", container.VolumeMount{Container: "init", Path: "/a"}, container.VolumeMount{Container: "app", Path: "/data/a/"}),
		claimed("b", "claim-b", container.VolumeMount{Container: "app", Path: "/data/b"}),
		claimed("c", "claim-c", container.VolumeMount{Container: "app", Path: "/data/c"}),
		claimed("lost", "claim-lost", container.VolumeMount{Container: "other", Path: "/data/lost"}))
	p.InlineVolumes = map[string]bool{"inline": true}
	n := &node{
		pods: []container.Pod{p}, containers: []*container.Container{
			{Place: hierarchy.Place{Container: "app"}, PodUID: "2", CgroupPath: "/other-pod"},
			{Place: hierarchy.Place{Container: "app"}, PodUID: "1", CgroupPath: "/app"},
		},
		mounts: []mount.Mount{
			at("8:16", "/", ofPods+"1/volumes/kubernetes.io~csi/pv-1/mount"),
			at("8:32", "/", ofPods+"1/volumes/kubernetes.io~csi/pv-2/mount"),
			at("8:1", "/srv", ofPods+"1/volumes/kubernetes.io~local-volume/pv-3"),
			at("8:1", "/srv/deep", ofPods+"1/volumes/kubernetes.io~local-volume/pv-4"),
			at("8:48", "/", ofPods+"1/volumes/kubernetes.io~csi/inline/mount"),
		},
		mountsOf: map[string][]mount.Mount{"/app": {
			at("0:44", "/", "/"), at("8:1", "/srv", "/data/a"), at("8:32", "/sub/path", "/data/a"), // the later is on top
			at("8:16", "/", "/data/b"), at("8:1", "/srv/deep/er", "/data/c"),
		}},
	}
	c := n.collector()
	for _, when := range []string{"at first", "remembered"} {
		n.asked = nil
		got := of(collect(t, c), "kubelet_volume_stats_inodes")
		var names []string
		for _, l := range got {
			names = append(names, strings.Split(l, `"`)[3])
		}
		want(t, names, "claim-a", "claim-b", "claim-c")
		want(t, n.asked, "/host"+ofPods+"1/volumes/kubernetes.io~csi/pv-2/mount", "/host"+ofPods+"1/volumes/kubernetes.io~csi/pv-1/mount",
			"/host"+ofPods+"1/volumes/kubernetes.io~local-volume/pv-4")
		if t.Failed() {
			t.Fatal(when)
		}
		n.mountsOf = nil // the container has ended; the pod's mounts are there
	}
	n.mounts = n.mounts[1:]
	if got := of(collect(t, c), "kubelet_volume_stats_inodes"); len(got) != 2 {
		t.Errorf("of what is no longer mounted there are still series: %v", got)
	}
	n.pods = []container.Pod{}
	if collect(t, c); len(c.known) != 0 {
		t.Errorf("%d places are remembered of pods that are gone", len(c.known))
	}
}

func TestAPodsOnlyClaimIsNotTakenForAnInlineVolume(t *testing.T) {
	p := pod("1", claimed("data", "data-db-0"))
	p.InlineVolumes = map[string]bool{"nfs": true}
	n := &node{pods: []container.Pod{p}, mounts: []mount.Mount{at("0:50", "/", ofPods+"1/volumes/kubernetes.io~nfs/nfs")}}
	want(t, collect(t, n.collector()))
}

func TestEmptyDirectoriesInMemoryHaveTheirSpace(t *testing.T) {
	n := &node{pods: []container.Pod{pod("1",
		container.Volume{Name: "shm", InMemory: true, SizeLimit: 1 << 20}, container.Volume{Name: "free", InMemory: true},
		container.Volume{Name: "tmp"}, container.Volume{Name: "../../..", InMemory: true})},
		mounts: []mount.Mount{
			at("0:50", "/", ofPods+"1/volumes/kubernetes.io~empty-dir/shm"), at("0:51", "/", ofPods+"1/volumes/kubernetes.io~empty-dir/free"),
			at("8:1", "/", "/var/lib/kubelet"), at("0:52", "/", ofPods+"1/volumes/kubernetes.io~empty-dir/tmp"),
		}}
	const labels = `{namespace="shop",pod="db-1",workload="db",workload_type="statefulset",volume=`
	want(t, collect(t, n.collector()),
		"loadline_pod_volume_used_bytes"+labels+`"shm",medium="memory"} 163840`,
		"loadline_pod_volume_used_bytes"+labels+`"free",medium="memory"} 163840`,
		"loadline_pod_volume_limit_bytes"+labels+`"shm",medium="memory"} 1048576`)
}

func TestEmptyDirectoriesOnDiskHaveWhatWasCounted(t *testing.T) {
	ended := pod("2", container.Volume{Name: "tmp"})
	ended.Ended = true
	n := &node{
		pods: []container.Pod{pod("1", container.Volume{Name: "tmp", SizeLimit: 9000}, container.Volume{Name: "not yet"}, claimed("data", "c")), ended},
		counted: map[string]float64{
			ofPods + "1/volumes/kubernetes.io~empty-dir/tmp": 4096, ofPods + "2/volumes/kubernetes.io~empty-dir/tmp": 1,
			ofPods + "1/volumes/kubernetes.io~empty-dir/data": 1,
		},
	}
	const labels = `{namespace="shop",pod="db-1",workload="db",workload_type="statefulset",volume="tmp",medium="disk"} `
	want(t, collect(t, n.collector()), "loadline_pod_volume_used_bytes"+labels+"4096", "loadline_pod_volume_limit_bytes"+labels+"9000")
}

func TestAVolumeThatHangsIsReportedAndHoldsUpNothing(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	n := &node{pods: []container.Pod{
		pod("1", claimed("a", "hung")), pod("2", claimed("b", "good")), pod("3", claimed("c", "broken")), pod("4", claimed("d", "closed")),
	}}
	for i := range 4 {
		n.mounts = append(n.mounts, at(fmt.Sprint("0:", i), "/", fmt.Sprint(ofPods, i+1, "/volumes/kubernetes.io~nfs/pv")))
	}
	n.statfs = func(path string, _ *unix.Statfs_t) error {
		switch {
		case strings.Contains(path, "/pods/1/"):
			<-release
		case strings.Contains(path, "/pods/3/"):
			return unix.ESTALE
		case strings.Contains(path, "/pods/4/"):
			return unix.EACCES
		}
		return nil
	}
	c := n.collector()
	for range 2 {
		lines := collect(t, c)
		want(t, of(lines, "loadline_volume_available"),
			`{namespace="shop",persistentvolumeclaim="hung",reason="timeout"} 0`, `{namespace="shop",persistentvolumeclaim="good",reason=""} 1`,
			`{namespace="shop",persistentvolumeclaim="broken",reason="failed"} 0`, `{namespace="shop",persistentvolumeclaim="closed",reason="forbidden"} 0`)
		want(t, of(lines, "kubelet_volume_stats_capacity_bytes"), `{namespace="shop",persistentvolumeclaim="good"} 0`)
	}
}

func TestWithoutAKubeletThereAreNoVolumes(t *testing.T) {
	n := &node{mounts: []mount.Mount{at("8:16", "/", ofPods+"1/volumes/kubernetes.io~csi/pvc-7/mount")}}
	want(t, collect(t, n.collector()))
}

// TestRealMounts lays file systems out as a kubelet does, below a root of its own.
func TestRealMounts(t *testing.T) {
	need.Root(t)
	root := ledger.Open(t).Dir()
	tmpfs := func(path, size string) {
		t.Helper()
		if err := os.MkdirAll(root+path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("tmpfs", root+path, "tmpfs", 0, "nr_inodes=100,size="+size); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := unix.Unmount(root+path, 0); err != nil {
				t.Errorf("unmount %s: %v", path, err)
			}
		})
	}
	a, b, shm := ofPods+"1/volumes/kubernetes.io~csi/pv-1/mount", ofPods+"1/volumes/kubernetes.io~nfs/pv-2", ofPods+"1/volumes/kubernetes.io~empty-dir/shm"
	tmpfs(a, "1m")
	tmpfs(b, "2m")
	tmpfs(shm, "4m")
	for file, size := range map[string]int{root + a + "/f": 100 << 10, root + shm + "/f": 8 << 10} {
		if err := os.WriteFile(file, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// What the container has mounted: a directory of the first.
	inside := root + "/container/data"
	if err := errors.Join(os.MkdirAll(inside, 0o755), os.Mkdir(root+a+"/sub", 0o755), unix.Mount(root+a+"/sub", inside, "", unix.MS_BIND, "")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(inside, 0) })

	proc, err := procfs.NewDefaultFS()
	if err != nil {
		t.Fatal(err)
	}
	n := &node{pods: []container.Pod{pod("1",
		claimed("a", "claim-a", container.VolumeMount{Container: "app", Path: inside}), claimed("b", "claim-b"),
		container.Volume{Name: "shm", InMemory: true, SizeLimit: 4 << 20})},
		containers: []*container.Container{{Place: hierarchy.Place{Container: "app"}, PodUID: "1"}},
		statfs:     mount.Statfs,
	}
	c := n.collector()
	c.Root = root
	c.Mounts = func() ([]mount.Mount, error) { return mount.Table(proc, root) }
	c.MountsOf = func(string) ([]mount.Mount, error) { return mount.Of(proc, os.Getpid()) }
	lines := collect(t, c)
	const labels = `{namespace="shop",persistentvolumeclaim="claim-a"} `
	for _, line := range []string{
		"kubelet_volume_stats_capacity_bytes" + labels + "1048576", "kubelet_volume_stats_used_bytes" + labels + "102400",
		"kubelet_volume_stats_available_bytes" + labels + "946176", "kubelet_volume_stats_inodes" + labels + "100",
		"kubelet_volume_stats_inodes_used" + labels + "3", // the root, the file, the directory
		`loadline_pod_volume_used_bytes{namespace="shop",pod="db-1",workload="db",workload_type="statefulset",volume="shm",medium="memory"} 8192`,
	} {
		if !slices.Contains(lines, line) {
			t.Errorf("no %s in\n%s", line, strings.Join(lines, "\n"))
		}
	}
	if strings.Contains(strings.Join(lines, "\n"), "claim-b") {
		t.Errorf("the claim that no container shows has series:\n%s", strings.Join(lines, "\n"))
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("/data", "/srv/a", "/srv")
	f.Add("/", "/", "/")
	f.Fuzz(func(t *testing.T, path, root, candidate string) {
		got := match([]mount.Mount{at("8:1", root, path)}, path, []mount.Mount{at("8:1", candidate, "/point")})
		if got != "" && !strings.HasPrefix(filepath.Join("/", root), filepath.Join("/", candidate)) && strings.Trim(candidate, "/") != "" {
			t.Errorf("%q is taken for %q", root, candidate)
		}
	})
}
