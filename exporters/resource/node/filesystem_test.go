package node

import (
	"strings"
	"testing"
)

func TestMountPointsAreServedAsTheNodeSeesThem(t *testing.T) {
	for name, c := range map[string]struct{ root, point, want string }{
		"the root itself":                    {"/host", "/host", "/"},
		"below the root":                     {"/host", "/host/var", "/var"},
		"already as the node sees it":        {"/host", "/var", "/var"},
		"a name that only begins as root's":  {"/host", "/hostile", "/hostile"},
		"the exporter runs on the node":      {"/", "/var", "/var"},
		"the exporter runs on the node, top": {"/", "/", "/"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := stripRoot(c.root, c.point); got != c.want {
				t.Errorf("%q below %q is %q, want %q", c.point, c.root, got, c.want)
			}
		})
	}
}

func TestEscapedMountPointsAreReadAsTheyWereMounted(t *testing.T) {
	for escaped, want := range map[string]string{
		`/plain`:             "/plain",
		`/a\040b\011c\012d`:  "/a b\tc\nd",
		`/back\134040slash`:  `/back\040slash`,
		`/other\105sequence`: `/other\105sequence`,
	} {
		if got := unescape(escaped); got != want {
			t.Errorf("%s is %q, want %q", escaped, got, want)
		}
	}
}

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
