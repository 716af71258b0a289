package need

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody is the user id that owns nothing.
const nobody = 65534

// AsNobody runs f while the process has the effective user id of nobody, without
// capabilities, who may not open what is root's. It skips where that can't be: the
// test does not run as root. Nothing else may run in the process meanwhile.
func AsNobody(t testing.TB, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("changes its user id, which needs root")
	}
	if err := unix.Setreuid(-1, nobody); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setreuid(-1, 0); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}
