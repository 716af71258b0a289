package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// serve answers each request with the host's name, as HTTP.
func serve(port string) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(connection)
		}
	}()
	return nil
}

func answer(connection net.Conn) {
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := connection.Read(make([]byte, 4096)); err != nil {
		return
	}
	name, _ := os.Hostname()
	fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(name), name)
}

// reach finds a server by name, asks it, and says what it answered.
func reach(address string) error {
	connection, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := fmt.Fprint(connection, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, err := connection.Read(answer)
	if err != nil {
		return err
	}
	status, _, _ := strings.Cut(string(answer[:n]), "\r\n")
	if !strings.Contains(status, " 200 ") {
		return fmt.Errorf("%s answers %q", address, status)
	}
	return nil
}
