//go:build e2e

package events

import (
	"io"
	"net"
	"sync"
	"testing"
)

// gate is a way to a server that can be closed, while the server goes on for others.
type gate struct {
	address string
	to      string

	mu     sync.Mutex
	shut   bool
	passed map[net.Conn]bool
}

// startGate opens a way to an address on loopback. The test's cleanup ends it.
func startGate(t *testing.T, to string) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{address: l.Addr().String(), to: to, passed: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { g.pass(in) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		g.close()
		wg.Wait()
	})
	return g
}

func (g *gate) pass(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", g.to)
	if err != nil {
		return
	}
	defer out.Close()
	if !g.enter(in) {
		return
	}
	defer g.leave(in)
	go func() {
		io.Copy(out, in)
		out.Close()
	}()
	io.Copy(in, out)
}

func (g *gate) enter(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.passed[c] = true
	return true
}

func (g *gate) leave(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.passed, c)
}

// close ends all connections and lets nobody pass.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for c := range g.passed {
		c.Close()
	}
}

// open lets everybody pass again.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}
