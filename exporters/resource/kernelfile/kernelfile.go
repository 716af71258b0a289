// Package kernelfile reads small files of the kernel again and again, and parses
// what stands in them without allocating: it is for what is read once a container
// and scrape. Plain system calls instead of os.File save the poller's registration.
package kernelfile

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"
)

// Sizes of files. The largest have some kilobytes: memory.stat, or net/dev of a pod
// of a hundred interfaces.
const (
	usual = 8 << 10
	most  = 1 << 20
)

// ErrTooLarge says that a file has more than some megabyte: none of the kernel's.
var ErrTooLarge = errors.New("file is larger than any of the kernel's")

// Buffer holds one file's content at a time, until the next is read. It is used by
// one goroutine at a time; its zero value is ready.
type Buffer struct{ data []byte }

// Record returns the content of an open file that the kernel writes as one record,
// from its beginning: what fits into the buffer came whole.
func (b *Buffer) Record(fd int) ([]byte, error) { return b.from(fd, false) }

// Whole returns the content of an open file from its beginning, however many
// records it has.
func (b *Buffer) Whole(fd int) ([]byte, error) { return b.from(fd, true) }

func (b *Buffer) from(fd int, toEnd bool) ([]byte, error) {
	if cap(b.data) == 0 {
		b.data = make([]byte, usual)
	}
	n := 0
	for {
		if n == cap(b.data) {
			if n >= most {
				return nil, ErrTooLarge
			}
			b.data = append(b.data[:n], make([]byte, n)...)
		}
		b.data = b.data[:cap(b.data)]
		m, err := Retry(func() (int, error) { return unix.Pread(fd, b.data[n:], int64(n)) })
		if err != nil {
			return nil, err
		}
		n += m
		if m == 0 || !toEnd && n < cap(b.data) {
			return b.data[:n], nil
		}
	}
}

// Retry repeats a system call that a signal interrupted.
func Retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// CutLine returns the first line without its end, and the rest.
func CutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// ParseUint parses decimal digits and nothing else.
func ParseUint(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 20 {
		return 0, false
	}
	var v uint64
	for _, c := range b {
		d := uint64(c - '0')
		if d > 9 || v > (1<<64-1-d)/10 {
			return 0, false
		}
		v = v*10 + d
	}
	return v, true
}
