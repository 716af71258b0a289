package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/image"
)

// LoadImage brings an image into Docker as `docker load` does: its id is the
// configuration's digest, its name, age and labels are the image's own.
func (d *Docker) LoadImage(ctx context.Context, i *image.Image) {
	d.t.Helper()
	answer, err := d.Client.ImageLoad(ctx, bytes.NewReader(i.Archive), client.ImageLoadWithQuiet(true))
	if err == nil {
		err = finish(answer)
	}
	if err != nil {
		d.fatal(fmt.Errorf("load image %s: %w", i.Name, err))
	}
}

// ImportImage makes an image of another's filesystem as `docker import` does:
// it is as old as the import, and has no labels and no digest of a registry.
func (d *Docker) ImportImage(ctx context.Context, name string, i *image.Image) {
	d.t.Helper()
	entrypoint, err := json.Marshal(image.Entrypoint())
	if err != nil {
		d.t.Fatalf("encode the entrypoint of image %s: %v", name, err)
	}
	answer, err := d.Client.ImageImport(ctx,
		client.ImageImportSource{Source: bytes.NewReader(i.Filesystem), SourceName: "-"}, name,
		client.ImageImportOptions{Changes: []string{"ENTRYPOINT " + string(entrypoint), `CMD ["idle"]`}})
	if err == nil {
		err = finish(answer)
	}
	if err != nil {
		d.fatal(fmt.Errorf("import image %s: %w", name, err))
	}
}

// finish reads an answer of progress messages to its end, and returns the
// error that one of them says.
func finish(answer io.ReadCloser) error {
	defer answer.Close()
	messages := json.NewDecoder(answer)
	for {
		var message struct{ Error string }
		err := messages.Decode(&message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read Docker's answer: %w", err)
		}
		if message.Error != "" {
			return errors.New(message.Error)
		}
	}
}
