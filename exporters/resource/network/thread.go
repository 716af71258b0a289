package network

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/loadline-exporters/loadline/exporters/resource/kernelfile"
)

// visitor enters network namespaces: what its thread opens belongs to the one that it
// entered last. It is used by the goroutine that got it.
type visitor struct {
	own int // the namespace that its thread came from
}

// visit calls f with a visitor, on a thread that nothing else runs on meanwhile. A
// thread that can't be brought back is not used again: it stays the goroutine's, and
// ends with it.
//
// A namespace is entered anew for each scrape (10 µs) and its sockets are closed: one
// that is held open would keep the namespace, and with it the pod's interfaces, after
// the pod has gone.
func visit(f func(v *visitor) error) error {
	runtime.LockOSThread()
	own, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open the own network namespace: %w", err)
	}
	v := &visitor{own: own}
	defer func() {
		if err := v.leave(); err == nil {
			runtime.UnlockOSThread()
		}
		unix.Close(own)
	}()
	return f(v)
}

// enter enters a namespace by a descriptor of its file below /proc. It takes
// CAP_SYS_ADMIN, here and over the namespace (setns(2)).
func (v *visitor) enter(namespace int) error {
	if err := unix.Setns(namespace, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter a network namespace: %w", err)
	}
	return nil
}

// leave returns to the own namespace.
func (v *visitor) leave() error { return v.enter(v.own) }

// enterOf enters the namespace of a process by a path below the directory dir.
func (v *visitor) enterOf(dir int, path string) error {
	// Opening it takes the right to trace the process (ptrace(2)).
	fd, err := kernelfile.Retry(func() (int, error) { return unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return fmt.Errorf("open a network namespace: %w", err)
	}
	defer unix.Close(fd)
	return v.enter(fd)
}
