// Package docker names containers by what the Docker daemon says of them.
package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
)

// DefaultHost is where Docker listens unless told otherwise.
const DefaultHost = "unix:///var/run/docker.sock"

// Source asks a Docker daemon for its running containers, and for what happens to
// them. Fetch and Watch may run beside each other, each once at a time.
type Source struct {
	host      string
	client    *client.Client
	transport *http.Transport
	digests   map[string]string // manifest digest by image id; an image never changes; Fetch's own
	stream    stream            // Watch's own
	root      string            // where the daemon keeps containers' files; empty until it has said so; Fetch's own
}

// New returns a source for the daemon at host (unix:///path or tcp://host:port). A
// host that is no such address is an error; one where nothing listens is not.
func New(host string) (*Source, error) {
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
		client.WithHTTPClient(&http.Client{Transport: bounded{transport}, CheckRedirect: client.CheckRedirect}),
		client.WithUserAgent("loadline"),
	)
	if err != nil {
		return nil, fmt.Errorf("docker host %q: %w", host, err)
	}
	return &Source{host: host, client: c, transport: transport, digests: map[string]string{}}, nil
}

// Close ends the connections.
func (s *Source) Close() error {
	s.transport.CloseIdleConnections()
	return s.client.Close()
}

// Fetch lists the running containers.
func (s *Source) Fetch(ctx context.Context) (container.Engines, string, error) {
	list, err := s.client.ContainerList(ctx, client.ContainerListOptions{})
	if err != nil {
		return nil, "", because(fmt.Errorf("listing the containers of %s: %w", s.host, err))
	}
	s.askRoot(ctx)
	out := make(container.Engines, len(list.Items))
	inUse := make(map[string]bool)
	for _, c := range list.Items {
		digest := ""
		if c.ImageManifestDescriptor != nil {
			digest = c.ImageManifestDescriptor.Digest.String()
		} else {
			digest = s.digest(ctx, c.ImageID)
			inUse[c.ImageID] = true
		}
		out[c.ID] = container.Engine{
			ID: c.ID, Name: nameOf(c.Names, c.ID), Image: c.Image, ImageDigest: digest, Labels: c.Labels,
			Sandbox: isSandbox(c.Labels), Health: healthOf(c.Status), LogDir: s.logDir(c.ID),
		}
	}
	s.forget(inUse)
	return out, s.host, nil
}

func isSandbox(labels map[string]string) bool {
	return labels["io.kubernetes.docker.type"] == "podsandbox"
}

// askRoot asks once where the daemon keeps its files: it would have to be started
// anew to keep them elsewhere.
func (s *Source) askRoot(ctx context.Context) {
	if s.root != "" {
		return
	}
	if info, err := s.client.Info(ctx, client.InfoOptions{}); err == nil && strings.HasPrefix(info.Info.DockerRootDir, "/") {
		s.root = info.Info.DockerRootDir
	}
}

// logDir is where the logging drivers that write files do so.
func (s *Source) logDir(id string) string {
	if s.root == "" {
		return ""
	}
	return path.Join(s.root, "containers", id)
}

// nameOf is the container's own name. The others are links to it by what they are
// called in another container ("/web/db").
func nameOf(names []string, id string) string {
	for _, n := range names {
		if n = strings.TrimPrefix(n, "/"); n != "" && !strings.Contains(n, "/") {
			return n
		}
	}
	return id
}

// healthOf finds what the health check says in a status: "Up 3 minutes (healthy)".
func healthOf(status string) container.Health {
	for _, h := range []container.Health{container.Healthy, container.Unhealthy} {
		if strings.HasSuffix(status, "("+string(h)+")") {
			return h
		}
	}
	return ""
}

// digest asks for an image's digest once. An image that was built here, and never
// pushed or pulled, has none.
func (s *Source) digest(ctx context.Context, imageID string) string {
	if d, ok := s.digests[imageID]; ok {
		return d
	}
	image, err := s.client.ImageInspect(ctx, imageID)
	if err != nil && !errdefs.IsNotFound(err) { // an image can be removed under a container
		return "" // asked again at the next poll
	}
	d := ""
	for _, ref := range image.RepoDigests {
		if _, after, ok := strings.Cut(ref, "@"); ok {
			d = after
			break
		}
	}
	s.digests[imageID] = d
	return d
}

func (s *Source) forget(inUse map[string]bool) {
	for id := range s.digests {
		if !inUse[id] {
			delete(s.digests, id)
		}
	}
}

// because finds the reason in what the client's errors hide.
func because(err error) error {
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
	case errors.Is(err, errTooLong), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, &syntax), errors.As(err, &typ):
		return source.Because(source.Invalid, err)
	}
	return err
}
