package prom

import (
	"context"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/test/bufconn"
)

// selfAddress is the address of the self targets. It is below .invalid (RFC
// 6761), so it can be nobody's; the dialer knows it.
const selfAddress = "self.loadline.invalid:80"

// selfBuffer is the size of the buffer, a direction, of a connection in memory.
const selfBuffer = 64 << 10

// selfListener is a listener in memory that tells when it is first served.
type selfListener struct {
	*bufconn.Listener
	once    sync.Once
	serving chan struct{}
}

func newSelfListener() *selfListener {
	return &selfListener{Listener: bufconn.Listen(selfBuffer), serving: make(chan struct{})}
}

// Accept waits for a scrape.
func (l *selfListener) Accept() (net.Conn, error) {
	l.once.Do(func() { close(l.serving) })
	return l.Listener.Accept()
}

// dial connects scrapes: of selfAddress in memory, of all others by network.
func (l *selfListener) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address == selfAddress {
		return l.DialContext(ctx)
	}
	d := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return d.DialContext(ctx, network, address)
}
