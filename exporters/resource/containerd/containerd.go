// Package containerd names containers by what containerd says of them.
//
// It speaks containerd's own gRPC services through their published stubs; the full
// client would link image pulling, unpacking and content stores into a node agent
// that only lists.
package containerd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	containersapi "github.com/containerd/containerd/api/services/containers/v1"
	imagesapi "github.com/containerd/containerd/api/services/images/v1"
	namespacesapi "github.com/containerd/containerd/api/services/namespaces/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
	"github.com/loadline-exporters/loadline/internal/source/overgrpc"
)

// DefaultAddress is where containerd listens unless told otherwise.
const DefaultAddress = "/run/containerd/containerd.sock"

// maxMessage bounds one message. A container's record with its specification takes
// some ten kilobytes, the list of a node's images some hundred.
const maxMessage = 16 << 20

// moby is Docker's namespace. Its containers have neither names nor labels here, and
// Docker knows both.
const moby = "moby"

// Labels by which CRI marks its containers.
const (
	labelKind = "io.cri-containerd.kind"
	labelName = "nerdctl/name"
)

// Source asks containerd for the containers of all its namespaces, and for what
// happens to them. Fetch and Watch may run beside each other, each once at a time.
type Source struct {
	address string
	conn    *grpc.ClientConn      // Fetch's
	paths   map[string]cachedPath // by key; Fetch's
	events  *grpc.ClientConn      // Watch's
}

// cachedPath is a container's cgroupsPath: the specification is the largest part
// of a container's record and does not change, so it is parsed once.
type cachedPath struct {
	created int64 // nanoseconds since 1970, which tells containers of the same id apart
	path    string
}

// reconnect bounds what the client waits between two attempts: by default two
// minutes, for which containers would have no names after containerd is back.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: time.Second, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 5 * time.Second},
	MinConnectTimeout: 5 * time.Second,
}

// New returns a source for the containerd at address, a socket's path. It connects
// when it is first asked.
func New(address string) (*Source, error) {
	conn, err := dial(address, maxMessage)
	if err != nil {
		return nil, err
	}
	events, err := dial(address, maxEvent)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &Source{address: address, conn: conn, paths: map[string]cachedPath{}, events: events}, nil
}

func dial(address string, maxMessage int) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("unix://"+strings.TrimPrefix(address, "unix://"),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithConnectParams(reconnect),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("containerd address %q: %w", address, err)
	}
	return conn, nil
}

// Close ends the connections.
func (s *Source) Close() error { return errors.Join(s.conn.Close(), s.events.Close()) }

// Fetch lists the containers of all namespaces but Docker's, running or not.
func (s *Source) Fetch(ctx context.Context) (container.Engines, string, error) {
	namespaces, err := namespacesapi.NewNamespacesClient(s.conn).List(ctx, &namespacesapi.ListNamespacesRequest{})
	if err != nil {
		return nil, "", s.because("listing the namespaces", err)
	}
	out := container.Engines{}
	paths := make(map[string]cachedPath)
	for _, ns := range namespaces.GetNamespaces() {
		if ns.GetName() == moby {
			continue
		}
		if err := s.fetchNamespace(ctx, ns.GetName(), out, paths); err != nil {
			return nil, "", err
		}
	}
	s.paths = paths
	return out, s.address, nil
}

// fetchNamespace takes the containers one by one: each record holds the whole
// specification, some ten kilobytes, of which one path is kept.
func (s *Source) fetchNamespace(ctx context.Context, namespace string, out container.Engines, paths map[string]cachedPath) error {
	ctx = inNamespace(ctx, namespace)
	failed := func(err error) error { return s.because("listing the containers of namespace "+namespace, err) }
	list, err := containersapi.NewContainersClient(s.conn).ListStream(ctx, &containersapi.ListContainersRequest{})
	if err != nil {
		return failed(err)
	}
	var digests map[string]string
	for {
		message, err := list.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return failed(err)
		}
		if digests == nil {
			if digests, err = s.digests(ctx); err != nil {
				return s.because("listing the images of namespace "+namespace, err)
			}
		}
		c := message.GetContainer()
		key, path := keyOf(namespace, c.GetID()), s.cgroupsPath(namespace, c)
		paths[key] = path
		e := engineOf(c, path.path)
		e.ImageDigest = digests[e.Image]
		out[key] = e
	}
}

func inNamespace(ctx context.Context, namespace string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "containerd-namespace", namespace)
}

func keyOf(namespace, id string) string { return namespace + "/" + id }

// engineOf is what a record says, but for its image's digest.
func engineOf(c *containersapi.Container, cgroupsPath string) container.Engine {
	name := c.GetLabels()[labelName]
	if name == "" {
		name = c.GetID()
	}
	return container.Engine{
		ID: c.GetID(), Name: name, Image: c.GetImage(), Labels: c.GetLabels(),
		CgroupsPath: cgroupsPath, Sandbox: c.GetLabels()[labelKind] == "sandbox",
	}
}

func (s *Source) digests(ctx context.Context) (map[string]string, error) {
	images, err := imagesapi.NewImagesClient(s.conn).List(ctx, &imagesapi.ListImagesRequest{})
	if err != nil {
		return nil, err
	}
	digests := make(map[string]string, len(images.GetImages()))
	for _, i := range images.GetImages() {
		digests[i.GetName()] = i.GetTarget().GetDigest()
	}
	return digests, nil
}

func (s *Source) cgroupsPath(namespace string, c *containersapi.Container) cachedPath {
	created := c.GetCreatedAt().AsTime().UnixNano()
	if known, ok := s.paths[keyOf(namespace, c.GetID())]; ok && known.created == created {
		return known
	}
	return cachedPath{created: created, path: parseCgroupsPath(c.GetSpec().GetValue())}
}

// parseCgroupsPath finds linux.cgroupsPath in an OCI runtime specification. What
// is no specification has none.
func parseCgroupsPath(spec []byte) string {
	var s struct {
		Linux struct {
			CgroupsPath string `json:"cgroupsPath"`
		} `json:"linux"`
	}
	if err := json.Unmarshal(spec, &s); err != nil {
		return ""
	}
	return s.Linux.CgroupsPath
}

func (s *Source) because(doing string, err error) error {
	wrapped := fmt.Errorf("%s at %s: %w", doing, s.address, err)
	return overgrpc.Because(wrapped, source.Invalid)
}
