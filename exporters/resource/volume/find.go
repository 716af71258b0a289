package volume

import (
	"path/filepath"
	"strings"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/mount"
)

// find returns the mounted claims, each once however many pods share it, and the
// mounted empty directories. A mount whose claim is not known is left out: its
// numbers would be another's. Nothing here touches a mount, which may hang.
func (c *Collector) find(pods []container.Pod, mounts []mount.Mount) (out []mounted) {
	byPod := c.byPod(mounts)
	c.mu.Lock()
	defer c.mu.Unlock()
	known := map[volumeID]string{}
	type claim struct{ namespace, name string }
	seen := map[claim]bool{}
	for i := range pods {
		p := &pods[i]
		places := byPod[string(p.UID)]
		if len(places) == 0 {
			continue
		}
		for j := range p.Volumes {
			v := &p.Volumes[j]
			id := claim{p.Namespace, v.Claim}
			if v.Claim != "" && seen[id] {
				continue
			}
			if point := c.place(p, v, places); point != "" {
				seen[id] = true
				known[volumeID{string(p.UID), v.Name}] = point
				out = append(out, mounted{p, v, point})
			}
		}
	}
	c.known = known
	return out
}

// byPod are the mounts of the kubelet's volumes by the pods' UIDs.
func (c *Collector) byPod(mounts []mount.Mount) map[string][]mount.Mount {
	prefix := filepath.Join(c.KubeletRoot, "pods") + "/"
	out := map[string][]mount.Mount{}
	for _, m := range mounts {
		rest, ok := strings.CutPrefix(m.Point, prefix)
		if !ok {
			continue
		}
		uid, rest, _ := strings.Cut(rest, "/")
		// <plugin>/<volume>, with CSI's drivers <plugin>/<volume>/mount.
		if parts := strings.Split(rest, "/"); len(parts) == 3 && parts[0] == "volumes" ||
			len(parts) == 4 && parts[0] == "volumes" && parts[3] == "mount" {
			out[uid] = append(out[uid], m)
		}
	}
	return out
}

// place finds where a volume is mounted, "" where that can't be told.
func (c *Collector) place(p *container.Pod, v *container.Volume, places []mount.Mount) string {
	if v.Claim == "" {
		path := EmptyDirPath(c.KubeletRoot, p, v)
		for _, m := range places {
			if m.Point == path && v.InMemory {
				return path
			}
		}
		return ""
	}
	candidates := claims(p, places)
	before := c.known[volumeID{string(p.UID), v.Name}]
	for _, m := range candidates {
		if m.Point == before {
			return before
		}
	}
	if len(candidates) == 1 && countClaims(p) == 1 {
		return candidates[0].Point
	}
	return c.ofContainers(p, v, candidates)
}

// claims leaves out the mounts of volumes that are no claims: those directories are
// named after the volume in the pod's specification.
func claims(p *container.Pod, places []mount.Mount) (out []mount.Mount) {
	for _, m := range places {
		dir := strings.TrimSuffix(m.Point, "/mount")
		plugin := filepath.Base(filepath.Dir(dir))
		if plugin != emptyDirPlugin && !notClaims[plugin] && !p.InlineVolumes[filepath.Base(dir)] {
			out = append(out, m)
		}
	}
	return out
}

// notClaims are the plugins of volumes that are mounted and never claimed.
var notClaims = map[string]bool{
	"kubernetes.io~secret": true, "kubernetes.io~projected": true, "kubernetes.io~configmap": true, "kubernetes.io~downward-api": true,
}

func countClaims(p *container.Pod) (n int) {
	for i := range p.Volumes {
		if p.Volumes[i].Claim != "" {
			n++
		}
	}
	return n
}

// ofContainers finds a volume by what a container of the pod has mounted where its
// specification mounts the volume: the same directory of the same file system as
// one of the candidates, or one below it (subPath).
func (c *Collector) ofContainers(p *container.Pod, v *container.Volume, candidates []mount.Mount) string {
	for _, at := range v.MountedBy {
		for _, one := range c.Containers() {
			if one.PodUID != string(p.UID) || one.Container != at.Container {
				continue
			}
			mounts, err := c.MountsOf(one.CgroupPath)
			if err != nil {
				continue
			}
			if point := match(mounts, filepath.Clean(at.Path), candidates); point != "" {
				return point
			}
		}
	}
	return ""
}

// match returns the candidate that a container has at a path. Of two the same file
// system's nearer directory is meant.
func match(mounts []mount.Mount, path string, candidates []mount.Mount) (point string) {
	for i := len(mounts) - 1; i >= 0; i-- { // the last is the upper one
		m := mounts[i]
		if m.Point != path {
			continue
		}
		depth := -1
		for _, candidate := range candidates {
			if candidate.Major == m.Major && candidate.Minor == m.Minor && below(candidate.Root, m.Root) && len(candidate.Root) > depth {
				point, depth = candidate.Point, len(candidate.Root)
			}
		}
		return point
	}
	return ""
}

// below says whether path is dir or below it.
func below(dir, path string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(dir, "/"))
	return ok && (rest == "" || rest[0] == '/')
}
