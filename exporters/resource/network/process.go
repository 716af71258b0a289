package network

import (
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
)

// errGone says that no process of a container is left, or none is seen. It is how
// containers end, and no failure.
var errGone = errors.New("the container has no process")

// process is the process of a container through which its network is read. It is
// held by the directory /proc/PID: everything is opened below it, so that another
// process that gets the same PID is never taken for it, and it keeps nothing alive.
type process struct {
	world *world
	path  string // of the control group

	mu  sync.Mutex
	dir int // -1: none

	// Only Namespaces uses what follows.
	container *container.Container // of the last list
	since     time.Time            // when it was first listed
	inode     uint64               // of the namespace, 0 for unknown
	round     uint64               // of the last list that it was in
}

// world is where processes are found.
type world struct {
	procfs    string
	processes func(cgroup string) []int
}

// deviceFile is in every network namespace. /proc makes it anew for each, so its
// inode tells the namespace, and no right is needed to see it, other than for
// /proc/PID/ns/net.
const deviceFile = "net/dev"

// namespace returns the inode that tells the process's network namespace.
func (p *process) namespace() (uint64, error) {
	var st unix.Stat_t
	err := p.with(func(dir int) error { return unix.Fstatat(dir, deviceFile, &st, 0) })
	return st.Ino, err
}

// read reads a file of /proc/PID, and the inode that it was read from.
func (p *process) read(b *buffer, name string) (content []byte, inode uint64, err error) {
	err = p.with(func(dir int) (err error) {
		content, inode, err = b.read(dir, name)
		return err
	})
	return content, inode, err
}

// with calls f with a directory of a living process of the container. When it has
// ended meanwhile, f is called once more with another's.
func (p *process) with(f func(dir int) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir >= 0 {
		err := f(p.dir)
		if err == nil || !gone(err) {
			return err
		}
		p.release()
	}
	if err := p.find(); err != nil {
		return err
	}
	err := f(p.dir)
	if err != nil && gone(err) {
		p.release()
		return errGone
	}
	return err
}

// find opens the directory of the container's first process.
func (p *process) find() error {
	for _, pid := range p.world.processes(p.path) {
		dir, err := retry(func() (int, error) {
			return unix.Open(filepath.Join(p.world.procfs, strconv.Itoa(pid)), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		})
		switch {
		case err != nil && gone(err):
			continue
		case err != nil:
			return err
		// A process that has got the PID since then is not in the group.
		case !slices.Contains(p.world.processes(p.path), pid):
			unix.Close(dir)
			continue
		}
		p.dir = dir
		return nil
	}
	return errGone
}

// close lets go of the process.
func (p *process) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release()
}

func (p *process) release() {
	if p.dir >= 0 {
		unix.Close(p.dir)
		p.dir = -1
	}
}
