package main

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// burn keeps n threads busy.
func burn(n int) {
	runtime.GOMAXPROCS(n + 1) // one more for the signal and the lifetime
	for range n {
		go func() {
			for i := uint64(0); ; i++ {
				_ = i * i
			}
		}()
	}
}

// pulse keeps a CPU busy for so long at the beginning of each second.
func pulse(busy time.Duration) {
	go func() {
		for begin := range time.Tick(time.Second) {
			for time.Since(begin) < busy {
			}
		}
	}()
}

// threads starts n operating system threads that block for ever.
func threads(n int) {
	for range n {
		started := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(started)
			select {}
		}()
		<-started
	}
}

// spawn starts n idle children, and returns what ends them.
func spawn(n int) (finish func(), err error) {
	var children []*exec.Cmd
	finish = func() {
		for _, child := range children {
			_ = child.Process.Signal(syscall.SIGKILL)
			_ = child.Wait()
		}
	}
	for i := range n {
		child := exec.Command("/proc/self/exe", "idle")
		if err := child.Start(); err != nil {
			finish()
			return nil, errors.Join(fmt.Errorf("start child %d of %d", i+1, n), err)
		}
		children = append(children, child)
	}
	return finish, nil
}
