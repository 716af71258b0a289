package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// The kinds of entries.
const (
	directory       = "directory" // ours alone, with mounts and processes
	container       = "container" // a cgroup, ours alone, with processes
	file            = "file"      // ours alone
	sharedDirectory = "shared-directory"
	sharedCgroup    = "shared-cgroup"
)

// killLimit is how long a killed process may take to leave its cgroup.
const killLimit = 10 * time.Second

// entry is a line of the ledger.
type entry struct{ kind, path string }

func (e entry) String() string { return e.kind + " " + e.path }

func parse(line string) (entry, bool) {
	kind, path, ok := strings.Cut(line, " ")
	e := entry{kind, path}
	known := kind == directory || kind == container || kind == file || e.shared()
	return e, ok && known && len(path) > 1 && filepath.IsAbs(path)
}

// shared says that others may use it: it goes when it is empty.
func (e entry) shared() bool { return e.kind == sharedDirectory || e.kind == sharedCgroup }

// remove removes what the entry names and says what was still there that
// should have gone before; a directory itself may be.
func (e entry) remove() []string {
	switch e.kind {
	case directory:
		return removeDirectory(e.path)
	case container:
		return removeContainer(e.path)
	case file:
		return removeFile(e.path)
	}
	return nil // what is shared waits for the last test
}

func removeDirectory(dir string) (problems []string) {
	for _, pid := range processesNaming(dir) {
		problems = append(problems, fmt.Sprintf("process %d: %s", pid, commandLine(pid)))
	}
	if err := killAll(func() ([]int, error) { return processesNaming(dir), nil }); err != nil {
		problems = append(problems, err.Error())
	}
	mounts, err := mountsBelow(dir)
	if err != nil {
		return append(problems, err.Error())
	}
	for _, mount := range mounts {
		problems = append(problems, "mount "+mount)
		if err := syscall.Unmount(mount, syscall.MNT_DETACH); err != nil {
			problems = append(problems, fmt.Sprintf("mount %s, which does not go: %v", mount, err))
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		problems = append(problems, fmt.Sprintf("directory %s: %v", dir, err))
	}
	return problems
}

func removeContainer(path string) (problems []string) {
	groups, err := cgroup.At(path)
	if err != nil {
		return []string{err.Error()}
	}
	left := groups.Existing()
	if len(left) > 0 {
		problems = append(problems, fmt.Sprintf("cgroup %s, in %d hierarchies", path, len(left)))
	}
	for _, dir := range left {
		err := killAll(func() ([]int, error) { return processesBelow(dir) })
		if err = errors.Join(err, cgroup.Remove(dir)); err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems
}

func removeFile(path string) []string {
	err := os.Remove(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return []string{err.Error()}
	}
	return []string{"file " + path}
}

// killAll kills the processes that list finds until it finds none: between a
// look and a signal new ones can start.
func killAll(list func() ([]int, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait.Limit(killLimit))
	defer cancel()
	return wait.Until(ctx, func() error {
		pids, err := list()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // gone already is as well
		}
		return fmt.Errorf("processes %v are still there", pids)
	})
}

// processesBelow are the processes in a cgroup and in those below it.
func processesBelow(dir string) (pids []int, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		found, err := cgroup.Processes(path)
		pids = append(pids, found...)
		return err
	})
	return pids, err
}

// removeEmpty removes what is shared where it is empty; where it is not,
// somebody else uses it by now.
func (e entry) removeEmpty() {
	dirs := []string{e.path}
	if e.kind == sharedCgroup {
		groups, err := cgroup.At(e.path)
		if err != nil {
			return
		}
		dirs = groups.Existing()
	}
	for _, dir := range dirs {
		_ = syscall.Rmdir(dir)
	}
}

func deepestFirst(entries []entry) []entry {
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Compare(strings.Count(b.path, "/"), strings.Count(a.path, "/"))
	})
	return entries
}

// processesNaming are the processes whose command line names a file below
// dir: daemons, and shims with their daemon's socket.
func processesNaming(dir string) []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if strings.Contains(commandLine(pid), dir+"/") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// commandLine is empty for a process that has ended.
func commandLine(pid int) string {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.TrimSpace(strings.ReplaceAll(string(content), "\x00", " "))
}

// mountsBelow are the mount points in or below dir, last mounted first.
func mountsBelow(dir string) ([]string, error) {
	content, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, errors.Join(errors.New("list the mounts"), err)
	}
	var mounts []string
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) > 1 && (fields[1] == dir || strings.HasPrefix(fields[1], dir+"/")) {
			mounts = append(mounts, fields[1])
		}
	}
	slices.Reverse(mounts)
	return mounts, nil
}
