package dockerclient

import (
	"context"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
)

// Digests are the manifests' digests of the images that containers run. They belong
// to one goroutine at a time.
type Digests struct {
	client *Client
	known  map[string]string // by image id: an image never changes
	inUse  map[string]bool   // asked for since the last Forget
}

// NewDigests returns the digests of a daemon's images.
func NewDigests(c *Client) *Digests {
	return &Digests{client: c, known: map[string]string{}, inUse: map[string]bool{}}
}

// Of is the digest of a container's image. The daemon is asked once an image. An
// image that was built here, and never pushed or pulled, has none.
func (d *Digests) Of(ctx context.Context, c *container.Summary) string {
	if c.ImageManifestDescriptor != nil {
		return c.ImageManifestDescriptor.Digest.String()
	}
	d.inUse[c.ImageID] = true
	if digest, ok := d.known[c.ImageID]; ok {
		return digest
	}
	image, err := d.client.ImageInspect(ctx, c.ImageID)
	if err != nil && !errdefs.IsNotFound(err) { // an image can be removed under a container
		return "" // asked again at the next poll
	}
	digest := ""
	for _, ref := range image.RepoDigests {
		if _, after, ok := strings.Cut(ref, "@"); ok {
			digest = after
			break
		}
	}
	d.known[c.ImageID] = digest
	return digest
}

// Forget forgets the digests of images that were not asked for since it was last
// called.
func (d *Digests) Forget() {
	for id := range d.known {
		if !d.inUse[id] {
			delete(d.known, id)
		}
	}
	clear(d.inUse)
}

// Len is how many images' digests are remembered.
func (d *Digests) Len() int { return len(d.known) }
