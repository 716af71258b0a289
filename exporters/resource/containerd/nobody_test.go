package containerd

import (
	"testing"

	"golang.org/x/sys/unix"
)

// asNobody runs f while the process has the effective user id of nobody, who may
// not open what is root's.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if err := unix.Setreuid(-1, 65534); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setreuid(-1, 0); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}
