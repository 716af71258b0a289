package main

import (
	"errors"
	"fmt"
	"os"
)

// write writes a file and waits until it is on the disk: of cgroup v1, only what a
// process waits for is counted as its own.
func write(path string, size int) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make a file: %w", err)
	}
	_, err = file.Write(make([]byte, size))
	return errors.Join(err, file.Sync(), file.Close())
}
