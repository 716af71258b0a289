package network

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
)

// buffer is the memory that reading takes.
type buffer struct{ kernelfile.Buffer }

// read returns the content of a file below a directory, and the inode that it was
// read from.
func (b *buffer) read(dir int, name string) (content []byte, inode uint64, err error) {
	fd, err := kernelfile.Retry(func() (int, error) {
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
	content, err = b.Whole(fd)
	return content, st.Ino, err
}

// gone says whether an error means that the process has ended, or ends just now: a
// zombie has no namespaces.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL)
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
