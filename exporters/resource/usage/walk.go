package usage

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// Bounds of one walk. Each level keeps a descriptor and a buffer.
const (
	maxDepth  = 100
	maxFiles  = 2_000_000
	maxLinked = 100_000 // files with several links, which are remembered
	bufBytes  = 8 << 10
)

// walk is a walk of one directory, depth first.
type walk struct {
	*directory
	root   int // the node's root
	top    unix.Statx_t
	levels []level
	seen   map[uint64]bool // inodes with several links
	files  int
	total  Usage
}

// level is an open directory with what is read of it and not looked at yet.
type level struct {
	fd   int
	buf  []byte
	rest []byte
}

func (w *walk) close() {
	for _, l := range w.levels {
		_ = unix.Close(l.fd)
	}
	w.levels = nil
}

// step looks at n files at the most, and returns at how many it did, and whether
// that was all. What is removed meanwhile does not count, and is no error.
func (w *walk) step(n int) (looked int, done bool, err error) {
	if w.files == 0 {
		if err := w.begin(); err != nil {
			return 1, false, err
		}
		looked++
	}
	for looked < n {
		if len(w.levels) == 0 {
			return looked, true, nil
		}
		l := &w.levels[len(w.levels)-1]
		name, ok, err := l.next()
		switch {
		case err != nil:
			return looked, false, fmt.Errorf("list: %w", err)
		case !ok:
			_ = unix.Close(l.fd)
			w.levels = w.levels[:len(w.levels)-1]
			continue
		}
		looked++
		if len(w.levels) == 1 && !w.counts(name) {
			continue
		}
		if err := w.look(l.fd, name); err != nil {
			return looked, false, err
		}
	}
	return looked, len(w.levels) == 0, nil
}

func (w *walk) begin() error {
	fd, err := openDir(w.root, w.Path)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	w.levels = append(w.levels, level{fd: fd})
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH|statFlags, statMask, &w.top); err != nil {
		return fmt.Errorf("stat: %w", err)
	}
	w.files++
	if w.Inside {
		return nil
	}
	return w.add(&w.top)
}

// counts says whether a name at the top counts.
func (w *walk) counts(name string) bool {
	if w.Prefixes[0] == "" {
		return true
	}
	for _, p := range w.Prefixes {
		if p != "" && strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// Numbers that a server was not asked for may be a little old, but are had without
// waiting for one that is gone.
const (
	statFlags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT | unix.AT_STATX_DONT_SYNC
	statMask  = unix.STATX_TYPE | unix.STATX_BLOCKS | unix.STATX_INO | unix.STATX_NLINK
)

// look counts one name and, if it is a directory of the same file system, goes into
// it.
func (w *walk) look(dir int, name string) error {
	var st unix.Statx_t
	if err := unix.Statx(dir, name, statFlags, statMask, &st); err != nil {
		if vanished(err) {
			return nil
		}
		return fmt.Errorf("stat: %w", err)
	}
	if w.files++; w.files > maxFiles {
		return fmt.Errorf("more than %d files", maxFiles)
	}
	if !w.same(&st) {
		return nil // something else is mounted here
	}
	if err := w.add(&st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return err
	}
	if len(w.levels) >= maxDepth {
		return fmt.Errorf("more than %d levels", maxDepth)
	}
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NOATIME, 0)
	if errors.Is(err, unix.EPERM) { // for its owner and root alone
		fd, err = unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	}
	if vanished(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	// It may have been exchanged since it was looked at.
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH|statFlags, statMask, &st); err != nil || !w.same(&st) {
		_ = unix.Close(fd)
		return nil
	}
	w.levels = append(w.levels, level{fd: fd})
	return nil
}

// same says whether a file is on the file system of the top.
func (w *walk) same(st *unix.Statx_t) bool {
	return st.Dev_major == w.top.Dev_major && st.Dev_minor == w.top.Dev_minor
}

func (w *walk) add(st *unix.Statx_t) error {
	if st.Nlink > 1 && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		if w.seen[st.Ino] {
			return nil
		}
		if len(w.seen) >= maxLinked {
			return fmt.Errorf("more than %d files with several links", maxLinked)
		}
		if w.seen == nil {
			w.seen = map[uint64]bool{}
		}
		w.seen[st.Ino] = true
	}
	const block = 512 // of stat(2), whatever the file system's
	w.total.Bytes += float64(st.Blocks) * block
	w.total.Inodes++
	return nil
}

// vanished says whether an error means that a name is gone, or is another thing by
// now.
func vanished(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ESTALE)
}

// next returns the next name of the directory; ok is false at its end.
func (l *level) next() (name string, ok bool, err error) {
	if l.buf == nil {
		l.buf = make([]byte, bufBytes)
	}
	for {
		for len(l.rest) > 0 {
			name, l.rest = cutDirent(l.rest)
			if name != "" && name != "." && name != ".." {
				return name, true, nil
			}
		}
		n, err := unix.Getdents(l.fd, l.buf)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case vanished(err): // the directory was removed
			return "", false, nil
		case err != nil:
			return "", false, err
		case n <= 0:
			return "", false, nil
		}
		l.rest = l.buf[:n]
	}
}
