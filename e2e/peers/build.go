// Package peers runs the resource exporter beside what it is compared with, each
// as a program of its own on a free port of loopback: node_exporter and cAdvisor's
// library as they are published, and the floor, which reads files and does nothing
// else.
package peers

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// The peers' versions: those that e2e/peers/nodeexporter/go.mod and go.mod pin.
const (
	NodeExporterVersion = "1.12.1"
	CAdvisorVersion     = "0.60.6"
)

// module is this repository's.
const module = "github.com/loadline-exporters/loadline"

// nodeExporter builds node_exporter from the module proxy, by a module of its own,
// so that its requirements are as it was published with. It is kept in the user's
// cache: a cold build takes minutes.
func nodeExporter(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(root(t), "e2e/peers/nodeexporter")
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("find a place to keep node_exporter in: %v", err)
	}
	kept := filepath.Join(cache, "loadline", "peers", fmt.Sprintf("node_exporter-%s-%s-%x", NodeExporterVersion, runtime.Version(), sha256.Sum256(sum)))
	if _, err := os.Stat(kept); err == nil {
		return kept
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		t.Fatal(err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(kept), "new")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(fresh)
	built := build(t, dir, fresh, "github.com/prometheus/node_exporter")
	if err := os.Rename(built, kept); err != nil { // at once: tests of other packages look, too
		t.Fatal(err)
	}
	return kept
}

// own builds a command of this repository.
func own(t testing.TB, path string) string {
	t.Helper()
	return build(t, root(t), t.TempDir(), module+"/"+path)
}

// build builds a command as releases are built, and never with the race detector.
func build(t testing.TB, dir, into, path string) string {
	t.Helper()
	program := filepath.Join(into, filepath.Base(path))
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, path)
	command.Dir = dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", path, err, out)
	}
	return program
}

// root is the repository's directory, found from where go test runs a test.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "AGENTS.md")); err == nil {
			return dir
		}
	}
	t.Fatal("find the repository: no directory above this one has AGENTS.md")
	return ""
}
