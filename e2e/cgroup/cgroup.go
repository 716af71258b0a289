// Package cgroup finds the control groups of real containers and reads their
// files, on machines of version 1, of version 2 and of both.
//
// It shares no code with the exporters on purpose: tests compare what these
// say with what it reads.
package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// V2 is the key of the version 2 hierarchy where controllers are keys.
const V2 = ""

// Groups are the directories of a process or container, one a controller of
// version 1 (memory, cpu, name=systemd …), and the one of version 2 under V2.
type Groups map[string]string

// Dir is the directory that a controller's files are in: its own hierarchy's,
// or version 2's where it has none.
func (g Groups) Dir(controller string) string {
	if dir, ok := g[controller]; ok {
		return dir
	}
	return g[V2]
}

// Mounts gives the mount point of each controller's hierarchy.
func Mounts() (map[string]string, error) {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("find the cgroup hierarchies: %w", err)
	}
	mounts := map[string]string{}
	for line := range strings.Lines(string(content)) {
		// proc_pid_mountinfo(5): fields, " - ", type, source, super options.
		before, after, _ := strings.Cut(strings.TrimSpace(line), " - ")
		fields, super := strings.Fields(before), strings.Fields(after)
		if len(fields) < 5 || len(super) < 3 {
			continue
		}
		switch super[0] {
		case "cgroup2":
			mounts[V2] = fields[4]
		case "cgroup":
			for option := range strings.SplitSeq(super[2], ",") {
				if option != "rw" && option != "ro" && option != "xattr" {
					mounts[option] = fields[4]
				}
			}
		}
	}
	return mounts, nil
}

// At gives the directories of a cgroup path such as /kubepods/pod1/c1,
// whether they exist or not.
func At(path string) (Groups, error) {
	mounts, err := Mounts()
	if err != nil {
		return nil, err
	}
	groups := Groups{}
	for controller, mount := range mounts {
		groups[controller] = filepath.Join(mount, path)
	}
	return groups, nil
}

// Of gives the directories that a process is in.
func Of(pid int) (Groups, error) {
	mounts, err := Mounts()
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("/proc/%d/cgroup", pid)
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("find the cgroups of process %d: %w", pid, err)
	}
	defer file.Close()
	groups := Groups{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		// cgroups(7): hierarchy id, controllers, path.
		parts := strings.SplitN(lines.Text(), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			if mount, ok := mounts[controller]; ok {
				groups[controller] = filepath.Join(mount, parts[2])
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return groups, nil
}

// Existing are those of the directories that exist.
func (g Groups) Existing() []string {
	seen := map[string]bool{}
	var dirs []string
	for _, dir := range g {
		if _, err := os.Stat(dir); err == nil && !seen[dir] {
			seen[dir] = true
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// Remove removes the directory and all groups below it. It fails with EBUSY
// when a process is still in one of them.
func Remove(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove cgroup %s: %w", dir, err)
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := Remove(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove cgroup %s: %w", dir, err)
	}
	return nil
}

// Processes are the ids of the processes in the directory's own group.
func Processes(dir string) ([]int, error) {
	content, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil, fmt.Errorf("list the processes of a cgroup: %w", err)
	}
	var pids []int
	for field := range strings.FieldsSeq(string(content)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("list the processes of cgroup %s: %w", dir, err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// Value reads a file that holds one number, such as memory.usage_in_bytes.
func Value(dir, file string) (int64, error) {
	name := filepath.Join(dir, file)
	content, err := os.ReadFile(name)
	if err != nil {
		return 0, fmt.Errorf("read a cgroup's value: %w", err)
	}
	value, err := strconv.ParseInt(strings.TrimSpace(string(content)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", name, err)
	}
	return value, nil
}

// Field reads one line of a file of "key value" lines, such as nr_throttled
// of cpu.stat.
func Field(dir, file, key string) (int64, error) {
	name := filepath.Join(dir, file)
	content, err := os.ReadFile(name)
	if err != nil {
		return 0, fmt.Errorf("read a cgroup's field: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == key {
			value, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read %s of %s: %w", key, name, err)
			}
			return value, nil
		}
	}
	return 0, fmt.Errorf("read %s: it has no line %q", name, key)
}
