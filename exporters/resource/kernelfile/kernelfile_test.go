package kernelfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func open(t *testing.T, content []byte) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return int(f.Fd())
}

func TestAFileIsReadFromItsBeginningEachTime(t *testing.T) {
	var b Buffer
	for _, size := range []int{0, 1, usual - 1, usual, usual + 1, 5 * usual} {
		want := bytes.Repeat([]byte("x"), size)
		fd := open(t, want)
		for range 2 {
			for name, read := range map[string]func(int) ([]byte, error){"record": b.Record, "whole": b.Whole} {
				if got, err := read(fd); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s of %d bytes: got %d, %v", name, size, len(got), err)
				}
			}
		}
	}
}

func TestAFileThatIsTooLargeIsAnError(t *testing.T) {
	if _, err := new(Buffer).Whole(open(t, make([]byte, 4*most))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}

func TestLinesAreCut(t *testing.T) {
	for text, want := range map[string][2]string{"a\nb\n": {"a", "b\n"}, "a": {"a", ""}, "\n": {"", ""}, "": {"", ""}} {
		if line, rest := CutLine([]byte(text)); string(line) != want[0] || string(rest) != want[1] {
			t.Errorf("%q: got %q, %q", text, line, rest)
		}
	}
}

func FuzzParseUint(f *testing.F) {
	for _, s := range []string{"0", "18446744073709551615", "18446744073709551616", "-1", "", "1 ", "007"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := ParseUint(b)
		want, err := strconv.ParseUint(string(b), 10, 64)
		digits := len(bytes.Trim(b, "0123456789")) == 0 && len(b) > 0 && len(b) <= 20
		if ok != (err == nil && digits) || ok && got != want {
			t.Errorf("%q: got %d, %t, want %d, %v", b, got, ok, want, err)
		}
	})
}
