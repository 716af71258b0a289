package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func build(t *testing.T, spec Spec) *Image {
	t.Helper()
	image, err := Build(spec, []byte("#!program"))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// entries reads a tar into a map from path to content.
func entries(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	in := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = content
	}
}

func decode[T any](t *testing.T, content []byte) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(content, &value); err != nil {
		t.Fatalf("decode %q: %v", content, err)
	}
	return value
}

func TestSameSpecificationGivesSameDigests(t *testing.T) {
	spec := Spec{Labels: map[string]string{"a": "1", "b": "2"}, Files: map[string][]byte{"etc/x": nil, "etc/y/z": nil, "b": nil}}
	first, second := build(t, spec), build(t, spec)
	if first.Manifest != second.Manifest || !bytes.Equal(first.Archive, second.Archive) {
		t.Errorf("manifests %s and %s of the same image differ", first.Manifest, second.Manifest)
	}
}

func TestAgeChangesTheConfigurationAndNotTheLayer(t *testing.T) {
	old, young := build(t, Spec{}), build(t, Spec{Created: time.Unix(1e9, 0)})
	if old.Layer != young.Layer || old.Config == young.Config || old.Manifest == young.Manifest {
		t.Errorf("layer %s and %s, configuration %s and %s", old.Layer, young.Layer, old.Config, young.Config)
	}
}

func TestArchiveIsAnImageLayoutWhoseDigestsHold(t *testing.T) {
	image := build(t, Spec{Name: "example.org/team/app:1", Labels: map[string]string{"team": "blue"}})
	files := entries(t, image.Archive)
	for path, content := range files {
		if encoded, ok := strings.CutPrefix(path, "blobs/sha256/"); ok && digest.FromBytes(content).Encoded() != encoded {
			t.Errorf("%s holds other content than its name says", path)
		}
	}
	index := decode[ocispec.Index](t, files["index.json"])
	if len(index.Manifests) != 1 || index.Manifests[0].Annotations["io.containerd.image.name"] != image.Name {
		t.Fatalf("index %+v does not name %s", index, image.Name)
	}
	manifest := decode[ocispec.Manifest](t, files[blobPath(index.Manifests[0].Digest)])
	config := decode[ocispec.Image](t, files[blobPath(manifest.Config.Digest)])
	if config.Config.Labels["team"] != "blue" || config.RootFS.DiffIDs[0] != image.Layer || manifest.Layers[0].Digest != image.Layer {
		t.Errorf("configuration %+v, manifest %+v", config, manifest)
	}
}

func TestArchiveIsWhatDockerLoads(t *testing.T) {
	image := build(t, Spec{})
	files := entries(t, image.Archive)
	manifests := decode[[]dockerManifest](t, files["manifest.json"])
	if len(manifests) != 1 || manifests[0].RepoTags[0] != DefaultName {
		t.Fatalf("manifest.json %+v does not name %s", manifests, DefaultName)
	}
	for _, path := range append(manifests[0].Layers, manifests[0].Config) {
		if _, ok := files[path]; !ok {
			t.Errorf("manifest.json names %s, which the archive lacks", path)
		}
	}
}

func TestFilesystemHoldsTheProgramAndTheFilesWithTheirParents(t *testing.T) {
	image := build(t, Spec{Files: map[string][]byte{"etc/app/config": []byte("x=1")}})
	files := entries(t, image.Filesystem)
	for _, path := range []string{"workload", "proc/", "etc/", "etc/app/", "etc/app/config"} {
		if _, ok := files[path]; !ok {
			t.Errorf("the filesystem lacks %s", path)
		}
	}
}

func TestWorkloadIsReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the Go tool twice")
	}
	if first, second := Workload(t, Spec{}), Workload(t, Spec{}); first.Manifest != second.Manifest {
		t.Errorf("manifests %s and %s of two builds differ", first.Manifest, second.Manifest)
	}
}
