package mount

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/prometheus/procfs"
)

// Mount is one line of mountinfo (proc_pid_mountinfo(5)). Its strings are valid
// UTF-8.
type Mount struct {
	Device, Point, FSType string
	Major, Minor          string
	Readonly              bool
	Root                  string // the directory of its file system that is mounted
	// Upper and Work are an overlay's writable layer and what the kernel needs
	// beside it, as whoever mounted it called them; empty otherwise.
	Upper, Work string
}

// Table returns what is mounted on the node, in the kernel's order: the mounts of
// its first process, or, where that is hidden (hidepid), of this one. root is where
// the node's root is mounted; mount points are as the node has them.
func Table(proc procfs.FS, root string) ([]Mount, error) {
	all, err := proc.GetProcMounts(1)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		all, err = proc.GetMounts()
	}
	if err != nil {
		return nil, err
	}
	return visible(all, root), nil
}

// Of returns what a process has mounted, by its own view.
func Of(proc procfs.FS, pid int) ([]Mount, error) {
	all, err := proc.GetProcMounts(pid)
	if err != nil {
		return nil, err
	}
	return visible(all, "/"), nil
}

// visible leaves out what others of its like are mounted on top of: they hide it,
// and are what statfs sees.
func visible(all []*procfs.MountInfo, root string) []Mount {
	type identity struct{ device, point, fsType string }
	index := make(map[identity]int, len(all))
	out := make([]Mount, 0, len(all))
	for _, line := range all {
		m := mountOf(line, root)
		id := identity{m.Device, m.Point, m.FSType}
		if i, ok := index[id]; ok {
			out[i] = m
			continue
		}
		index[id] = len(out)
		out = append(out, m)
	}
	return out
}

func mountOf(line *procfs.MountInfo, root string) Mount {
	major, minor, _ := strings.Cut(line.MajorMinorVer, ":")
	return Mount{
		Device:   valid(line.Source),
		Point:    valid(stripRoot(root, unescape(line.MountPoint))),
		FSType:   valid(line.FSType),
		Major:    major,
		Minor:    minor,
		Readonly: has(line.Options, "ro") || has(line.SuperOptions, "ro") || has(line.SuperOptions, "emergency_ro"),
		Root:     valid(unescape(line.Root)),
		Upper:    valid(unescape(line.SuperOptions["upperdir"])),
		Work:     valid(unescape(line.SuperOptions["workdir"])),
	}
}

func has(options map[string]string, flag string) bool {
	value, ok := options[flag]
	return ok && value == ""
}

// valid makes of a name from the kernel, which is any bytes, one that a label can
// hold, before names are compared: two series must not become one.
func valid(name string) string { return strings.ToValidUTF8(name, "\uFFFD") }

// unescape undoes what the kernel does to the characters that separate fields and
// options (seq_path with " \t\n\\", seq_show_option with ",= \t\n\\" and "#").
func unescape(path string) string {
	if !strings.Contains(path, `\`) {
		return path
	}
	return strings.NewReplacer(
		`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`, `\054`, ",", `\075`, "=", `\043`, "#",
	).Replace(path)
}

// stripRoot returns a mount point as the node sees it, when the exporter sees the
// node's root below root.
func stripRoot(root, point string) string {
	below, ok := strings.CutPrefix(point, root)
	switch {
	case root == "/" || !ok:
		return point
	case below == "":
		return "/"
	case below[0] != '/': // /host is not a part of /hostile
		return point
	}
	return below
}
