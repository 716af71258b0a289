// Package docker names containers by what the Docker daemon says of them.
package docker

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
)

// maxAnswer bounds one answer. A thousand containers take about 3 MB.
const maxAnswer = 32 << 20

// Source asks a Docker daemon for its running containers, and for what happens to
// them. Fetch and Watch may run beside each other, each once at a time.
type Source struct {
	client  *dockerclient.Client
	events  *dockerclient.Events  // Watch's own
	digests *dockerclient.Digests // Fetch's own
	root    string                // where the daemon keeps containers' files; empty until it has said so; Fetch's own
}

// New returns a source for the daemon at host (unix:///path or tcp://host:port). A
// host that is no such address is an error; one where nothing listens is not.
func New(host string) (*Source, error) {
	c, err := dockerclient.New(host, maxAnswer)
	if err != nil {
		return nil, err
	}
	return &Source{client: c, events: dockerclient.NewEvents(c), digests: dockerclient.NewDigests(c)}, nil
}

// Close ends the connections.
func (s *Source) Close() error { return s.client.Close() }

// Fetch lists the running containers.
func (s *Source) Fetch(ctx context.Context) (container.Engines, string, error) {
	list, err := s.client.ContainerList(ctx, client.ContainerListOptions{})
	if err != nil {
		return nil, "", dockerclient.Because(fmt.Errorf("listing the containers of %s: %w", s.client.Host, err))
	}
	s.askRoot(ctx)
	out := make(container.Engines, len(list.Items))
	for _, c := range list.Items {
		out[c.ID] = container.Engine{
			ID: c.ID, Name: dockerclient.Name(c.Names, c.ID), Image: c.Image, ImageDigest: s.digests.Of(ctx, &c), Labels: c.Labels,
			Sandbox: isSandbox(c.Labels), Health: healthOf(c.Status), LogDir: s.logDir(c.ID),
		}
	}
	s.digests.Forget()
	return out, s.client.Host, nil
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

// healthOf finds what the health check says in a status: "Up 3 minutes (healthy)".
func healthOf(status string) container.Health {
	for _, h := range []container.Health{container.Healthy, container.Unhealthy} {
		if strings.HasSuffix(status, "("+string(h)+")") {
			return h
		}
	}
	return ""
}
