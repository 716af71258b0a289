package image

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"
)

// file is one entry of a tar; a directory when its mode says so.
type file struct {
	path    string
	content []byte
	mode    fs.FileMode // 0644 when zero
}

// filesystem is the tar of the image's only layer.
func filesystem(spec Spec, program []byte) ([]byte, error) {
	files := []file{{path: programPath, content: program, mode: 0o755}}
	for _, mountPoint := range []string{"dev", "proc", "sys", "tmp"} {
		files = append(files, file{path: mountPoint, mode: fs.ModeDir | 0o755})
	}
	known := map[string]bool{".": true}
	for _, name := range slices.Sorted(maps.Keys(spec.Files)) {
		files = append(files, parents(path.Dir(name), known)...)
		files = append(files, file{path: name, content: spec.Files[name]})
	}
	var out bytes.Buffer
	err := writeTar(&out, files)
	return out.Bytes(), err
}

// parents are the directories down to dir that are not known yet.
func parents(dir string, known map[string]bool) []file {
	if known[dir] {
		return nil
	}
	known[dir] = true
	return append(parents(path.Dir(dir), known), file{path: dir, mode: fs.ModeDir | 0o755})
}

// writeTar writes files in their order, with times and owners of zero.
func writeTar(w io.Writer, files []file) error {
	out := tar.NewWriter(w)
	for _, f := range files {
		header := &tar.Header{
			Name:     f.path,
			Typeflag: tar.TypeReg,
			Mode:     int64(f.mode.Perm()),
			Size:     int64(len(f.content)),
			ModTime:  time.Unix(0, 0),
			Format:   tar.FormatUSTAR,
		}
		if f.mode == 0 {
			header.Mode = 0o644
		}
		if f.mode.IsDir() {
			header.Typeflag, header.Name = tar.TypeDir, f.path+"/"
		}
		if err := out.WriteHeader(header); err != nil {
			return err
		}
		if _, err := out.Write(f.content); err != nil {
			return err
		}
	}
	return out.Close()
}
