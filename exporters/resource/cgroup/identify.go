package cgroup

import (
	"strings"
)

// Identity is what a control group's path says.
type Identity struct {
	ID      string // the container's id
	Runtime string // docker, containerd, cri-o, podman; empty if the path does not say
	PodUID  string // the Kubernetes pod's UID; empty outside of Kubernetes
}

// scopes are the prefixes that runtimes give to systemd's scopes and to leaf
// directories.
var scopes = []struct{ prefix, runtime string }{
	{"cri-containerd-", "containerd"},
	{"nerdctl-", "containerd"},
	{"docker-", "docker"},
	{"crio-", "cri-o"},
	{"libpod-", "podman"},
}

// Identify tells which container a path belongs to by the last element's form:
// "docker-<id>.scope" and the like (systemd driver), "<slice>:cri-containerd:<id>"
// (a systemd path given to the cgroupfs driver), or a bare id of 64 hexadecimal
// digits (cgroupfs driver). ok is false for every other directory, among them
// monitors such as crio-conmon-<id>.scope.
func Identify(path string) (id Identity, ok bool) {
	dir, leaf := cutLast(path)
	leaf = strings.TrimSuffix(leaf, ".scope")
	if i := strings.LastIndexByte(leaf, ':'); i >= 0 {
		leaf = leaf[strings.IndexByte(leaf, ':')+1:]
		leaf = strings.Replace(leaf, ":", "-", 1)
	}
	for _, s := range scopes {
		if rest, found := strings.CutPrefix(leaf, s.prefix); found {
			leaf, id.Runtime = rest, s.runtime
			break
		}
	}
	if !isID(leaf) {
		return Identity{}, false
	}
	id.ID = leaf
	id.PodUID = podUID(path)
	if _, parent := cutLast(dir); id.Runtime == "" && parent == "docker" {
		id.Runtime = "docker"
	}
	return id, true
}

func cutLast(path string) (dir, last string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

func isID(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// podUID finds "pod<uid>" or "…-pod<uid>.slice" in a path below kubepods. The
// systemd driver writes the UID's dashes as underscores. A static pod's UID is a
// hash without dashes.
func podUID(path string) string {
	if !strings.Contains(path, "kubepods") {
		return ""
	}
	for part := range strings.SplitSeq(path, "/") {
		part, _, _ = strings.Cut(part, ".slice")
		if i := strings.LastIndex(part, "-pod"); i >= 0 {
			part = part[i+1:]
		}
		if uid, ok := strings.CutPrefix(part, "pod"); ok && uid != "" {
			return strings.ReplaceAll(uid, "_", "-")
		}
	}
	return ""
}

// RuntimePath turns the cgroupsPath of an OCI runtime specification into a path of
// the tree. It is the path itself, or for the systemd driver "slice:prefix:name".
func RuntimePath(cgroupsPath string) string {
	parts := strings.Split(cgroupsPath, ":")
	if len(parts) != 3 || strings.Contains(cgroupsPath, "/") {
		if !strings.HasPrefix(cgroupsPath, "/") {
			return "/" + cgroupsPath
		}
		return cgroupsPath
	}
	slice, prefix, name := parts[0], parts[1], parts[2]
	if slice == "" {
		slice = "system.slice"
	}
	unit := name + ".scope"
	if prefix != "" {
		unit = prefix + "-" + unit
	}
	return expandSlice(slice) + "/" + unit
}

// expandSlice gives a slice's directory: a dash in a slice's name is a level
// (systemd.slice(5)), so a-b.slice is /a.slice/a-b.slice.
func expandSlice(slice string) string {
	name, ok := strings.CutSuffix(slice, ".slice")
	if !ok || name == "-" {
		return ""
	}
	var path, prefix strings.Builder
	for i, part := range strings.Split(name, "-") {
		if i > 0 {
			prefix.WriteByte('-')
		}
		prefix.WriteString(part)
		path.WriteString("/" + prefix.String() + ".slice")
	}
	return path.String()
}

// InKubernetes says whether a path is below the kubelet's groups.
func InKubernetes(path string) bool { return strings.Contains(path, "kubepods") }

// MayBeContainer says whether a group that was just made can be a container's:
// systemd's units but scopes, Kubernetes' pods, and what is within a container are
// none.
func MayBeContainer(path string) bool {
	if containerAbove(path) != "" || IsPod(path) {
		return false
	}
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "slice", "service", "mount", "socket", "swap", "device", "automount", "timer", "path", "target":
		return false
	}
	return true
}

// PodUID returns the UID of the Kubernetes pod that a path is of, or is in; empty
// if there is none.
func PodUID(path string) string { return podUID(path) }

// IsPod says whether a path is a Kubernetes pod's own group.
func IsPod(path string) bool {
	dir, leaf := cutLast(path)
	return InKubernetes(path) && podUID(dir) == "" && podUID("kubepods/"+leaf) != ""
}
