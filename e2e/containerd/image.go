package containerd

import (
	"bytes"
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/errdefs"

	"github.com/loadline-exporters/loadline/e2e/image"
)

// Import brings an image into a namespace and unpacks it, unless it is there.
func (c *Containerd) Import(ctx context.Context, namespace string, i *image.Image) {
	c.t.Helper()
	if _, err := c.ensure(Context(ctx, namespace), i); err != nil {
		c.t.Fatalf("%v; the end of containerd's log:\n%s", err, c.daemon.Tail())
	}
}

// ensure returns the image of the context's namespace, imported and unpacked.
func (c *Containerd) ensure(ctx context.Context, i *image.Image) (client.Image, error) {
	// One at a time: imports of the same layer hinder each other.
	c.imports.Lock()
	defer c.imports.Unlock()
	found, err := c.Client.GetImage(ctx, i.Name)
	if errdefs.IsNotFound(err) || err == nil && found.Target().Digest != i.Manifest {
		if _, err = c.Client.Import(ctx, bytes.NewReader(i.Archive)); err != nil {
			return nil, fmt.Errorf("import image %s: %w", i.Name, err)
		}
		found, err = c.Client.GetImage(ctx, i.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("get image %s: %w", i.Name, err)
	}
	unpacked, err := found.IsUnpacked(ctx, snapshotter)
	if err == nil && !unpacked {
		err = found.Unpack(ctx, snapshotter)
	}
	if err != nil {
		return nil, fmt.Errorf("unpack image %s: %w", i.Name, err)
	}
	return found, nil
}
