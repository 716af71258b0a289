// Command workload is what the containers of the integration tests run: a
// static program that does one thing to the resources it is given.
//
//	workload idle             waits
//	workload hold 64MiB       touches that much anonymous memory, then waits
//	workload write 8MiB       writes a file of that size to the disk, then waits
//	workload burn 2           keeps two CPUs busy (default 1)
//	workload pulse 5          keeps a CPU busy for five milliseconds of each second
//	workload spawn 5          starts five idle child processes, then waits
//	workload threads 5        starts five threads that block, then waits
//	workload named TEXT       takes TEXT, cut to 15 bytes, for its process's name,
//	                          then waits
//	workload oom              allocates in the init process until it is killed
//	workload oom-child 3      three children allocate until killed, one after
//	                          the other; the init process survives and waits
//	workload serve 8080       answers HTTP on that port with the host's name
//	workload reach HOST:PORT  asks such a server once and ends with status 0 if it
//	                          answers
//	workload exit 3           exits with status 3 at once
//
// Once it does what it was told it prints "ready". It ends with status 0 on
// SIGTERM or SIGINT, and after ten minutes by itself (WORKLOAD_LIFETIME), so that
// nothing that a test lost stays for long; oom gives up at 1 GiB, when there is no
// limit.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// lifetime bounds every verb, unless the variable WORKLOAD_LIFETIME says 40m or so.
const lifetime = 10 * time.Minute

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"idle"}
	}
	finish, err := run(args[0], args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "workload %q: %v\n", args, err)
		os.Exit(2)
	}
	fmt.Println("ready")
	bound, err := time.ParseDuration(os.Getenv("WORKLOAD_LIFETIME"))
	if err != nil {
		bound = lifetime
	}
	select {
	case <-stop:
	case <-time.After(bound):
	}
	finish()
}

// run does what the verb says and returns what undoes it.
func run(verb string, args []string) (finish func(), err error) {
	nothing := func() {}
	switch verb {
	case "idle":
		return nothing, nil
	case "hold":
		size, err := bytes(argument(args, "64MiB"))
		if err != nil {
			return nil, err
		}
		return nothing, touch(size)
	case "write":
		size, err := bytes(argument(args, "8MiB"))
		if err != nil {
			return nil, err
		}
		return nothing, write("/written", size)
	case "named":
		return nothing, os.WriteFile("/proc/self/comm", []byte(argument(args, "workload")), 0)
	case "oom":
		return nothing, exhaust()
	case "serve":
		return nothing, serve(argument(args, "8080"))
	case "reach":
		if err := reach(argument(args, "")); err != nil {
			return nil, err
		}
		os.Exit(0)
	case "exit":
		status, err := number(argument(args, "0"))
		if err == nil {
			os.Exit(status)
		}
		return nil, err
	}
	n, err := number(argument(args, "1"))
	if err != nil {
		return nil, err
	}
	switch verb {
	case "burn":
		burn(n)
		return nothing, nil
	case "pulse":
		pulse(time.Duration(n) * time.Millisecond)
		return nothing, nil
	case "spawn":
		return spawn(n)
	case "threads":
		threads(n)
		return nothing, nil
	case "oom-child":
		return nothing, oomChildren(n)
	}
	return nil, fmt.Errorf("unknown verb")
}

func argument(args []string, otherwise string) string {
	if len(args) == 0 {
		return otherwise
	}
	return args[0]
}

// number parses a count; the bound keeps a typing error from hurting.
func number(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1000 {
		return 0, fmt.Errorf("%q is no number from 0 to 1000", s)
	}
	return n, nil
}
