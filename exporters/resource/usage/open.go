package usage

import (
	"encoding/binary"
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

const openFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// openDir opens a directory below root, of which no element is a symbolic link: a
// path that a container's mounts name leads nowhere else.
func openDir(root int, path string) (int, error) {
	path = strings.Trim(path, "/")
	if path == "" {
		path = "."
	}
	how := unix.OpenHow{
		Flags:   openFlags,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	for try := 1; ; try++ {
		fd, err := unix.Openat2(root, path, &how)
		switch {
		case try < 10 && (errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN)): // a directory was renamed meanwhile
			continue
		case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM): // before Linux 5.6, or a seccomp filter's answer
			return openEach(root, path)
		}
		return fd, err
	}
}

// openEach opens one element after the other.
func openEach(root int, path string) (int, error) {
	dir, err := unix.Openat(root, ".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	elements := strings.Split(path, "/")
	for i, e := range elements {
		flags := unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
		if i == len(elements)-1 {
			flags = openFlags
		}
		next := -1
		switch e {
		case "":
			e = "."
			fallthrough
		default:
			next, err = unix.Openat(dir, e, flags, 0)
		case "..": // would lead out of the root
			err = unix.EXDEV
		}
		_ = unix.Close(dir)
		if err != nil {
			return -1, err
		}
		dir = next
	}
	return dir, nil
}

// cutDirent takes the first entry off what getdents64(2) has written (struct
// linux_dirent64: inode, offset, the entry's length, type, name with a zero at its
// end). What is no entry ends it all.
func cutDirent(b []byte) (name string, rest []byte) {
	const lengthAt, nameAt = 16, 19
	if len(b) < nameAt {
		return "", nil
	}
	n := int(binary.NativeEndian.Uint16(b[lengthAt:]))
	if n < nameAt || n > len(b) {
		return "", nil
	}
	text := b[nameAt:n]
	for i, c := range text {
		if c == 0 {
			text = text[:i]
			break
		}
	}
	return string(text), b[n:]
}
