// Package need says what a test on real components needs of its machine.
//
// A need that is not met fails the test and says what to install: a suite that
// skips silently proves nothing. With -short these tests are skipped instead.
package need

import (
	"os"
	"os/exec"
	"testing"
)

// Root fails the test unless it runs as root, and skips it with -short.
func Root(t testing.TB) {
	t.Helper()
	skipShort(t)
	if os.Geteuid() != 0 {
		t.Fatalf("this test starts real containers and needs root: run it as root, or leave it out with -short")
	}
}

// Program returns the path of a program that the Debian packages named in
// packages bring, and fails the test when it is missing. With -short it skips.
func Program(t testing.TB, name, packages string) string {
	t.Helper()
	skipShort(t)
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("this test needs the program %s: run `make deps`, or `apt-get install --no-install-recommends %s` (%v)", name, packages, err)
	}
	return path
}

func skipShort(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs real components: left out with -short")
	}
}
