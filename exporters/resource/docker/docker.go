// Package docker names containers by what the Docker daemon says of them.
package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/source"
)

// DefaultHost is where Docker listens unless told otherwise.
const DefaultHost = "unix:///var/run/docker.sock"

// maxContainers bounds what is taken of one answer.
const maxContainers = 20_000

// Source asks a Docker daemon for its running containers.
type Source struct {
	host   string
	client *client.Client

	mu      sync.Mutex
	digests map[string]string // manifest digest by image id; an image never changes
}

// New returns a source for the daemon at host (unix:///path or tcp://host:port). A
// host that is no such address is an error; one where nothing listens is not.
func New(host string) (*Source, error) {
	c, err := client.New(client.WithHost(host), client.WithUserAgent("loadline"))
	if err != nil {
		return nil, fmt.Errorf("docker host %q: %w", host, err)
	}
	return &Source{host: host, client: c, digests: map[string]string{}}, nil
}

// Close ends the connections.
func (s *Source) Close() error { return s.client.Close() }

// Fetch lists the running containers.
func (s *Source) Fetch(ctx context.Context) (container.Engines, string, error) {
	list, err := s.client.ContainerList(ctx, client.ContainerListOptions{})
	if err != nil {
		return nil, "", s.because(fmt.Errorf("listing the containers of %s: %w", s.host, err))
	}
	if len(list.Items) > maxContainers {
		return nil, "", source.Because(source.Invalid, fmt.Errorf("%s lists %d containers, more than %d", s.host, len(list.Items), maxContainers))
	}
	out := make(container.Engines, len(list.Items))
	inUse := make(map[string]bool)
	for _, c := range list.Items {
		name := c.ID
		if len(c.Names) > 0 {
			name = strings.TrimPrefix(c.Names[0], "/")
		}
		digest := ""
		if c.ImageManifestDescriptor != nil {
			digest = c.ImageManifestDescriptor.Digest.String()
		} else {
			digest = s.digest(ctx, c.ImageID)
			inUse[c.ImageID] = true
		}
		out[c.ID] = container.Engine{
			ID: c.ID, Name: name, Image: c.Image, ImageDigest: digest, Labels: c.Labels,
			Sandbox: c.Labels["io.kubernetes.docker.type"] == "podsandbox",
		}
	}
	s.forget(inUse)
	return out, s.host, nil
}

// digest asks for an image's digest once. An image that was built here, and never
// pushed or pulled, has none.
func (s *Source) digest(ctx context.Context, imageID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.digests[imageID]; ok {
		return d
	}
	image, err := s.client.ImageInspect(ctx, imageID)
	if err != nil {
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.digests {
		if !inUse[id] {
			delete(s.digests, id)
		}
	}
}

// because finds the reason in what the client's errors hide.
func (s *Source) because(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
	case client.IsErrConnectionFailed(err):
		if strings.Contains(err.Error(), "permission denied") {
			return source.Because(source.Forbidden, err)
		}
		return source.Because(source.Absent, err)
	case errdefs.IsPermissionDenied(err), errdefs.IsUnauthorized(err):
		return source.Because(source.Forbidden, err)
	case strings.Contains(err.Error(), "invalid character"), strings.Contains(err.Error(), "cannot unmarshal"):
		return source.Because(source.Invalid, err)
	}
	return err
}
