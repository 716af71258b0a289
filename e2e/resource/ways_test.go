package resource

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/ledger"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/output"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// nobody is the user and the group that exist everywhere and own nothing.
const nobody = 65534

// nowhere is a path at which there is no socket.
const nowhere = "/nowhere/engine.sock"

// listens finds where an exporter listens in what it logs.
var listens = regexp.MustCompile(`msg="Listening on" address=(127\.0\.0\.1:\d+)`)

// buildExporter builds the exporter as releases are built, where every user may run it.
func buildExporter(t *testing.T) string {
	t.Helper()
	need.Root(t)
	dir, err := os.MkdirTemp("", "loadline-ways")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "resource-exporter")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "../../cmd/resource-exporter")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the exporter: %v\n%s", err, out)
	}
	return program
}

// answering waits until an exporter that writes its log to text has asked every
// source.
func answering(t *testing.T, text func() string) *exporter {
	t.Helper()
	e := &exporter{t: t, logs: &output.Buffer{}}
	wait.For(t, limit, "the exporter to be ready", func() error {
		found := listens.FindStringSubmatch(text())
		if found == nil {
			return fmt.Errorf("it does not listen; its log:\n%s", text())
		}
		e.url = "http://" + found[1]
		_, err := e.get("/-/ready", "")
		return err
	})
	return e
}

// apart runs the exporter as a process of its own, as another user or in namespaces
// of its own.
func apart(t *testing.T, as *syscall.SysProcAttr, args ...string) (*exporter, *output.Buffer) {
	t.Helper()
	return started(t, as, append([]string{buildExporter(t), "--web.listen-address=127.0.0.1:0"}, args...)...)
}

// started runs a command that becomes the exporter.
func started(t *testing.T, as *syscall.SysProcAttr, argv ...string) (*exporter, *output.Buffer) {
	t.Helper()
	logs := &output.Buffer{}
	command := exec.Command(argv[0], argv[1:]...)
	command.SysProcAttr = as
	command.Dir, command.Env = "/", []string{}
	command.Stdout, command.Stderr = logs, logs
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(command.Process.Signal(syscall.SIGTERM), command.Wait()); err != nil {
			t.Errorf("the exporter did not end well: %v; its log:\n%s", err, logs)
		}
	})
	return answering(t, logs.String), logs
}

// wantSources checks why sources do not answer; "" of one that does.
func (x exposition) wantSources(t *testing.T, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for _, s := range x.family("loadline_source_available") {
		got[s.labels["source"]] = s.labels["reason"]
		if (s.value == 1) != (s.labels["reason"] == "") {
			t.Errorf("source %s is %v with reason %q", s.labels["source"], s.value, s.labels["reason"])
		}
	}
	for name, reason := range want {
		if is, ok := got[name]; !ok || is != reason {
			t.Errorf("source %s: reason %q (known: %v), want %q", name, is, ok, reason)
		}
	}
}

// kernelLog is what a user without rights may see of the kernel's log.
func kernelLog(t *testing.T) string {
	t.Helper()
	restricted, err := os.ReadFile("/proc/sys/kernel/dmesg_restrict")
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(string(restricted)) == "0" {
		return ""
	}
	return "forbidden"
}

// between checks that a counter lies between two readings of the kernel's own, in
// nanoseconds.
func between(t *testing.T, what string, before int64, seconds float64, after int64) {
	t.Helper()
	const rounding = 1e-6
	if math.IsNaN(seconds) || seconds < float64(before)/1e9-rounding || seconds > float64(after)/1e9+rounding {
		t.Errorf("%s is %v, and the kernel's own between %v and %v", what, seconds, float64(before)/1e9, float64(after)/1e9)
	}
}

// files is how many descriptors a process has open.
func files(t *testing.T, pid int) float64 {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return float64(len(list))
}

func used(t *testing.T, c *docker.Container) int64 {
	t.Helper()
	v, err := cgroup.Value(c.Cgroup("cpuacct"), "cpuacct.usage")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAsAnotherUserThanRootContainersAreCountedAndSourcesSayWhatIsLost(t *testing.T) {
	t.Parallel()
	d := docker.Start(t)
	c := d.Run(t.Context(), docker.Spec{Name: "web", MemoryLimit: 64 * mebibyte})
	as := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	e, logs := apart(t, as, "--docker-host="+d.Host, "--containerd-address="+d.ContainerdAddress, "--kubelet-url=https://"+closedAddress(t))
	before := used(t, c)
	x := e.shows(t, limit, c.CgroupPath)
	after := used(t, c)

	own := x.of(c.CgroupPath)
	between(t, "processor time", before, own.value("container_cpu_usage_seconds_total"), after)
	if got := own.value("container_spec_memory_limit_bytes"); got != 64*mebibyte {
		t.Errorf("the memory limit is %v", got)
	}
	wait.For(t, 2*limit, "processes to be counted", func() error {
		x, err := e.scrape()
		if err == nil && x.of(c.CgroupPath).value("container_processes") != 1 {
			err = errors.New("they are not")
		}
		return err
	})
	x = e.mustScrape(t)
	for _, s := range x.of(c.CgroupPath) {
		switch s.name {
		case "container_file_descriptors":
			// Since kernel 6.2 anybody may know how many there are.
			if open := files(t, c.PID); s.value != open {
				t.Errorf("%v descriptors are counted, and it has %v", s.value, open)
			}
		case "container_sockets", "container_fs_usage_bytes":
			t.Errorf("%s is %v, of what can't be looked into", s.name, s.value)
		}
	}
	x.wantSources(t, map[string]string{
		"cgroup": "", "node-cgroups": "", "process-ends": "", "container-processes": "", "file-descriptors": "forbidden", "disk-usage": "forbidden", "sockets": "forbidden", "docker": "forbidden", "docker-events": "forbidden",
		"containerd": "forbidden", "containerd-events": "forbidden", "cri": "forbidden", "kernel-log": kernelLog(t), "kubelet": "absent", "ecs-task": "absent",
	})

	e.countsWhatEnds(t, d)
	quiet(t, e, logs.String)
}

// countsWhatEnds runs a container that uses processor time after its last scrape, and
// checks that it is counted when it ends, where it is named by its id.
func (e *exporter) countsWhatEnds(t *testing.T, d *docker.Docker) {
	t.Helper()
	short := d.Run(t.Context(), docker.Spec{Name: "short", Args: []string{"burn"}, CPUQuota: 50_000})
	e.shows(t, limit, short.CgroupPath)
	const more = 300_000_000 // nanoseconds
	seen := used(t, short)
	last := seen
	wait.For(t, limit, "the container to use processor time", func() error {
		if last = used(t, short); last < seen+more {
			return fmt.Errorf("it has used %d ns", last-seen)
		}
		return nil
	})
	if err := short.Kill(within(t), "SIGKILL"); err != nil {
		t.Fatal(err)
	}
	if _, err := short.Wait(within(t)); err != nil {
		t.Fatal(err)
	}
	wait.For(t, limit, "what it used to be counted", func() error {
		x, err := e.scrape()
		got := x.with(map[string]string{"workload": short.ID[:12]}).value("loadline_workload_cpu_seconds_total")
		if err == nil && !(got >= float64(last)/1e9) {
			err = fmt.Errorf("%v s are counted, and it used %v", got, float64(last)/1e9)
		}
		return err
	})
}

// quiet checks that an exporter that lacks something says so once, and not at each
// scrape.
func quiet(t *testing.T, e *exporter, text func() string) {
	t.Helper()
	for range 3 {
		e.mustScrape(t)
	}
	said := map[string]int{}
	times := regexp.MustCompile(`time=\S+ `)
	for line := range strings.Lines(text()) {
		if strings.Contains(line, "level=ERROR") {
			t.Errorf("the exporter complains: %s", line)
		}
		said[times.ReplaceAllString(line, "")]++
	}
	for line, n := range said {
		if n > 2 {
			t.Errorf("it is said %d times: %s", n, line)
		}
	}
}

func TestWithoutTheHostsPIDNamespaceContainersAreCountedAndTheirEndsAreNotSeen(t *testing.T) {
	t.Parallel()
	d := docker.Start(t)
	c := d.Run(t.Context(), docker.Spec{Name: "web", MemoryLimit: 64 * mebibyte})
	e, logs := apart(t, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID},
		"--docker-host="+d.Host, "--containerd-address="+d.ContainerdAddress, "--kubelet-url=https://"+closedAddress(t))
	before := used(t, c)
	x := e.shows(t, limit, c.CgroupPath)
	after := used(t, c)
	own := x.of(c.CgroupPath)
	between(t, "processor time", before, own.value("container_cpu_usage_seconds_total"), after)
	if found := own.with(map[string]string{"pod": "web"}); len(found) != len(own) {
		t.Errorf("%d of its %d series have its name", len(found), len(own))
	}
	x.wantSources(t, map[string]string{"cgroup": "", "node-cgroups": "", "docker": "", "process-ends": "absent"})
	quiet(t, e, logs.String)
}

func TestWithoutARuntimesSocketContainersAreNamedByTheirIDs(t *testing.T) {
	t.Parallel()
	d := docker.Start(t)
	c := d.Run(t.Context(), docker.Spec{Name: "web", Labels: map[string]string{"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}})
	e := startExporter(t, nowhere, "unix://"+nowhere)
	before := used(t, c)
	x := e.shows(t, limit, c.CgroupPath)
	after := used(t, c)
	own := x.of(c.CgroupPath)
	between(t, "processor time", before, own.value("container_cpu_usage_seconds_total"), after)
	short := c.ID[:12]
	for _, s := range own.family("container_memory_usage_bytes") {
		if !s.has(map[string]string{"namespace": "default", "pod": short, "container": short, "workload": short, "workload_type": "container", "name": c.ID, "image": ""}) {
			t.Errorf("its labels are %v", s.labels)
		}
	}
	x.wantSources(t, map[string]string{
		"cgroup": "", "node-cgroups": "", "process-ends": "", "docker": "absent", "docker-events": "absent",
		"containerd": "absent", "containerd-events": "absent", "cri": "absent",
	})
	quiet(t, e, e.logs.String)
}

// exporterImage has the exporter, and nothing else.
func exporterImage(t *testing.T, d *docker.Docker) string {
	t.Helper()
	program, err := os.ReadFile(buildExporter(t))
	if err != nil {
		t.Fatal(err)
	}
	i, err := image.Build(image.Spec{Name: "docker.io/loadline/resource-exporter:test"}, program)
	if err != nil {
		t.Fatal(err)
	}
	d.LoadImage(t.Context(), i)
	return i.Name
}

// inside runs the exporter in a container.
func inside(t *testing.T, d *docker.Docker, spec docker.Spec) (*docker.Container, *exporter, func() string) {
	t.Helper()
	spec.Args = []string{"--web.listen-address=127.0.0.1:0", "--kubelet-url=https://" + closedAddress(t)}
	spec.Network = "host" // the test's own, so that it is reached on the loopback device
	c := d.Run(t.Context(), spec)
	ctx := context.WithoutCancel(t.Context())
	text := func() string {
		out, err := c.Output(ctx)
		if err != nil {
			return err.Error()
		}
		return out
	}
	return c, answering(t, text), text
}

// confined is what sources say where no control group is seen but one's own.
func confined() map[string]string {
	return map[string]string{
		"cgroup": "", "node-cgroups": "absent", "process-ends": "absent", "docker": "absent", "containerd": "absent", "cri": "absent",
		"kubelet": "absent", "kernel-log": "absent", "ecs-task": "absent",
	}
}

var downward = []string{"POD_NAME=web-0", "POD_NAMESPACE=shop", "CONTAINER_NAME=agent"}

func TestASidecarServesItsOwnContainerAndSaysThatItSeesNoOther(t *testing.T) {
	t.Parallel()
	d := docker.Start(t)
	name := exporterImage(t, d)
	other := d.Run(t.Context(), docker.Spec{Name: "other"})
	for _, mode := range []string{"private", "host"} {
		t.Run("in a cgroup namespace that is "+mode, func(t *testing.T) {
			c, e, text := inside(t, d, docker.Spec{Name: "agent-" + mode, Image: name, Env: downward, MemoryLimit: 256 * mebibyte, CgroupNamespace: mode})
			before := used(t, c)
			x := e.shows(t, limit, "/")
			after := used(t, c)
			own := x.of("/")
			between(t, "processor time", before, own.value("container_cpu_usage_seconds_total"), after)
			if got := own.value("container_spec_memory_limit_bytes"); got != 256*mebibyte {
				t.Errorf("the memory limit is %v", got)
			}
			for _, s := range own.family("container_memory_usage_bytes") {
				if !s.has(map[string]string{"namespace": "shop", "pod": "web-0", "container": "agent", "workload": "web-0", "workload_type": "pod"}) {
					t.Errorf("its labels are %v", s.labels)
				}
			}
			if n := len(x.family("loadline_container_info")); n != 1 {
				t.Errorf("%d containers are served, want its own", n)
			}
			if found := x.of(other.CgroupPath); len(found) > 0 {
				t.Errorf("another's control group is served: %v", found[0])
			}
			x.wantSources(t, confined())
			quiet(t, e, text)
		})
	}
	t.Run("without a name it is the topmost group", func(t *testing.T) {
		_, e, text := inside(t, d, docker.Spec{Name: "nameless", Image: name})
		x := e.shows(t, limit, "/")
		for _, s := range x.of("/").family("container_memory_usage_bytes") {
			if s.labels["pod"] != "" || s.labels["container"] != "" {
				t.Errorf("its labels are %v", s.labels)
			}
		}
		if found := x.family("loadline_container_info"); len(found) > 0 {
			t.Errorf("a container is served: %v", found[0])
		}
		x.wantSources(t, confined())
		quiet(t, e, text)
	})
}

// ownV2 puts the process that it becomes into a group of version 2, and lets it see no
// more: $1 is the group's directory, $2 a directory that stands for /sys.
const ownV2 = `echo $$ > "$1/cgroup.procs" && sys=$2 && shift 2 &&
exec "$0" --cgroup --mount sh -c 'mount -t cgroup2 none "$0/fs/cgroup" && exec "$@"' "$sys" "$@"`

// TestASidecarOnVersion2 mounts the hierarchy of version 2 anew. Where version 1 has the
// controllers, it knows the processor time, which needs none.
func TestASidecarOnVersion2ServesItsOwnContainer(t *testing.T) {
	t.Parallel()
	need.Root(t)
	unshare := need.Program(t, "unshare", "util-linux")
	l := ledger.Open(t)
	path := fmt.Sprintf("/loadline-ways-%d", os.Getpid())
	l.Cgroup(path)
	groups, err := cgroup.At(path)
	if err != nil {
		t.Fatal(err)
	}
	own, sys := groups[cgroup.V2], t.TempDir()
	if err := errors.Join(os.Mkdir(own, 0o755), os.MkdirAll(filepath.Join(sys, "fs/cgroup"), 0o755)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cgroup.Remove(own); err != nil {
			t.Error(err)
		}
	})
	e, logs := started(t, nil, "sh", "-c", ownV2, unshare, own, sys, buildExporter(t), "--web.listen-address=127.0.0.1:0", "--path.sysfs="+sys,
		"--pod-name=web-0", "--pod-namespace=shop", "--container-name=agent",
		"--containerd-address="+nowhere, "--docker-host=unix://"+nowhere, "--kubelet-url=https://"+closedAddress(t))
	usage := func() int64 {
		v, err := cgroup.Field(own, "cpu.stat", "usage_usec")
		if err != nil {
			t.Fatal(err)
		}
		return v * 1000
	}
	before := usage()
	x := e.shows(t, limit, "/")
	after := usage()
	found := x.of("/").family("container_cpu_usage_seconds_total")
	between(t, "processor time", before, found.value("container_cpu_usage_seconds_total"), after)
	if len(found) == 1 && !found[0].has(map[string]string{"namespace": "shop", "pod": "web-0", "container": "agent", "workload": "web-0", "workload_type": "pod"}) {
		t.Errorf("its labels are %v", found[0].labels)
	}
	if n := len(x.family("loadline_container_info")); n != 1 {
		t.Errorf("%d containers are served, want its own", n)
	}
	x.wantSources(t, map[string]string{"cgroup": "", "node-cgroups": "absent", "process-ends": "absent"})
	quiet(t, e, logs.String)
}

// TestPerPodWithSharedProcesses is a pod with shareProcessNamespace: the first
// process is the pause container's, and all containers see each other's.
func TestPerPodWithSharedProcessesTheEndsOfContainersAreNotSeenAndThatIsSaid(t *testing.T) {
	t.Parallel()
	d := docker.Start(t)
	pause := d.Run(t.Context(), docker.Spec{Name: "pause"})
	shared := "container:" + pause.ID
	app := d.Run(t.Context(), docker.Spec{Name: "app", PIDs: shared})
	c, e, text := inside(t, d, docker.Spec{Name: "agent", Image: exporterImage(t, d), Env: downward, PIDs: shared, CgroupNamespace: "private"})
	x := e.shows(t, limit, "/")
	x.wantSources(t, confined())
	if err := app.Kill(within(t), "SIGKILL"); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Wait(within(t)); err != nil {
		t.Fatal(err)
	}
	before := used(t, c)
	x = e.mustScrape(t)
	after := used(t, c)
	between(t, "processor time", before, x.of("/").value("container_cpu_usage_seconds_total"), after)
	if n := len(x.family("loadline_container_info")); n != 1 {
		t.Errorf("%d containers are served, want its own", n)
	}
	x.wantSources(t, confined())
	quiet(t, e, text)
}
