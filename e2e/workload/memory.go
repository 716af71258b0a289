package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

const (
	mebibyte = 1 << 20
	// mostMemory bounds hold and oom where no limit does.
	mostMemory = 1 << 30
	// notKilled is the status of an oom that nothing killed.
	notKilled = 4
)

// bytes parses a size in bytes, or in KiB, MiB or GiB with that suffix.
func bytes(s string) (int, error) {
	number, unit := s, 1
	for suffix, factor := range map[string]int{"KiB": 1 << 10, "MiB": mebibyte, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(s, suffix); ok {
			number, unit = rest, factor
		}
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > mostMemory/unit {
		return 0, fmt.Errorf("%q is no size from 1 to 1GiB", s)
	}
	return n * unit, nil
}

// touch maps anonymous memory and writes to each page. The mapping is never
// undone: Go's own heap, which is collected, would not keep it.
func touch(size int) error {
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("map %d bytes: %w", size, err)
	}
	for i := 0; i < size; i += os.Getpagesize() {
		memory[i] = 1
	}
	return nil
}

// exhaust touches memory until the kernel ends the process.
func exhaust() error {
	for total := 0; total < mostMemory; total += mebibyte {
		if err := touch(mebibyte); err != nil {
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "workload oom: 1 GiB touched and nothing killed it: the container has no memory limit")
	os.Exit(notKilled)
	return nil
}

// oomChildren runs n children that allocate until they are killed.
func oomChildren(n int) error {
	for range n {
		child := exec.Command("/proc/self/exe", "oom")
		child.Stderr = os.Stderr
		err := child.Run()
		status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
		if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
			return fmt.Errorf("child ended with %v, not by the kernel's OOM killer", err)
		}
	}
	return nil
}
