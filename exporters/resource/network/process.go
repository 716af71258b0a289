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
	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
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
func (p *process) namespace() (inode uint64, err error) {
	err = p.with(0, func(dir int) (err error) {
		inode, err = namespaceOf(dir, ".")
		return err
	})
	return inode, err
}

// namespaceOf is the same of a process whose directory path is, below the directory dir.
func namespaceOf(dir int, path string) (inode uint64, err error) {
	var st unix.Stat_t
	err = unix.Fstatat(dir, path+"/"+deviceFile, &st, 0)
	return st.Ino, err
}

// with calls f with the directory of a living process of the container. When it has
// ended meanwhile, f is called once more with another's, if that is in the namespace
// that an inode tells; 0 is any.
func (p *process) with(namespace uint64, f func(dir int) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir >= 0 {
		err := f(p.dir)
		if err == nil || !gone(err) {
			return err
		}
		p.release()
	}
	if err := p.find(namespace); err != nil {
		return err
	}
	err := f(p.dir)
	if err != nil && gone(err) {
		p.release()
		return errGone
	}
	return err
}

// find opens the directory of the container's first process that is in the namespace.
func (p *process) find(namespace uint64) error {
	for _, pid := range p.world.processes(p.path) {
		dir, err := kernelfile.Retry(func() (int, error) {
			return unix.Open(filepath.Join(p.world.procfs, strconv.Itoa(pid)), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		})
		if err == nil {
			// A process that has got the PID since then is not in the group.
			if inode, err := namespaceOf(dir, "."); err == nil && (namespace == 0 || inode == namespace) &&
				slices.Contains(p.world.processes(p.path), pid) {
				p.dir = dir
				return nil
			}
			unix.Close(dir)
		} else if !gone(err) {
			return err
		}
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
