package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// workloadPackage is the program that the images hold.
const workloadPackage = "github.com/loadline-exporters/loadline/e2e/workload"

// Program is the name of the variable that gives the path of a workload program
// that was built before, for machines that have no Go.
const Program = "LOADLINE_E2E_WORKLOAD"

// Workload builds the workload program, static and reproducible, and the
// image that spec describes around it. The test fails when either fails.
func Workload(t testing.TB, spec Spec) *Image {
	t.Helper()
	path := os.Getenv(Program)
	if path == "" {
		path = buildProgram(t)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read the workload program: %v", err)
	}
	image, err := Build(spec, program)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// buildProgram builds it and returns its path.
func buildProgram(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "workload")
	// No -race and no cgo, whatever the test itself was built with: the image
	// holds no C library.
	command := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", path, workloadPackage)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", workloadPackage, err, out)
	}
	return path
}
