package life

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// exits tells when processes end, by their pidfds (pidfd_open(2), Linux 5.3).
type exits struct {
	epoll int
	wake  int // an eventfd: the loop ends
	ended chan int
}

// newExits starts waiting. Ended processes are sent until close.
func newExits() (*exits, error) {
	x := &exits{ended: make(chan int, 64)}
	var err error
	if x.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("waiting for processes: %w", err)
	}
	if x.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err == nil {
		err = x.add(x.wake)
	}
	if err != nil {
		unix.Close(x.epoll)
		return nil, fmt.Errorf("waiting for processes: %w", err)
	}
	go x.loop()
	return x, nil
}

func (x *exits) add(fd int) error {
	return unix.EpollCtl(x.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// watch waits for a process's end and returns its pidfd, which stands for it in
// ended. A process that is gone already is fs.ErrNotExist.
func (x *exits) watch(pid int) (pidfd int, err error) {
	pidfd, err = unix.PidfdOpen(pid, 0) // always close-on-exec
	if errors.Is(err, unix.ESRCH) {
		return 0, fs.ErrNotExist
	}
	if err != nil {
		return 0, fmt.Errorf("watching process %d: %w", pid, err)
	}
	if err := x.add(pidfd); err != nil {
		unix.Close(pidfd)
		return 0, fmt.Errorf("watching process %d: %w", pid, err)
	}
	return pidfd, nil
}

// loop sends what has ended until it is woken.
func (x *exits) loop() {
	defer close(x.ended)
	events := make([]unix.EpollEvent, 64)
	for {
		n, err := unix.EpollWait(x.epoll, events, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			fd := int(e.Fd)
			if fd == x.wake {
				return
			}
			// An ended process stays readable: it must not be told of twice.
			_ = unix.EpollCtl(x.epoll, unix.EPOLL_CTL_DEL, fd, nil)
			x.ended <- fd
		}
	}
}

// close ends the loop. The pidfds stay the caller's.
func (x *exits) close() {
	one := [8]byte{1}
	_, _ = unix.Write(x.wake, one[:])
	for range x.ended { //nolint:revive // drains what was sent before the loop ended
	}
	unix.Close(x.wake)
	unix.Close(x.epoll)
}
