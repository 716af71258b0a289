// Package dockerclient connects to a Docker daemon for all exporters: its answers are
// bounded, its errors have their reasons, its stream of events loses and repeats
// nothing, and what labels may hide in an event is asked for.
package dockerclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/internal/source"
)

// DefaultHost is where Docker listens unless told otherwise.
const DefaultHost = "unix:///var/run/docker.sock"

// Client is a connection to a daemon. It may be used concurrently.
type Client struct {
	*client.Client
	Host string // its address, as given

	transport *http.Transport
}

// New returns a client for the daemon at host (unix:///path or tcp://host:port). A
// host that is no such address is an error; one where nothing listens is not. No
// answer may be longer than most bytes.
func New(host string, most int) (*Client, error) {
	u, err := client.ParseHostURL(host)
	if err != nil || u.Host == "" || (u.Scheme != "unix" && u.Scheme != "tcp") {
		return nil, fmt.Errorf("docker host %q: want unix:///path or tcp://host:port", host)
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, u.Scheme, u.Host)
		},
		MaxIdleConns: 1, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
	c, err := client.New(
		client.WithHost(host),
		client.WithHTTPClient(&http.Client{Transport: bounded{transport, most}, CheckRedirect: client.CheckRedirect}),
		client.WithUserAgent("loadline"),
	)
	if err != nil {
		return nil, fmt.Errorf("docker host %q: %w", host, err)
	}
	return &Client{Client: c, Host: host, transport: transport}, nil
}

// Close ends the connections.
func (c *Client) Close() error {
	c.transport.CloseIdleConnections()
	return c.Client.Close()
}

// Name is a container's own name of those that a daemon lists. The others are links
// to it by what they are called in another container ("/web/db"). Without one it is
// the id.
func Name(names []string, id string) string {
	for _, n := range names {
		if n = strings.TrimPrefix(n, "/"); n != "" && !strings.Contains(n, "/") {
			return n
		}
	}
	return id
}

// Because finds the reason in what the client's errors hide.
func Because(err error) error {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
	case client.IsErrConnectionFailed(err):
		if strings.Contains(err.Error(), "permission denied") {
			return source.Because(source.Forbidden, err)
		}
		return source.Because(source.Absent, err)
	case errdefs.IsPermissionDenied(err), errdefs.IsUnauthorized(err):
		return source.Because(source.Forbidden, err)
	case errors.Is(err, ErrTooLong), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, &syntax), errors.As(err, &typ):
		return source.Because(source.Invalid, err)
	}
	return err
}
