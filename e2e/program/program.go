// Package program builds the programs that tests run: those of this repository,
// and those of others as they are published, each by a module of its own so that
// its requirements are the ones that it was published with.
package program

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/need"
)

// module is this repository's.
const module = "github.com/loadline-exporters/loadline"

// Built is the name of the variable that gives a directory of others' programs that
// were built before, under their names, for machines that have no Go.
const Built = "LOADLINE_E2E_PROGRAMS"

// Published is a program of somebody else.
type Published struct {
	// Name and Version say what it is.
	Name, Version string
	// Module is the directory, from the repository's, whose go.mod requires it.
	Module string
	// Package is its main package.
	Package string
	// Variables are set by the linker: a version, where the program has one.
	Variables map[string]string
}

// Path is where the program lies. It is built unless the user's cache has it: that
// takes minutes for some, and other tests that want it wait for it.
func (p Published) Path(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv(Built); dir != "" {
		return filepath.Join(dir, p.Name)
	}
	need.Program(t, "go", "golang")
	dir := filepath.Join(root(t), p.Module)
	kept := filepath.Join(cache(t), fmt.Sprintf("%s-%s-%s-%x", p.Name, p.Version, runtime.Version(), p.sum(t, dir)))
	defer lock(t, kept+".lock")()
	if _, err := os.Stat(kept); err == nil {
		return kept
	}
	fresh, err := os.MkdirTemp(filepath.Dir(kept), "new")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(fresh)
	t.Logf("building %s %s, which is not in the cache", p.Name, p.Version)
	built := build(t, dir, fresh, p.Package, p.Variables)
	if err := os.Rename(built, kept); err != nil { // whole, or not at all
		t.Fatal(err)
	}
	return kept
}

// sum tells builds of one version apart: by the modules that it is built with and
// what the linker is told.
func (p Published) sum(t testing.TB, dir string) []byte {
	t.Helper()
	sum := sha256.New()
	for _, file := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatalf("find what %s is built with: %v", p.Name, err)
		}
		sum.Write(content)
	}
	fmt.Fprint(sum, p.Package, p.Variables) // a map prints in the order of its keys
	return sum.Sum(nil)[:8]
}

// cache is the directory that programs are kept in.
func cache(t testing.TB) string {
	t.Helper()
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatalf("find a place to keep programs in: %v", err)
	}
	dir = filepath.Join(dir, "loadline", "programs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// lock waits until this process alone has the lock of a path, and returns what gives
// it back.
func lock(t testing.TB, path string) func() {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatalf("lock %s: %v", path, err)
	}
	return func() { _ = file.Close() } // and unlocks it
}

// Own builds a command of this repository, in the test's own directory.
func Own(t testing.TB, path string) string {
	t.Helper()
	return build(t, root(t), t.TempDir(), module+"/"+path, nil)
}

// build builds a command as releases are built, and never with the race detector.
func build(t testing.TB, dir, into, path string, variables map[string]string) string {
	t.Helper()
	program := filepath.Join(into, filepath.Base(path))
	flags := "-s -w"
	for name, value := range variables {
		flags += " -X " + name + "=" + value
	}
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+flags, "-o", program, path)
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
