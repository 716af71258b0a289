// Package registry gives a test a registry of images of its own, which serves in the
// test's process what is pushed to it.
package registry

import (
	"bytes"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/loadline-exporters/loadline/e2e/image"
)

// Registry is a registry that runs. It speaks HTTP without TLS.
type Registry struct {
	// Address is its HOST:PORT, with which the names of its images begin.
	Address string

	t      testing.TB
	refuse atomic.Int32
}

// Start starts a registry on a free port of an address; the test's cleanup ends it.
func Start(t testing.TB, host string) *Registry {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatalf("start a registry: %v", err)
	}
	r := &Registry{Address: listener.Addr().String(), t: t}
	images := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if status := int(r.refuse.Load()); status != 0 {
			http.Error(w, http.StatusText(status), status)
			return
		}
		images.ServeHTTP(w, request)
	})}
	done := make(chan error)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return r
}

// Refuse answers everything with a status, such as 429, from now on; with 0 it serves
// again.
func (r *Registry) Refuse(status int) { r.refuse.Store(int32(status)) }

// Push puts an image into the registry, under its name, which begins with the
// registry's address.
func (r *Registry) Push(ctx context.Context, i *image.Image) {
	r.t.Helper()
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(i.Archive)), nil }
	archive, err := tarball.Image(open, nil)
	if err != nil {
		r.t.Fatalf("read the image %s: %v", i.Name, err)
	}
	tag, err := name.NewTag(i.Name, name.Insecure)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := remote.Write(tag, archive, remote.WithContext(ctx)); err != nil {
		r.t.Fatalf("push the image %s: %v", i.Name, err)
	}
}
