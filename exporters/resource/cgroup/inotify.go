package cgroup

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// interesting are directories that come and go. Writes are left out, which the
// kernel tells of too: each process that moves into a group is one.
const interesting = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ONLYDIR

// change is one thing that inotify tells.
type change struct {
	path string // in the tree
	made bool   // else it is gone
	lost bool   // the queue overflowed, and nothing else is known
}

// notifier tells by inotify which directories of a tree come and go. Its methods
// are called by one goroutine.
type notifier struct {
	root    string
	fd      int
	file    *os.File // of fd
	add     func(fd int, path string, mask uint32) (wd int, err error)
	changes chan change // closed when inotify can't be read any more
	closing chan struct{}

	mu      sync.Mutex
	paths   map[int]string   // by watch descriptor, which the kernel uses once
	watched map[string]watch // by path
}

type watch struct {
	wd    int
	inode uint64
}

func openNotifier(root string) (*notifier, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	n := &notifier{
		root: root, fd: fd, file: os.NewFile(uintptr(fd), "inotify"), add: unix.InotifyAddWatch,
		changes: make(chan change), closing: make(chan struct{}),
		paths: map[int]string{}, watched: map[string]watch{},
	}
	go n.read()
	return n, nil
}

// close ends the reading and gives all watches back.
func (n *notifier) close() error {
	close(n.closing)
	err := n.file.Close()
	for range n.changes { // until the reading has ended
	}
	return err
}

// watch asks for the changes in a directory, of which inode tells it from a later
// one of the same path.
func (n *notifier) watch(path string, inode uint64) error {
	n.mu.Lock()
	former, ok := n.watched[path]
	n.mu.Unlock()
	if ok && former.inode == inode {
		return nil
	}
	n.unwatch(path)
	dir := filepath.Join(n.root, path)
	wd, err := n.add(n.fd, dir, interesting)
	if err != nil {
		return &os.PathError{Op: "inotify_add_watch", Path: dir, Err: err}
	}
	n.mu.Lock()
	n.paths[wd], n.watched[path] = path, watch{wd, inode}
	n.mu.Unlock()
	return nil
}

// unwatch gives a directory's watch back, if it has one. For most file systems the
// kernel does so when a directory is removed; for control groups it doesn't, and
// the watch keeps the inode in memory.
func (n *notifier) unwatch(path string) {
	n.mu.Lock()
	former, ok := n.watched[path]
	mine := ok && n.paths[former.wd] == path // a directory keeps its watch when it is renamed
	delete(n.watched, path)
	if mine {
		delete(n.paths, former.wd)
	}
	n.mu.Unlock()
	if mine {
		// EINVAL: the kernel was first.
		_, _ = unix.InotifyRmWatch(n.fd, uint32(former.wd))
	}
}

// unwatchOthers gives the watches of directories back that are not in keep.
func (n *notifier) unwatchOthers(keep map[string]Dir) {
	n.mu.Lock()
	var gone []string
	for path := range n.watched {
		if _, ok := keep[path]; !ok && path != "" {
			gone = append(gone, path)
		}
	}
	n.mu.Unlock()
	for _, path := range gone {
		n.unwatch(path)
	}
}

func (n *notifier) read() {
	defer close(n.changes)
	buf := make([]byte, 64<<10)
	for {
		got, err := n.file.Read(buf)
		if err != nil {
			return
		}
		for rest := buf[:got]; len(rest) >= unix.SizeofInotifyEvent; {
			var c change
			var ok bool
			if c, ok, rest = n.decode(rest); !ok {
				continue
			}
			select {
			case n.changes <- c:
			case <-n.closing:
				return
			}
		}
	}
}

// decode reads a struct inotify_event (inotify(7)): wd, mask, cookie, the name's
// length with its padding, and the name.
func (n *notifier) decode(b []byte) (c change, ok bool, rest []byte) {
	wd, mask := int(int32(binary.NativeEndian.Uint32(b))), binary.NativeEndian.Uint32(b[4:])
	end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
	if end > len(b) {
		return change{lost: true}, true, nil
	}
	name, _, _ := bytes.Cut(b[unix.SizeofInotifyEvent:end], []byte{0})
	rest = b[end:]
	n.mu.Lock()
	defer n.mu.Unlock()
	dir, known := n.paths[wd]
	switch {
	case mask&unix.IN_Q_OVERFLOW != 0:
		return change{lost: true}, true, rest
	case mask&unix.IN_IGNORED != 0:
		delete(n.paths, wd)
		return change{}, false, rest
	case !known || mask&unix.IN_ISDIR == 0 || len(name) == 0:
		return change{}, false, rest
	}
	return change{path: dir + "/" + string(name), made: mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0}, true, rest
}
