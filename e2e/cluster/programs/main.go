// Command programs copies the programs that a cluster is made of into a directory,
// under their names, for a machine that has no Go. It builds those that are missing.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/loadline-exporters/loadline/e2e/cluster"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the directory to copy to")
	}
	for _, p := range cluster.Programs() {
		kept, err := p.Kept()
		if err != nil {
			return err
		}
		if out, err := exec.Command("cp", kept, filepath.Join(args[0], p.Name)).CombinedOutput(); err != nil {
			return fmt.Errorf("copy %s: %w: %s", p.Name, err, out)
		}
	}
	return nil
}
