package page

import (
	"bytes"
	"compress/gzip"
	"flag"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/need"
)

var update = flag.Bool("update", false, "build the page anew")

// sources are what the page is built of.
var sources = []string{"package.json", "package-lock.json", "tsconfig.json", "vite.config.ts", "index.html", "src"}

// dist is where the built page is kept.
const dist = "dist"

func TestTheBuiltPageIsCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("fetches and builds Perses' packages")
	}
	want := build(t)
	if *update {
		write(t, want)
		return
	}
	got := kept(t)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !bytes.Equal(got[name], want[name]) {
			t.Errorf("%s is missing or not what the sources give: go test ./dashboards/page -run Current -update", name)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s is not built any more", name)
	}
}

// build builds the page in a directory of its own and returns its files. The compiler
// sees the panels of the dashboards too, which are no part of it.
func build(t *testing.T) map[string][]byte {
	t.Helper()
	npm := need.Program(t, "npm", "npm")
	dir := t.TempDir()
	for _, source := range sources {
		copyAll(t, source, filepath.Join(dir, source))
	}
	writeTypes(t, filepath.Join(dir, "src/panels.ts"))
	for _, args := range [][]string{
		{"ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"},
		{"run", "build"},
	} {
		cmd := exec.CommandContext(t.Context(), npm, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("npm %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return read(t, os.DirFS(filepath.Join(dir, dist)))
}

// copyAll copies a file or a directory.
func copyAll(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		target := to + strings.TrimPrefix(path, from)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, fsys fs.FS) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(fsys, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[path], err = fs.ReadFile(fsys, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// kept returns the files that are committed, uncompressed: what compression makes of
// them may change with Go.
func kept(t *testing.T) map[string][]byte {
	t.Helper()
	sub, err := fs.Sub(Files, dist)
	if err != nil {
		t.Fatal(err)
	}
	files := read(t, sub)
	for name, content := range files {
		plain, ok := strings.CutSuffix(name, ".gz")
		if !ok {
			continue
		}
		r, err := gzip.NewReader(bytes.NewReader(content))
		if err == nil {
			files[plain], err = io.ReadAll(r)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		delete(files, name)
	}
	return files
}

// write replaces what is committed, except where it says the same.
func write(t *testing.T, files map[string][]byte) {
	t.Helper()
	same := kept(t)
	for name, content := range same {
		if !bytes.Equal(files[name], content) {
			if err := os.Remove(filepath.Join(dist, committed(name))); err != nil {
				t.Fatal(err)
			}
			delete(same, name)
		}
	}
	for name, content := range files {
		if _, ok := same[name]; ok {
			continue
		}
		path := filepath.Join(dist, committed(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if path != filepath.Join(dist, name) {
			content = compress(t, content)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// committed is the name under which a built file is kept.
func committed(name string) string {
	if name == "index.html" {
		return name
	}
	return name + ".gz"
}

func compress(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
