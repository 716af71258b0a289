package daemon

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// enterNetwork moves this thread into the network namespace that the program is to
// start in.
func (c Config) enterNetwork() error {
	switch {
	case c.OwnNetwork:
		return enterOwnNetwork()
	case c.Network == "":
		return nil
	}
	file, err := unix.Open(c.Network, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the network namespace %s: %w", c.Network, err)
	}
	defer unix.Close(file)
	if err := unix.Setns(file, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the network namespace %s: %w", c.Network, err)
	}
	return nil
}

// enterOwnNetwork moves this thread into a new network namespace and sets its
// loopback device up.
func enterOwnNetwork() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("unshare the network namespace: %w", err)
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket to set the loopback device up: %w", err)
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("name the loopback device: %w", err)
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("set the loopback device up: %w", err)
	}
	return nil
}
