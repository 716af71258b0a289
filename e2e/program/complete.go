package program

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// complete copies the program's module, adds the file that it lacks, and returns the
// flags that build with the copy. The module cache itself is not for changing, and
// the go command lays no file over it.
func (p Published) complete(dir, into string) ([]string, error) {
	list := exec.Command("go", "list", "-find", "-json=Module", p.Package)
	list.Dir = dir
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("find the module of %s: %w", p.Package, err)
	}
	var found struct{ Module struct{ Path, Dir string } }
	if err := json.Unmarshal(out, &found); err != nil {
		return nil, fmt.Errorf("find the module of %s: %w", p.Package, err)
	}
	source := filepath.Join(into, "source")
	if err := os.CopyFS(source, os.DirFS(found.Module.Dir)); err != nil {
		return nil, fmt.Errorf("copy the module of %s: %w", p.Package, err)
	}
	missing := filepath.Join(source, p.Missing)
	if err := os.MkdirAll(filepath.Dir(missing), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(missing, nil, 0o644); err != nil {
		return nil, err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(into, name), content, 0o644); err != nil {
			return nil, err
		}
	}
	mod := filepath.Join(into, "go.mod")
	edit := exec.Command("go", "mod", "edit", "-replace", found.Module.Path+"="+source, mod)
	if out, err := edit.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s with a copy of its module: %w\n%s", p.Package, err, out)
	}
	return []string{"-modfile=" + mod}, nil
}
