// Command floor opens, reads and closes each of a list of files at every scrape
// and does nothing else: what an exporter that reads these files cannot go below.
//
//	floor LIST
//
// LIST has a path a line. A directory is read as such. Once it serves it prints
// its address; its answer says how many of the files were read.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("one argument is needed: a file with a path a line")
	}
	content, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	paths := strings.Fields(string(content))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	buffer := make([]byte, 64<<10)
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		read := 0
		for _, path := range paths {
			if readAll(path, buffer) {
				read++
			}
		}
		fmt.Fprintf(w, "floor_files %d\nfloor_files_read %d\n", len(paths), read)
	})
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(listener, mux) }()
	fmt.Println(listener.Addr())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-failed:
		return err
	case <-stop:
		return nil
	}
}

// readAll reads a file to its end by the system calls that it takes, and says
// whether it could. Requests come one at a time, so one buffer does.
func readAll(path string, buffer []byte) bool {
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	read := syscall.Read
	for {
		n, err := read(fd, buffer)
		switch {
		case err == syscall.EISDIR:
			read = syscall.ReadDirent
		case err != nil:
			return false
		case n == 0:
			return true
		}
	}
}
