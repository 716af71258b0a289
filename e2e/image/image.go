// Package image builds container images from scratch, without a registry and
// without a builder: one layer that holds the static workload program.
//
// The same archive is an OCI image layout, which containerd imports, and what
// `docker save` writes, which Docker loads. It depends on nothing but its
// specification and the program, so that its digests are the same each time.
package image

import (
	"bytes"
	_ "crypto/sha256" // go-digest finds it by its name only
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// DefaultName is the name of an image whose specification gives none.
const DefaultName = "docker.io/loadline/workload:test"

// programPath is where the workload lies in the image.
const programPath = "workload"

// Spec says what image to build.
type Spec struct {
	// Name is the full reference with its tag; DefaultName when empty.
	Name string
	// Created is the image's age; the epoch (1970) when zero.
	Created time.Time
	// Labels are the image configuration's.
	Labels map[string]string
	// Command follows the entrypoint when a container gives no arguments;
	// "idle" when nil.
	Command []string
	// Env are variables, NAME=value, beside PATH.
	Env []string
	// Files are further files of the layer: path without leading slash, and
	// content.
	Files map[string][]byte
}

// Image is a built image, whole in memory (some 2 MB).
type Image struct {
	// Name is the full reference.
	Name string
	// Manifest, Config and Layer are the digests of the parts. Docker's image
	// id is the configuration's digest.
	Manifest, Config, Layer digest.Digest
	// Archive is a tar: OCI image layout and Docker archive in one.
	Archive []byte
	// Filesystem is a tar of the root filesystem alone, for `docker import`.
	Filesystem []byte
}

// Entrypoint is the image's entrypoint, for `docker import`, which keeps none.
func Entrypoint() []string { return []string{"/" + programPath} }

// Build makes the image that spec describes around a static program.
func Build(spec Spec, program []byte) (*Image, error) {
	spec = withDefaults(spec)
	layer, err := filesystem(spec, program)
	if err != nil {
		return nil, fmt.Errorf("build the layer of image %s: %w", spec.Name, err)
	}
	config, err := json.Marshal(configuration(spec, digest.FromBytes(layer)))
	if err != nil {
		return nil, fmt.Errorf("encode the configuration of image %s: %w", spec.Name, err)
	}
	image := &Image{
		Name:       spec.Name,
		Config:     digest.FromBytes(config),
		Layer:      digest.FromBytes(layer),
		Filesystem: layer,
	}
	if err := image.archive(config, layer); err != nil {
		return nil, fmt.Errorf("write the archive of image %s: %w", spec.Name, err)
	}
	return image, nil
}

func withDefaults(spec Spec) Spec {
	if spec.Name == "" {
		spec.Name = DefaultName
	}
	if spec.Created.IsZero() {
		spec.Created = time.Unix(0, 0)
	}
	if spec.Command == nil {
		spec.Command = []string{"idle"}
	}
	return spec
}

func configuration(spec Spec, layer digest.Digest) ocispec.Image {
	created := spec.Created.UTC()
	return ocispec.Image{
		Created:  &created,
		Platform: ocispec.Platform{Architecture: runtime.GOARCH, OS: "linux"},
		Config: ocispec.ImageConfig{
			Entrypoint: Entrypoint(),
			Cmd:        spec.Command,
			Env:        append([]string{"PATH=/"}, spec.Env...),
			Labels:     spec.Labels,
		},
		RootFS:  ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer}},
		History: []ocispec.History{{Created: &created, CreatedBy: "loadline e2e"}},
	}
}

// dockerManifest is an entry of manifest.json, by which `docker load` finds
// the parts of an image.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// archive writes the layout around the configuration and the layer, and fills
// in what follows from it.
func (i *Image) archive(config, layer []byte) error {
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    descriptor(ocispec.MediaTypeImageConfig, config),
		Layers:    []ocispec.Descriptor{descriptor(ocispec.MediaTypeImageLayer, layer)},
	})
	if err != nil {
		return err
	}
	entry := descriptor(ocispec.MediaTypeImageManifest, manifest)
	entry.Annotations = map[string]string{images.AnnotationImageName: i.Name}
	index, err := json.Marshal(ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: []ocispec.Descriptor{entry},
	})
	if err != nil {
		return err
	}
	docker, err := json.Marshal([]dockerManifest{{
		Config:   blobPath(i.Config),
		RepoTags: []string{i.Name},
		Layers:   []string{blobPath(i.Layer)},
	}})
	if err != nil {
		return err
	}
	i.Manifest = entry.Digest
	var out bytes.Buffer
	err = writeTar(&out, []file{
		{path: ocispec.ImageLayoutFile, content: []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{path: ocispec.ImageIndexFile, content: index},
		{path: "manifest.json", content: docker},
		{path: blobPath(i.Manifest), content: manifest},
		{path: blobPath(i.Config), content: config},
		{path: blobPath(i.Layer), content: layer},
	})
	i.Archive = out.Bytes()
	return err
}

func descriptor(mediaType string, content []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
}

func blobPath(d digest.Digest) string { return "blobs/" + d.Algorithm().String() + "/" + d.Encoded() }
