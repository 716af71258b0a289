package need

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// recorder is a testing.TB that keeps what a need reports.
type recorder struct {
	testing.TB
	fatal, skip string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skip(args ...any) {
	r.skip = fmt.Sprint(args...)
	runtime.Goexit()
}

// record runs need to its end, which may be a Goexit.
func record(need func(testing.TB)) *recorder {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		need(r)
	}()
	<-done
	return r
}

func TestMissingProgramFailsWithThePackagesToInstall(t *testing.T) {
	r := record(func(t testing.TB) { Program(t, "no-such-program", "some-package") })
	if testing.Short() {
		if r.skip == "" {
			t.Error("with -short a need did not skip the test")
		}
		return
	}
	for _, want := range []string{"no-such-program", "some-package", "make deps"} {
		if !strings.Contains(r.fatal, want) {
			t.Errorf("message %q lacks %q", r.fatal, want)
		}
	}
}

func TestProgramThatIsThereIsFoundByItsPath(t *testing.T) {
	if testing.Short() {
		t.Skip("every need skips with -short")
	}
	var path string
	r := record(func(t testing.TB) { path = Program(t, "sh", "dash") })
	if r.fatal != "" || !strings.HasSuffix(path, "/sh") {
		t.Errorf("Program(sh) = %q, failing with %q", path, r.fatal)
	}
}
