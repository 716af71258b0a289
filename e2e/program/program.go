// Package program builds the programs that tests run: those of this repository,
// and those of others as they are published, each by a module of its own so that
// its requirements are the ones that it was published with.
package program

import (
	"crypto/sha256"
	"errors"
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

// Built is the name of the variable that gives a directory of programs that were
// built before, under their names, for machines that have no Go.
const Built = "LOADLINE_E2E_PROGRAMS"

// Published is a program of somebody else.
type Published struct {
	// Name and Version say what it is.
	Name, Version string
	// Module is the directory, from the repository's, whose go.mod requires it.
	Module string
	// Package is its main package.
	Package string
	// Tags are build tags, separated by commas.
	Tags string
	// Variables are set by the linker: a version, where the program has one.
	Variables map[string]string
	// Missing is a file, from the root of the package's module, that the program embeds
	// and its module is published without. It is built in, empty.
	Missing string
}

// Path is where the program lies, as Kept says.
func (p Published) Path(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv(Built); dir != "" {
		return filepath.Join(dir, p.Name)
	}
	need.Program(t, "go", "golang")
	path, err := p.Kept()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Kept builds the program unless the user's cache has it, and says where it lies. It
// takes minutes for some; others that want it wait for it.
func (p Published) Kept() (string, error) {
	root, err := root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, p.Module)
	sum, err := p.sum(dir)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place to keep programs in: %w", err)
	}
	kept := filepath.Join(cache, "loadline", "programs", fmt.Sprintf("%s-%s-%s-%x", p.Name, p.Version, runtime.Version(), sum))
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(kept + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(kept); err == nil {
		return kept, nil
	}
	fresh, err := os.MkdirTemp(filepath.Dir(kept), "new")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	var flags []string
	if p.Missing != "" {
		if flags, err = p.complete(dir, fresh); err != nil {
			return "", err
		}
	}
	built, err := build(dir, fresh, p, flags...)
	if err != nil {
		return "", err
	}
	return kept, os.Rename(built, kept) // whole, or not at all
}

// sum tells builds of one version apart: by the modules that it is built with and
// what the tools are told.
func (p Published) sum(dir string) ([]byte, error) {
	sum := sha256.New()
	for _, file := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, fmt.Errorf("find what %s is built with: %w", p.Name, err)
		}
		sum.Write(content)
	}
	fmt.Fprint(sum, p.Package, p.Tags, p.Variables, p.Missing) // a map prints in the order of its keys
	return sum.Sum(nil)[:8], nil
}

// lock waits until this process alone has the lock of a path, and returns what gives
// it back.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil // and unlocks it
}

// Own builds a command of this repository, in the test's own directory.
func Own(t testing.TB, path string) string {
	t.Helper()
	if dir := os.Getenv(Built); dir != "" {
		return filepath.Join(dir, filepath.Base(path))
	}
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	built, err := build(root, t.TempDir(), Published{Package: module + "/" + path})
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// build builds a command as releases are built, and never with the race detector.
func build(dir, into string, p Published, further ...string) (string, error) {
	program := filepath.Join(into, filepath.Base(p.Package))
	flags := "-s -w"
	for name, value := range p.Variables {
		flags += " -X " + name + "=" + value
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags=" + p.Tags, "-ldflags=" + flags, "-o", program}
	command := exec.Command("go", append(append(args, further...), p.Package)...)
	command.Dir = dir
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", p.Package, err, out)
	}
	return program, nil
}

// root is the repository's directory, found from the one that a program was started
// in.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "AGENTS.md")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("find the repository: no directory above this one has AGENTS.md")
}
