package node

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxRootFileBytes bounds the files of the node that are read: short
// configuration.
const maxRootFileBytes = 64 << 10

// readInRoot reads a file below the node's root. Symbolic
// links are the node's: an absolute one starts at its root, not at that of the
// exporter's container. Kernels before Linux 5.6, and sandboxes, lack openat2(2).
func readInRoot(root, path string) ([]byte, error) {
	f, err := openInRoot(root, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if i, err := f.Stat(); err != nil || !i.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is not a regular file", f.Name()))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxRootFileBytes+1))
	if err == nil && len(data) > maxRootFileBytes {
		err = fmt.Errorf("%s is larger than %d bytes", f.Name(), maxRootFileBytes)
	}
	return data, err
}

func openInRoot(root, path string) (*os.File, error) {
	dir, err := os.Open(root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	full := filepath.Join(root, path)
	const flags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK
	fd, err := unix.Openat2(int(dir.Fd()), path, &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return os.OpenFile(full, flags, 0)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: full, Err: err}
	}
	return os.NewFile(uintptr(fd), full), nil
}
