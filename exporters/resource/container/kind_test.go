package container

import (
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

func ofCRI(containerID, name string) Engine {
	return Engine{
		ID: containerID, Name: containerID, Image: "typed:1", Runtime: "cri-o", Sandbox: name == "",
		Labels: hierarchy.PodLabels("shop", "web-x", uid, name),
	}
}

func TestCRINamesPodsWithoutAKubelet(t *testing.T) {
	w := &world{dirs: dirs(inPod+id("a"), inPod+id("b")), cri: engines(ofCRI(id("a"), "app"), ofCRI(id("b"), ""))}
	run(t, w, func(ix *Index, _ func(time.Duration, func())) {
		expect(t, "by CRI alone", ix,
			"kubernetes shop/web-x/app pod:web-x cri-o a… typed:1  host",
			"kubernetes shop/web-x/POD pod:web-x cri-o b… typed:1  host")
		for i, kind := range []Kind{Unknown, Sandbox} {
			if c := ix.List()[i]; c.Kind != kind || c.PodUID != uid {
				t.Errorf("%s: kind %q in pod %s, want %q", c.Container, c.Kind, c.PodUID, kind)
			}
		}
	})
}

func TestCRISaysWhereAContainerIsAndContainerdWhatItsImageIs(t *testing.T) {
	a := Engine{ID: id("a"), Name: "odd", Image: "docker.io/library/app:1", ImageDigest: "sha256:m", CgroupsPath: "/odd/path"}
	w := &world{dirs: dirs("/odd/path"), containerd: engines(a), cri: engines(ofCRI(id("a"), "app"))}
	run(t, w, func(ix *Index, _ func(time.Duration, func())) {
		expect(t, "by both", ix, "kubernetes shop/web-x/app pod:web-x cri-o a… docker.io/library/app:1 sha256:m host")
	})
}

func TestTheKubeletSaysWhichKindOfContainerOneIs(t *testing.T) {
	pod := podOf("")
	pod.Containers = nil
	want := map[string]Kind{}
	w := &world{dirs: dirs("/docker/" + id("f")), docker: engines(Engine{ID: id("f"), Name: "bare"})}
	want[id("f")] = App
	for digit, kind := range map[string]Kind{"a": App, "b": Init, "c": Sidecar, "d": Ephemeral} {
		pod.Containers = append(pod.Containers, PodContainer{Name: string(kind), Kind: kind, ID: id(digit)})
		w.dirs[inPod+id(digit)] = dirs("x")["x"]
		want[id(digit)] = kind
	}
	w.pods = []Pod{pod}
	run(t, w, func(ix *Index, _ func(time.Duration, func())) {
		list := ix.List()
		for _, c := range list {
			if c.Kind != want[c.ID] {
				t.Errorf("%s is %q, want %q", c.Container, c.Kind, want[c.ID])
			}
		}
		if len(list) != len(want) {
			t.Errorf("%d containers, want %d", len(list), len(want))
		}
	})
}
