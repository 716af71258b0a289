package cgroup

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// unpack writes a text archive of files below a new directory.
func unpack(t testing.TB, archive string) string {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range a.Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestContainersAreKnownByTheirPaths(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for path, want := range map[string]Identity{
		"/docker/" + id:                         {id, "docker", ""},
		"/system.slice/docker-" + id + ".scope": {id, "docker", ""},
		"/kubepods/burstable/pod12-34/" + id:    {id, "", "12-34"},
		"/kubepods/pod12-34/" + id:              {id, "", "12-34"},
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_34.slice/cri-containerd-" + id + ".scope": {id, "containerd", "12-34"},
		"/kubepods.slice/kubepods-pod12_34.slice/crio-" + id + ".scope":                                              {id, "cri-o", "12-34"},
		"/kubepods-besteffort-pod12_34.slice:cri-containerd:" + id:                                                   {id, "containerd", ""},
		"/system.slice/kubepods-besteffort-pod12_34.slice:cri-containerd:" + id:                                      {id, "containerd", "12-34"},
		"/machine.slice/libpod-" + id + ".scope":                                                                     {id, "podman", ""},
		"/libpod_parent/libpod-" + id:                                                                                {id, "podman", ""},
		"/docker/" + id + "/kubelet/kubepods/besteffort/podab/" + id:                                                 {id, "", "ab"},
		"/kubepods/burstable/pod12-34":                                                                               {},
		"/system.slice/crio-conmon-" + id + ".scope":                                                                 {},
		"/machine.slice/libpod-conmon-" + id + ".scope":                                                              {},
		"/docker/" + id[:63]:             {},
		"/docker/" + strings.ToUpper(id): {},
		"/system.slice/ssh.service":      {},
		"/":                              {},
	} {
		got, ok := Identify(path)
		if path == "/kubepods-besteffort-pod12_34.slice:cri-containerd:"+id {
			want.PodUID = "12-34"
		}
		if got != want || ok != (want.ID != "") {
			t.Errorf("%s: got %+v, %v; want %+v", path, got, ok, want)
		}
	}
}

func TestRuntimePathsAreThoseOfTheTree(t *testing.T) {
	for in, want := range map[string]string{
		"/default/job":           "/default/job",
		"default/job":            "/default/job",
		"user.slice:nerdctl:abc": "/user.slice/nerdctl-abc.scope",
		":docker:abc":            "/system.slice/docker-abc.scope",
		"kubepods-burstable-pod1.slice:cri-containerd:x": "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-x.scope",
		"-.slice:p:x": "/p-x.scope",
		"/a/b:c:d":    "/a/b:c:d",
	} {
		if got := RuntimePath(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

// TestStatsOfEachSetUp reads one container in every kind of tree and compares all
// that was read with a golden file.
func TestStatsOfEachSetUp(t *testing.T) {
	for _, version := range []Version{V1, V2, Hybrid} {
		t.Run(string(version), func(t *testing.T) {
			tree, err := Open(unpack(t, "testdata/"+string(version)+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			if tree.Version != version {
				t.Errorf("set-up is %s, want %s", tree.Version, version)
			}
			var b Buffer
			var out strings.Builder
			for _, group := range []string{"/limited", "/free"} {
				s, err := tree.Group(group).Read(&b)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&out, "%s\nCPU %+v\nMemory %+v\nPIDs %+v\nIO %+v\nCPUPressure %+v\nMemoryPressure %+v\nIOPressure %+v\n",
					group, s.CPU, s.Memory, s.PIDs, s.IO, s.CPUPressure, s.MemoryPressure, s.IOPressure)
			}
			golden := "testdata/" + string(version) + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != string(want) {
				t.Errorf("got\n%s\nwant\n%s", out.String(), want)
			}
		})
	}
}

func TestAGroupThatHasEndedIsGone(t *testing.T) {
	tree, err := Open(unpack(t, "testdata/v2.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Group("/nothing").Read(new(Buffer)); err != ErrGone {
		t.Errorf("got %v, want %v", err, ErrGone)
	}
}

func TestAControllersDirectoryMadeLaterIsFound(t *testing.T) {
	dir := unpack(t, "testdata/v1.txtar")
	cpu := filepath.Join(dir, "cpu,cpuacct/limited")
	if err := os.Rename(cpu, cpu+"-later"); err != nil {
		t.Fatal(err)
	}
	tree, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	g := tree.Group("/limited")
	defer g.Close()
	var b Buffer
	if s, err := g.Read(&b); err != nil || s.CPU.Known || !s.Memory.Known {
		t.Fatalf("got %+v, %v, want memory alone", s, err)
	}
	if err := os.Rename(cpu+"-later", cpu); err != nil {
		t.Fatal(err)
	}
	if s, err := g.Read(&b); err != nil || !s.CPU.Known {
		t.Errorf("got %+v, %v, want the processor too", s, err)
	}
}

func TestATreeHasTheGroupsThatWereListedUntilTheyGo(t *testing.T) {
	everywhere(t, func(t *testing.T, g groups) {
		g.make("a")
		w := g.run()
		d := w.Dirs()["/a"]
		if !w.Tree.Has("/a", d.Inode) || w.Tree.Has("/a", d.Inode+1) || w.Tree.Has("/b", d.Inode) {
			t.Error("the group is not told from others")
		}
		g.remove("a")
		if w.Tree.Has("/a", d.Inode) {
			t.Error("a group that is gone is there")
		}
	})
}

func TestAFileThatIsNoNumberIsNamedAndTheRestIsRead(t *testing.T) {
	dir := unpack(t, "testdata/v2.txtar")
	if err := os.WriteFile(dir+"/limited/memory.current", []byte("garbage\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tree, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := tree.Group("/limited").Read(new(Buffer))
	if err == nil || !strings.Contains(err.Error(), "memory.current") {
		t.Errorf("error %v does not name the file", err)
	}
	if s.Memory.Known || !s.CPU.Known || !s.PIDs.Known {
		t.Errorf("got %+v, want all but memory", s)
	}
}

func TestNoTreeIsAnError(t *testing.T) {
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("an empty directory was taken for a tree")
	}
}

func FuzzFiles(f *testing.F) {
	for _, s := range []string{
		"max\n", "-1\n", "12345\n", "9223372036854771712\n", "18446744073709551616", "100000 max\n", "max 100000\n",
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=2\n",
		"usage_usec 1\nuser_usec 2\n", "oom_kill 3", "\x00 \n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, ok := number(b); ok && v < 0 {
			t.Errorf("number(%q) = %v", b, v)
		}
		if v, ok := signed(b); ok && v < 0 {
			t.Errorf("signed(%q) = %v", b, v)
		}
		if q, p, ok := quotaPeriod(b); ok && (q < 0 || p < 0) {
			t.Errorf("quotaPeriod(%q) = %v %v", b, q, p)
		}
		if p := pressure(b); p.Waiting < 0 || p.Stalled < 0 {
			t.Errorf("pressure(%q) = %+v", b, p)
		}
		eachPair(b, func(key []byte, _ uint64) {
			if len(key) >= len(b) {
				t.Errorf("eachPair(%q) made the key %q", b, key)
			}
		})
	})
}

func FuzzDevices(f *testing.F) {
	for _, s := range []string{
		"8:0 Read 1\n8:0 Write 2\n8:0 Total 3\nTotal 3\n", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n", "8:0\n",
		"99999999999:0 Read 1", "8:0 cost.usage=1 rbytes=2", "\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var list []Device
		eachDevice(b, &list)
		eachOperation(b, &list, func(d *Device) *[operations]float64 { return &d.Bytes })
		seen := map[[2]uint32]bool{}
		for _, d := range list {
			if id := [2]uint32{d.Major, d.Minor}; seen[id] {
				t.Errorf("%q: device %v is listed twice", b, id)
			} else {
				seen[id] = true
			}
		}
	})
}

func FuzzIdentify(f *testing.F) {
	id := strings.Repeat("a", 64)
	for _, s := range []string{"/docker/" + id, "/kubepods/pod/" + id, "a:b:" + id, ":", "/x-pod_.slice/crio-" + id + ".scope"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if id, ok := Identify(path); ok && len(id.ID) != 64 {
			t.Errorf("Identify(%q) = %+v", path, id)
		}
		RuntimePath(path)
	})
}
