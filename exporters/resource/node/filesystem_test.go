package node

import (
	"strings"
	"testing"
)

func TestMountPointsThatLabelsMakeEqualAreServedOnce(t *testing.T) {
	m := unpack(t, "old-kernel", "/")
	m.write(t, "proc/1/mountinfo", "20 1 8:1 / /a\xff rw - xfs /dev/sda1 rw\n21 1 8:1 / /a\xfe rw - xfs /dev/sda1 rw\n")
	if n := strings.Count(m.run(t, "filesystem"), "\nnode_filesystem_device_error{"); n != 1 {
		t.Errorf("%d series, want 1", n)
	}
}

func TestAMachineWithoutAnyMountinfoIsAnError(t *testing.T) {
	m := unpack(t, "old-kernel", "/")
	m.remove(t, "proc/1/mountinfo")
	_, err := collect(only(m.collectors(t), []string{"filesystem"}))
	if err == nil || !strings.Contains(err.Error(), "self/mountinfo") {
		t.Errorf("error %v, want one that names the file", err)
	}
}
