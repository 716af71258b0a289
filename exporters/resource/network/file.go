package network

import (
	"bytes"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// buffer holds one file's content at a time, until the next is read. It is used by
// one goroutine at a time; its zero value is ready.
type buffer struct{ data []byte }

// maxFile bounds what is read of one file. A pod of a hundred interfaces has 12 KB
// of net/dev.
const maxFile = 1 << 20

// read returns the content of a file below a directory, and the inode that it was
// read from.
func (b *buffer) read(dir int, name string) (content []byte, inode uint64, err error) {
	fd, err := retry(func() (int, error) {
		return unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	})
	if err != nil {
		return nil, 0, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, 0, err
	}
	if cap(b.data) == 0 {
		b.data = make([]byte, 8<<10)
	}
	n := 0
	for {
		if n == cap(b.data) {
			if n >= maxFile {
				return nil, 0, errors.New("the file is larger than any of the kernel's")
			}
			b.data = append(b.data[:n], make([]byte, n)...)
		}
		b.data = b.data[:cap(b.data)]
		m, err := retry(func() (int, error) { return unix.Read(fd, b.data[n:]) })
		if err != nil {
			return nil, 0, err
		}
		if m <= 0 {
			return b.data[:n], st.Ino, nil
		}
		n += m
	}
}

// retry repeats a system call that a signal interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// gone says whether an error means that the process has ended, or ends just now: a
// zombie has no namespaces.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL)
}

// cutLine returns the first line without its end, and the rest.
func cutLine(b []byte) (line, rest []byte) {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}

// cutField returns the first field of a line, nil if there is none, and the rest.
func cutField(b []byte) (field, rest []byte) {
	start := 0
	for start < len(b) && b[start] == ' ' {
		start++
	}
	end := start
	for end < len(b) && b[end] != ' ' {
		end++
	}
	return b[start:end], b[end:]
}

// parseUint parses digits and nothing else.
func parseUint(b []byte) (uint64, bool) {
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
