package systemd

import (
	"bytes"
	"context"
	"flag"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/source"
)

var update = flag.Bool("update", false, "write what is served to the golden files")

// options are those of a command line.
func options(t *testing.T, args ...string) Options {
	t.Helper()
	var o Options
	app := kingpin.New("test", "")
	o.AddFlags(app)
	if _, err := app.Parse(args); err != nil {
		t.Fatal(err)
	}
	return o
}

func client(t *testing.T, root string, args ...string) *Client {
	t.Helper()
	c, err := New(root, options(t, args...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fetch(t *testing.T, c *Client) *Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, at, err := c.Fetch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(at, "system_bus_socket") {
		t.Errorf("asked at %s, want the bus", at)
	}
	return s
}

func render(t *testing.T, s *Snapshot) string {
	t.Helper()
	table := metrics.Table()
	w := family.NewWriter(table.Of("systemd"), nil)
	if err := (Collector{Get: func() (*Snapshot, bool) { return s, s != nil }}).Collect(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	family.Budget(table, []*family.Writer{w}, 0).Encode(&out, family.Text)
	return out.String()
}

// server is a manager with a unit of each kind.
func server() *manager {
	m := &manager{properties: map[string]any{"Version": "252.39-1~deb12u1", "Virtualization": "kvm", "SystemState": "running"}}
	m.unit("ssh.service", "loaded", "active", map[string]any{
		"Service.Type": "notify", "Service.NRestarts": uint32(3), "Service.TasksCurrent": uint64(5), "Service.TasksMax": uint64(4915),
		"Unit.ActiveEnterTimestamp": uint64(1700000000250000),
	})
	m.unit("odd name\\x2d1.service", "loaded", "failed", map[string]any{
		"Service.Type": "oneshot", "Service.NRestarts": uint32(0), "Service.TasksCurrent": uint64(math.MaxUint64), "Service.TasksMax": uint64(math.MaxUint64),
	})
	m.unit("gone.service", "not-found", "inactive", nil)
	m.unit("docker.socket", "loaded", "active", map[string]any{
		"Socket.NAccepted": uint32(7), "Socket.NConnections": uint32(2), "Socket.NRefused": uint32(1), "Unit.ActiveEnterTimestamp": uint64(1),
	})
	m.unit("old.socket", "loaded", "activating", map[string]any{"Socket.NAccepted": uint32(1), "Socket.NConnections": "not a number"})
	m.unit("apt.timer", "loaded", "active", map[string]any{"Timer.LastTriggerUSec": uint64(1700000001000000), "Unit.ActiveEnterTimestamp": uint64(2)})
	m.unit("system.slice", "loaded", "active", nil)
	m.unit("data.mount", "loaded", "active", map[string]any{"Mount.Type": "ext4"})
	m.unit("multi-user.target", "loaded", "reloading", nil)
	return m
}

func TestUnitsAreServedAsTheGoldenFileSays(t *testing.T) {
	root := startBus(t, "")
	m := server()
	m.serve(t, root)
	got := render(t, fetch(t, client(t, root, "--collector.systemd.enable-task-metrics", "--collector.systemd.enable-restarts-metrics",
		"--collector.systemd.enable-start-time-metrics", `--collector.systemd.unit-exclude=.+\.slice`)))
	golden := filepath.Join("testdata", "server.prom")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("served is\n%s", got)
	}
	for _, f := range metrics.Table().Of("systemd") {
		if !strings.Contains(got, "# TYPE "+f.Name+" ") {
			t.Errorf("%s is listed and never served", f.Name)
		}
	}
}

func TestWhatIsNotAskedForIsNotServed(t *testing.T) {
	root := startBus(t, "")
	m := server()
	m.serve(t, root)
	text := render(t, fetch(t, client(t, root)))
	for _, part := range []string{"restart_total", "start_time", "tasks_", "data.mount", "system.slice", "gone.service"} {
		if strings.Contains(text, part) {
			t.Errorf("%s is served by default", part)
		}
	}
	text = render(t, fetch(t, client(t, root, "--collector.systemd.unit-include=ssh.*", "--collector.systemd.unit-exclude=")))
	if !strings.Contains(text, `name="ssh.service"`) || strings.Contains(text, "apt.timer") {
		t.Errorf("want ssh.service alone:\n%s", text)
	}
	if want := `node_systemd_units{state="active"} 5`; !strings.Contains(text, want) {
		t.Errorf("no %s: the count is of all units", want)
	}
}

func TestATypeIsAskedForOnce(t *testing.T) {
	root := startBus(t, "")
	m := server()
	m.serve(t, root)
	c := client(t, root, "--collector.systemd.unit-include=.*service")
	first := render(t, fetch(t, c))
	asked := m.asked.Load()
	if second := render(t, fetch(t, c)); second != first {
		t.Errorf("the second poll differs:\n%s", second)
	}
	if asked == 0 || m.asked.Load() != asked {
		t.Errorf("%d questions at first, %d after the second poll", asked, m.asked.Load())
	}
}

func TestOldVersionsOfSystemdLackSome(t *testing.T) {
	root := startBus(t, "")
	m := server()
	m.properties = map[string]any{"Version": "systemd 208"}
	m.serve(t, root)
	text := render(t, fetch(t, client(t, root)))
	for _, part := range []string{"system_running", "last_trigger"} {
		if strings.Contains(text, part) {
			t.Errorf("%s is served", part)
		}
	}
	for _, part := range []string{`node_systemd_version{version="systemd 208"} 208`, `{virtualization_type="unknown"} 1`} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in:\n%s", part, text)
		}
	}
}

func TestWhySystemdDoesNotAnswerIsSaid(t *testing.T) {
	hanging := &manager{hang: make(chan struct{})}
	defer close(hanging.hang)
	for name, test := range map[string]struct {
		root func(t *testing.T) string
		want source.Reason
	}{
		"there is neither a bus nor systemd": {shortDir, source.Absent},
		"there is a bus without systemd":     {func(t *testing.T) string { return startBus(t, "") }, source.Absent},
		"the bus does not let it through": {func(t *testing.T) string {
			root := startBus(t, `<deny send_interface="org.freedesktop.systemd1.Manager" send_member="ListUnits"/>`)
			server().serve(t, root)
			return root
		}, source.Forbidden},
		"systemd hangs": {func(t *testing.T) string {
			root := startBus(t, "")
			hanging.serve(t, root)
			return root
		}, source.Timeout},
		"what listens says nothing": {func(t *testing.T) string { return listen(t, "") }, source.Timeout},
		"what listens is no bus":    {func(t *testing.T) string { return listen(t, "HTTP/1.1 400 Bad Request\r\n\r\n") }, source.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, test.root(t))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, _, err := c.Fetch(ctx)
			if got := source.ReasonOf(err); err == nil || got != test.want {
				t.Errorf("%q (%v), want %q", got, err, test.want)
			}
		})
	}
}

// listen stands in for a bus that answers everything with text, or nothing.
func listen(t *testing.T, text string) string {
	t.Helper()
	root := shortDir(t)
	if err := os.MkdirAll(filepath.Join(root, "run/dbus"), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(root, "run/dbus/system_bus_socket"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte(text)) // it stays open until the other side is gone
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return root
}

func TestWithoutASnapshotNothingIsServed(t *testing.T) {
	if text := render(t, nil); text != "" {
		t.Errorf("served: %s", text)
	}
}

func TestAnExpressionThatDoesNotCompileNamesItsFlag(t *testing.T) {
	_, err := New("/", Options{Include: "(", Exclude: "["})
	for _, flag := range []string{flagInclude, flagExclude} {
		if err == nil || !strings.Contains(err.Error(), "--"+flag) {
			t.Errorf("%v does not name --%s", err, flag)
		}
	}
}
