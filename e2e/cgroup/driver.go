package cgroup

import (
	"path"
	"strings"
)

// Driver is how runtimes have control groups made for containers.
type Driver string

// The drivers, by the names that runtimes give them.
const (
	// Cgroupfs: the runtime makes directories.
	Cgroupfs Driver = "cgroupfs"
	// Systemd: systemd makes scopes within slices.
	Systemd Driver = "systemd"
)

// Slice is the path of systemd's slice of a name such as a-b.slice, which is
// within a.slice (systemd.slice(5)).
func Slice(name string) string {
	dir := "/"
	for i, c := range name {
		if c == '-' {
			dir = path.Join(dir, name[:i]+".slice")
		}
	}
	return path.Join(dir, name)
}

// Scope is the path of the scope that systemd makes for the cgroupsPath of an OCI
// runtime specification, SLICE:PREFIX:NAME.
func Scope(cgroupsPath string) string {
	parts := strings.SplitN(cgroupsPath, ":", 3)
	if len(parts) != 3 {
		return cgroupsPath
	}
	return path.Join(Slice(parts[0]), parts[1]+"-"+parts[2]+".scope")
}
