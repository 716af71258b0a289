package node

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/e2e/need"
)

// TestARealBtrfsIsAskedForItsDevices runs itself in a mount namespace, with which
// the mount and its loop device go.
func TestARealBtrfsIsAskedForItsDevices(t *testing.T) {
	need.Root(t)
	mkfs := need.Program(t, "mkfs.btrfs", "btrfs-progs")
	mount := need.Program(t, "mount", "mount")
	if os.Getenv("LOADLINE_TEST_MOUNTS") == "" {
		self := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
		self.Env = append(os.Environ(), "LOADLINE_TEST_MOUNTS=1")
		self.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if out, err := self.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	run := func(program string, args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", program, err, out)
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	const size, id = 200 << 20, "0abb23a9-579b-43e6-ad30-227ef47fcb9d"
	dir := t.TempDir()
	image, point := filepath.Join(dir, "image"), filepath.Join(dir, "mount")
	if err := os.Mkdir(point, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, size); err != nil {
		t.Fatal(err)
	}
	run(mkfs, "-q", "-U", id, image)
	run(mount, "-o", "loop", image, point)
	t.Cleanup(func() { unix.Unmount(point, 0) }) // the loop device goes with it

	uuid, devices, err := mountedBtrfs("/", point)
	if err != nil {
		t.Fatal(err)
	}
	if uuid != id || len(devices) != 1 {
		t.Fatalf("%s has %d devices, want one of %s", uuid, len(devices), id)
	}
	d := devices[0]
	if d.total != size || d.used == 0 || d.used > size || !strings.HasPrefix(d.name, "loop") || len(d.uuid) != len(id) {
		t.Errorf("%+v, want a loop device of %d bytes", d, size)
	}
	if _, err := os.Stat(filepath.Join("/sys/fs/btrfs", uuid, "devices", d.name)); err != nil {
		t.Errorf("sysfs knows no such device: %v", err)
	}
	if d.errors != [len(btrfsErrors)]uint64{} {
		t.Errorf("errors %v of a new device", d.errors)
	}
}
