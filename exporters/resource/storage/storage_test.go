package storage

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/cri"
	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
	"github.com/loadline-exporters/loadline/exporters/resource/usage"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// node has its files below a directory, and says of everything else what a test
// puts in.
type node struct {
	mu         sync.Mutex // of what a test changes while it runs
	root       string
	containers []*container.Container
	pods       []container.Pod
	layers     map[string]cri.Layer
	mountsOf   map[string][]mount.Mount // by cgroup path
	mounts     []mount.Mount
	asked      int
	tables     int // times that the node's mounts were read
	statfs     func(string, *unix.Statfs_t) error

	collector *Collector
}

func newNode(t *testing.T) *node {
	t.Helper()
	n := &node{root: t.TempDir(), mountsOf: map[string][]mount.Mount{}, mounts: []mount.Mount{
		{Point: "/", Device: "/dev/sda1", FSType: "ext4"}, {Point: "/var/lib/containerd", Device: "/dev/sdb1", FSType: "xfs"},
	}}
	n.statfs = func(path string, into *unix.Statfs_t) error {
		*into = unix.Statfs_t{Bsize: 4096, Blocks: uint64(len(path)), Files: 10, Ffree: 7}
		return nil
	}
	p := &Planner{
		Containers: func() []*container.Container {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.containers
		},
		Pods:   func() ([]container.Pod, bool) { return n.pods, n.pods != nil },
		Layers: func() (map[string]cri.Layer, bool) { return n.layers, n.layers != nil },
		MountsOf: func(path string) ([]mount.Mount, error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.asked++
			if m, ok := n.mountsOf[path]; ok {
				return m, nil
			}
			return nil, fs.ErrNotExist
		},
		Mounts: func() ([]mount.Mount, error) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.tables++
			return n.mounts, nil
		},
		PodLogs: "/var/log/pods", KubeletRoot: "/var/lib/kubelet",
		Counter: usage.NewCounter(n.root, 1000, slog.New(slog.DiscardHandler)),
	}
	n.collector = &Collector{Planner: p, Root: "/host", Prober: mount.NewProber(
		func(path string, into *unix.Statfs_t) error { return n.statfs(path, into) }, time.Second, 2, slog.New(slog.DiscardHandler))}
	return n
}

// run plans and counts while check runs, in fake time.
func (n *node) run(t *testing.T, check func(after func(time.Duration))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		n.collector.Counter = usage.NewCounter(n.root, 1000, slog.New(slog.DiscardHandler)) // of this bubble
		go n.collector.Run(ctx)
		go func() { _ = n.collector.Counter.Run(ctx) }()
		check(func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		})
		cancel()
		synctest.Wait()
	})
}

// change changes what containers there are and what they have mounted.
func (n *node) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

// times is how often containers' mounts were asked for.
func (n *node) times() (asked int) {
	n.change(func() { asked = n.asked })
	return asked
}

// files writes one file of so many KiB and returns what it takes with its directory.
func (n *node) files(t *testing.T, dir, name string, kib int) float64 {
	t.Helper()
	file := filepath.Join(n.root, dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte{1}, kib<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	return n.space(t, dir) + n.space(t, filepath.Join(dir, name))
}

// space is what a file takes by itself.
func (n *node) space(t *testing.T, path string) float64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(n.root, path), &st); err != nil {
		t.Fatal(err)
	}
	return float64(st.Blocks) * 512
}

func (n *node) collect(t *testing.T) (lines []string) {
	t.Helper()
	own := metrics.Table().Of("storage")
	w := family.NewWriter(own, nil)
	if err := n.collector.Collect(context.Background(), w); err != nil {
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

// values are those of a family by the label that is named.
func values(t *testing.T, lines []string, name, label string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, l := range lines {
		rest, ok := strings.CutPrefix(l, name+"{")
		if !ok {
			continue
		}
		_, value, _ := strings.Cut(","+rest, ","+label+`="`)
		value, _, _ = strings.Cut(value, `"`)
		out[value] = l[strings.LastIndexByte(l, ' ')+1:]
	}
	return out
}

func want(t *testing.T, what string, got map[string]string, want map[string]float64) {
	t.Helper()
	rendered := map[string]string{}
	for k, v := range want {
		rendered[k] = fmt.Sprint(int64(v))
	}
	if fmt.Sprint(got) != fmt.Sprint(rendered) {
		t.Errorf("%s: got %v, want %v", what, got, rendered)
	}
}

func plain(id string) *container.Container {
	c := &container.Container{
		CgroupPath: "/" + id, ID: id, Place: hierarchy.OfLabels(hierarchy.Containerd, id, nil), Name: id, Started: time.Unix(1, 0),
	}
	c.Render()
	return c
}

func inPod(id, pod, name string) *container.Container {
	c := plain(id)
	c.Place = hierarchy.OfLabels(hierarchy.Containerd, id, hierarchy.PodLabels("shop", pod, "u-"+pod, name))
	c.PodUID = "u-" + pod
	c.Render()
	return c
}

// overlay is what a container with this layer has mounted.
func overlay(layer string) []mount.Mount {
	return []mount.Mount{
		{Point: "/proc", FSType: "proc"}, {Point: "/", FSType: "overlay", Upper: layer, Work: path.Join(path.Dir(layer), "work")},
	}
}

const snapshots = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/"

func TestAContainersLayerAndLogsAreItsUsage(t *testing.T) {
	n := newNode(t)
	layer := n.files(t, snapshots+"7/fs", "data", 100)
	logs := n.files(t, "/var/log/pods/shop_web_u-web/app", "0.log", 10) - n.space(t, "/var/log/pods/shop_web_u-web/app")
	sandbox := inPod("s", "web", "")
	sandbox.Sandbox = true
	n.containers = []*container.Container{inPod("a", "web", "app"), plain("bare"), plain("without"), sandbox}
	bare := n.files(t, snapshots+"8/fs", "data", 20)
	n.mountsOf = map[string][]mount.Mount{"/a": overlay(snapshots + "7/fs"), "/bare": overlay(snapshots + "8/fs"), "/without": {}}
	n.run(t, func(after func(time.Duration)) {
		after(time.Second)
		lines := n.collect(t)
		want(t, "usage", values(t, lines, "container_fs_usage_bytes", "id"), map[string]float64{"/a": layer + logs, "/bare": bare})
		want(t, "logs", values(t, lines, "loadline_container_log_bytes", "container"), map[string]float64{"app": logs})
		want(t, "ephemeral", values(t, lines, "loadline_container_ephemeral_storage_bytes", "container"), map[string]float64{"app": layer + logs, "bare": bare})
		// The size is that of the mount by the length of its path, as this test has it.
		size := float64(len("/host/var/lib/containerd")) * 4096
		want(t, "limit", values(t, lines, "container_fs_limit_bytes", "id"), map[string]float64{"/a": size, "/bare": size})
		want(t, "inodes", values(t, lines, "container_fs_inodes_total", "device"), map[string]float64{"/dev/sdb1": 10})
		want(t, "free inodes", values(t, lines, "container_fs_inodes_free", "device"), map[string]float64{"/dev/sdb1": 7})
		want(t, "directories", values(t, lines, "loadline_storage_directories", "state"),
			map[string]float64{"pending": 0, "counted": 3, "absent": 0, "failed": 0})
	})
}

func TestNothingIsSaidOfAContainerBeforeAllOfItIsCounted(t *testing.T) {
	n := newNode(t)
	n.files(t, "/var/log/pods/shop_web_u-web/app", "0.log", 1)
	for i := range 1500 {
		n.files(t, snapshots+"7/fs", fmt.Sprint(i), 0)
	}
	n.containers = []*container.Container{inPod("a", "web", "app")}
	n.mountsOf["/a"] = overlay(snapshots + "7/fs")
	n.run(t, func(after func(time.Duration)) {
		for second, known := range []int{0, 1} {
			after(time.Second)
			lines := n.collect(t)
			for _, name := range []string{"container_fs_usage_bytes", "loadline_container_ephemeral_storage_bytes"} {
				if got := values(t, lines, name, "id"); len(got) != known {
					t.Errorf("after %d s %s is %v", second+1, name, got)
				}
			}
			if got := values(t, lines, "container_fs_limit_bytes", "id"); len(got) != 1 {
				t.Errorf("after %d s the limit is %v", second+1, got)
			}
		}
	})
}

func TestALayerThatTheRuntimeCountsIsNotWalked(t *testing.T) {
	n := newNode(t)
	n.containers = []*container.Container{inPod("a", "web", "app")}
	n.mountsOf["/a"] = overlay(snapshots + "7/fs")
	n.files(t, snapshots+"7/fs", "data", 100)
	n.layers = map[string]cri.Layer{"a": {Bytes: 12345, Path: "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs"}}
	n.run(t, func(after func(time.Duration)) {
		after(time.Second)
		lines := n.collect(t)
		want(t, "usage", values(t, lines, "container_fs_usage_bytes", "device"), map[string]float64{"/dev/sdb1": 12345})
		want(t, "logs that are not there", values(t, lines, "loadline_container_log_bytes", "id"), nil)
		if n.times() != 0 || n.collector.Counter.Examined.Load() > 1 {
			t.Errorf("%d mount tables were read and %d files looked at", n.times(), n.collector.Counter.Examined.Load())
		}
	})
}

func TestOfDockersDirectoriesTheLogsCount(t *testing.T) {
	n := newNode(t)
	c := plain("d")
	c.LogDir = "/data/docker/containers/d"
	n.files(t, c.LogDir, "config.v2.json", 400)
	dirs := n.files(t, c.LogDir, "d-json.log", 30) + n.files(t, c.LogDir, "d-json.log.1", 30)
	logs := dirs - 2*n.space(t, c.LogDir)
	n.containers = []*container.Container{c}
	n.mountsOf["/d"] = overlay("/data/docker/overlay2/abc/diff")
	layer := n.files(t, "/data/docker/overlay2/abc/diff", "x", 8)
	n.run(t, func(after func(time.Duration)) {
		after(time.Second)
		lines := n.collect(t)
		want(t, "logs", values(t, lines, "loadline_container_log_bytes", "id"), map[string]float64{"/d": logs})
		want(t, "usage", values(t, lines, "container_fs_usage_bytes", "device"), map[string]float64{"/dev/sda1": layer + logs})
	})
}

func TestOnlyWhatLiesAsEnginesLayItIsALayer(t *testing.T) {
	root := func(m mount.Mount) []mount.Mount { m.Point = "/"; return []mount.Mount{m} }
	for name, test := range map[string]struct {
		mounts []mount.Mount
		want   string
	}{
		"containerd's": {overlay("/c/snapshots/1/fs"), "/c/snapshots/1/fs"},
		"Docker's":     {overlay("/d/overlay2/a/diff"), "/d/overlay2/a/diff"},
		"none":         {nil, ""},
		"no overlay":   {root(mount.Mount{FSType: "ext4", Upper: "/c/1/fs", Work: "/c/1/work"}), ""},
		"read-only":    {root(mount.Mount{FSType: "overlay"}), ""},
		"one not at the root": {[]mount.Mount{{
			Point: "/merged", FSType: "overlay", Upper: "/c/1/fs", Work: "/c/1/work",
		}}, ""},
		"somebody's own directory":     {overlay("/etc"), ""},
		"the root":                     {overlay("/"), ""},
		"a relative path":              {overlay("a/diff"), ""},
		"a way out":                    {overlay("/c/../../etc/fs"), ""},
		"a path that is not clean":     {overlay("/c//1/fs"), ""},
		"the work directory elsewhere": {root(mount.Mount{FSType: "overlay", Upper: "/etc/fs", Work: "/tmp/work"}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := upper(test.mounts); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAHostilePathIsNotFollowed(t *testing.T) {
	n := newNode(t)
	n.files(t, "/secret/fs", "data", 100)
	n.files(t, snapshots+"7/fs", "data", 1)
	if err := os.Symlink("/secret", n.root+snapshots+"7/fs/way"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../../../../../secret", n.root+snapshots+"out"); err != nil {
		t.Fatal(err)
	}
	slash := inPod("c", "../../../../secret", "fs")
	slash.Place.Pod = "../../secret"
	n.containers = []*container.Container{plain("a"), plain("b"), slash}
	n.mountsOf = map[string][]mount.Mount{"/a": overlay(snapshots + "7/fs/way/fs"), "/b": overlay(snapshots + "out/fs")}
	n.run(t, func(after func(time.Duration)) {
		after(time.Second)
		lines := n.collect(t)
		want(t, "usage", values(t, lines, "container_fs_usage_bytes", "id"), nil)
		want(t, "directories", values(t, lines, "loadline_storage_directories", "state"),
			map[string]float64{"pending": 0, "counted": 0, "absent": 0, "failed": 2})
	})
}

func TestAContainerThatIsBeingMadeHasNotTheNodesLayer(t *testing.T) {
	n := newNode(t)
	n.mounts = append(n.mounts, mount.Mount{Point: "/", FSType: "overlay", Upper: "/node/1/fs", Work: "/node/1/work"})
	n.mounts = n.mounts[1:] // this is the root
	n.containers = []*container.Container{plain("a")}
	n.mountsOf["/a"] = overlay("/node/1/fs")
	n.files(t, "/node/1/fs", "all", 1000)
	layer := n.files(t, snapshots+"7/fs", "data", 1)
	n.run(t, func(after func(time.Duration)) {
		after(time.Second)
		want(t, "while it is made", values(t, n.collect(t), "container_fs_usage_bytes", "id"), nil)
		n.change(func() { n.mountsOf["/a"] = overlay(snapshots + "7/fs") })
		after(planEvery)
		want(t, "then", values(t, n.collect(t), "container_fs_usage_bytes", "id"), map[string]float64{"/a": layer})
		asked := n.times()
		if after(3 * planEvery); n.times() != asked {
			t.Errorf("its mounts were read %d times more", n.times()-asked)
		}
		again := plain("a")
		again.Started = time.Unix(2, 0)
		n.change(func() {
			n.containers = []*container.Container{again}
			n.mountsOf["/a"] = overlay(snapshots + "9/fs")
		})
		other := n.files(t, snapshots+"9/fs", "data", 50)
		want(t, "another of the same path, at first", values(t, n.collect(t), "container_fs_usage_bytes", "id"), nil)
		after(planEvery)
		want(t, "another of the same path", values(t, n.collect(t), "container_fs_usage_bytes", "id"), map[string]float64{"/a": other})
		n.change(func() { n.containers = nil })
		want(t, "at once after its end", values(t, n.collect(t), "container_fs_usage_bytes", "id"), nil)
		if after(planEvery); len(n.collector.layers) != 0 {
			t.Errorf("layers of containers that have ended are remembered: %v", n.collector.layers)
		}
	})
}

func TestWhereThereIsNoLayerItIsLookedForEverLessOften(t *testing.T) {
	n := newNode(t)
	n.containers = []*container.Container{plain("a")}
	n.mountsOf["/a"] = []mount.Mount{{Point: "/", FSType: "btrfs"}}
	n.run(t, func(after func(time.Duration)) {
		var asked []int
		for range 4 {
			before := n.times()
			after(10 * time.Minute)
			asked = append(asked, n.times()-before)
		}
		if asked[0] > 9 || asked[3] < 1 || asked[3] > 2 {
			t.Errorf("in each ten minutes it was looked for %v times", asked)
		}
		if n.tables > 42 {
			t.Errorf("the node's mounts were read %d times in 40 minutes", n.tables)
		}
	})
}

func TestAPodTakesWhatItsContainersAndEmptyDirectoriesTake(t *testing.T) {
	n := newNode(t)
	n.containers = []*container.Container{inPod("a", "web", "app"), inPod("b", "web", "side"), inPod("c", "late", "app")}
	n.layers = map[string]cri.Layer{"a": {Bytes: 1000}, "b": {Bytes: 2000}, "c": {Bytes: 4000}}
	tmp := n.files(t, "/var/lib/kubelet/pods/u-web/volumes/kubernetes.io~empty-dir/tmp", "f", 16)
	logs := n.files(t, "/var/log/pods/shop_web_u-web/side", "0.log", 4) - n.space(t, "/var/log/pods/shop_web_u-web/side")
	pod := func(name string, volumes ...container.Volume) container.Pod {
		return container.Pod{
			UID: types.UID("u-" + name), Namespace: "shop", Name: name, Workload: hierarchy.Workload{Name: name, Type: "pod"}, Volumes: volumes,
		}
	}
	n.pods = []container.Pod{
		pod("web", container.Volume{Name: "tmp"}, container.Volume{Name: "shm", InMemory: true}, container.Volume{Name: "data", Claim: "x"}),
		pod("late", container.Volume{Name: "not-made-yet"}), pod("waits"),
	}
	n.run(t, func(after func(time.Duration)) {
		after(time.Second)
		want(t, "pods", values(t, n.collect(t), "loadline_pod_ephemeral_storage_bytes", "pod"), map[string]float64{"web": 3000 + logs + tmp})
	})
}

func TestAFileSystemThatHangsKeepsNothingBackButItsOwnNumbers(t *testing.T) {
	n := newNode(t)
	release := make(chan struct{})
	defer close(release)
	n.statfs = func(string, *unix.Statfs_t) error { <-release; return nil }
	n.containers = []*container.Container{plain("a")}
	n.layers = map[string]cri.Layer{"a": {Bytes: 1000, Path: "/var/lib/containerd"}}
	n.collector.update()
	lines := n.collect(t)
	want(t, "usage", values(t, lines, "container_fs_usage_bytes", "id"), map[string]float64{"/a": 1000})
	want(t, "limit", values(t, lines, "container_fs_limit_bytes", "id"), nil)
}

func TestAPathIsOnTheNearestMountAboveIt(t *testing.T) {
	mounts := []mount.Mount{
		{Point: "/", Device: "root"}, {Point: "/var/lib/docker", Device: "lower"}, {Point: "/var/lib/docker", Device: "docker"}, {Point: "/var", Device: "var"},
	}
	for path, want := range map[string]string{
		"/var/lib/docker/x": "docker", "/var/lib/docker": "docker", "/var/lib/docker2": "var", "/srv": "root", "/": "root", "": "",
	} {
		got := ""
		if m := holding(mounts, path); m != nil {
			got = m.Device
		}
		if got != want {
			t.Errorf("%q is on %q, want %q", path, got, want)
		}
	}
}

func FuzzUpper(f *testing.F) {
	f.Add("/c/1/fs", "/c/1/work")
	f.Add("/d/a/diff", "/d/a/work")
	f.Add("/../fs", "/../work")
	f.Fuzz(func(t *testing.T, layer, work string) {
		got := upper([]mount.Mount{{Point: "/", FSType: "overlay", Upper: layer, Work: work}})
		if got != "" && (!filepath.IsAbs(got) || filepath.Clean(got) != got || filepath.Dir(work) != filepath.Dir(got)) {
			t.Errorf("%q beside %q is taken as %q", layer, work, got)
		}
	})
}
