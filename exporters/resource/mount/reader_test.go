package mount

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/procfs"
)

func TestAReaderParsesAgainWhatHasChangedAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "1/mountinfo")
	write := func(lines string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(lines), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const root = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"
	write(root)
	proc, err := procfs.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader(dir, proc, "/")
	read := func() []Mount {
		t.Helper()
		mounts, err := r.Table()
		if err != nil {
			t.Fatal(err)
		}
		return mounts
	}
	first := read()
	if len(first) != 1 || first[0].Point != "/" {
		t.Fatalf("got %+v", first)
	}
	if again := read(); &again[0] != &first[0] {
		t.Error("what has not changed was parsed again")
	}
	write(root + "23 22 0:5 / /data rw - tmpfs tmpfs rw\n")
	if now := read(); len(now) != 2 || now[1].Point != "/data" {
		t.Errorf("after a mount got %+v", now)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Table(); err == nil {
		t.Error("a table that is gone is no error")
	}
}
