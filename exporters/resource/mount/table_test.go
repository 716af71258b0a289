package mount

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/procfs"
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
		`/a\054b\075c\043d`:  "/a,b=c#d",
		`/back\134040slash`:  `/back\040slash`,
		`/other\105sequence`: `/other\105sequence`,
	} {
		if got := unescape(escaped); got != want {
			t.Errorf("%s is %q, want %q", escaped, got, want)
		}
	}
}

func TestAnOverlaysLayersAreAsTheyWereMounted(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "42"), 0o755); err != nil {
		t.Fatal(err)
	}
	lines := "30 29 0:55 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/l/1/fs:/l/2/fs,upperdir=/a\\040b/fs,workdir=/a\\040b/work\n" +
		"31 30 8:1 /pods/x /data rw - ext4 /dev/sda1 rw\n32 30 0:60 / /tmp rw - tmpfs tmpfs rw\n33 30 0:61 / /tmp ro - tmpfs tmpfs rw\n"
	if err := os.WriteFile(filepath.Join(dir, "42/mountinfo"), []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	proc, err := procfs.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Of(proc, 42)
	if err != nil || len(got) != 3 {
		t.Fatalf("got %v, %v, want three mounts", got, err)
	}
	if m := got[0]; m.Point != "/" || m.Upper != "/a b/fs" || m.Work != "/a b/work" || m.Readonly {
		t.Errorf("the overlay is %+v", m)
	}
	if m := got[1]; m.Major+":"+m.Minor+m.Root != "8:1/pods/x" || m.Upper != "" {
		t.Errorf("the volume is %+v", m)
	}
	if m := got[2]; m.Minor != "61" || !m.Readonly {
		t.Errorf("of two mounts of a kind in one place, %+v is taken, want the upper one", m)
	}
	if _, err := Of(proc, 43); !os.IsNotExist(err) {
		t.Errorf("a process that is gone: %v", err)
	}
}
