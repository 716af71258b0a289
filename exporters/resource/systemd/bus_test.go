package systemd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"

	"github.com/loadline-exporters/loadline/e2e/need"
)

// manager stands in for systemd on a real bus: the methods and properties that are
// asked for, as org.freedesktop.systemd1(5) has them.
type manager struct {
	units      []dbus.UnitStatus
	properties map[string]any // of the manager
	ofUnits    map[godbus.ObjectPath]map[string]any

	asked atomic.Int64  // properties of units
	hang  chan struct{} // if set, ListUnits waits for it
}

// ListUnits is the method of org.freedesktop.systemd1.Manager.
func (m *manager) ListUnits() ([]dbus.UnitStatus, *godbus.Error) {
	if m.hang != nil {
		<-m.hang
	}
	return m.units, nil
}

// systemProperties are those of /org/freedesktop/systemd1.
type systemProperties struct{ *manager }

// Get is the method of org.freedesktop.DBus.Properties.
func (p systemProperties) Get(_, name string) (godbus.Variant, *godbus.Error) {
	return answer(p.properties, name)
}

// unitProperties are those of all units.
type unitProperties struct{ *manager }

// Get is the method of org.freedesktop.DBus.Properties.
func (p unitProperties) Get(m godbus.Message, face, name string) (godbus.Variant, *godbus.Error) {
	p.asked.Add(1)
	path, _ := m.Headers[godbus.FieldPath].Value().(godbus.ObjectPath)
	return answer(p.ofUnits[path], strings.TrimPrefix(face, "org.freedesktop.systemd1.")+"."+name)
}

func answer(from map[string]any, name string) (godbus.Variant, *godbus.Error) {
	v, ok := from[name]
	if !ok {
		return godbus.Variant{}, godbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{name})
	}
	return godbus.MakeVariant(v), nil
}

// unit adds a unit with properties by interface and name.
func (m *manager) unit(name, load, active string, properties map[string]any) {
	path := godbus.ObjectPath("/org/freedesktop/systemd1/unit/" + dbus.PathBusEscape(name))
	m.units = append(m.units, dbus.UnitStatus{Name: name, LoadState: load, ActiveState: active, Path: path, JobPath: "/"})
	if m.ofUnits == nil {
		m.ofUnits = map[godbus.ObjectPath]map[string]any{}
	}
	m.ofUnits[path] = properties
}

// startBus runs a real dbus-daemon below a root of its own and returns the root.
// What policy allows stands in policy.
func startBus(t *testing.T, policy string) string {
	t.Helper()
	daemon := need.Program(t, "dbus-daemon", "dbus-daemon")
	root := shortDir(t)
	if err := os.MkdirAll(filepath.Join(root, "run/dbus"), 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(root, "run/dbus/system_bus_socket")
	config := filepath.Join(root, "bus.conf")
	text := fmt.Sprintf(`<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="method_return"/><allow send_type="error"/><allow send_type="signal"/><allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>%s</policy></busconfig>`, socket, policy)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daemon, "--config-file="+config, "--nofork", "--nopidfile", "--print-address")
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatalf("dbus-daemon does not listen: %v", err)
	}
	return root
}

// shortDir is a temporary directory with a short name: a socket's path has 107 bytes
// at most.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// serve puts the manager on the bus below root.
func (m *manager) serve(t *testing.T, root string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	conn, err := dial(ctx, filepath.Join(root, "run/dbus/system_bus_socket"), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	const at, properties = "/org/freedesktop/systemd1", "org.freedesktop.DBus.Properties"
	for _, err := range []error{
		conn.Export(m, at, "org.freedesktop.systemd1.Manager"),
		conn.Export(systemProperties{m}, at, properties),
		conn.ExportSubtree(unitProperties{m}, at+"/unit", properties),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if reply, err := conn.RequestName("org.freedesktop.systemd1", godbus.NameFlagDoNotQueue); err != nil || reply != godbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own the name of systemd: %v %v", reply, err)
	}
}
