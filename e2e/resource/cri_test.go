package resource

import (
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/need"
)

// TestPods runs pods by CRI, as a kubelet does, without a kubelet.
func TestPods(t *testing.T) { testPods(t, cgroup.Cgroupfs) }

func testPods(t *testing.T, driver cgroup.Driver) {
	t.Helper()
	t.Parallel()
	need.Root(t)
	c := containerd.Start(t, containerd.WithCRI(containerd.Pause), containerd.WithDriver(driver))
	pod := c.RunPod(t.Context(), "payments", "ledger-0", podUID)
	app := pod.Run(t.Context(), "app", "idle")
	ready(t, func() (string, error) { return pod.Output("app") })
	nowhere := t.TempDir() + "/none"

	for behaviour, test := range map[string]struct {
		containerd string
		arg        string
		image      string
		digest     string
	}{
		"CRI alone names the containers of pods": {nowhere, "--cri-address=" + c.Address, image.DefaultName, ""},
		"CRI behind containerd's own socket names them without a flag": {
			c.Address, "--log.format=logfmt", image.DefaultName, workloadDigest(t),
		},
	} {
		t.Run(behaviour, func(t *testing.T) {
			e := startExporter(t, test.containerd, "unix://"+nowhere, test.arg)
			info := map[string]string{
				"container_id": app.ID, "image_digest": test.digest, "runtime": "containerd", "orchestrator": "kubernetes", "kind": "",
			}
			e.wantPlaced(t, placed{
				app.CgroupPath, app.ID, test.image, "payments", "ledger-0", "app", "ledger-0", "pod", info,
			})
			sandbox := e.shows(t, soon, pod.SandboxPath).of(pod.SandboxPath)
			if got := sandbox.family("loadline_container_info").with(map[string]string{"container": "POD", "pod": "ledger-0", "kind": "sandbox"}); len(got) != 1 {
				t.Errorf("the sandbox is %v", sandbox.family("loadline_container_info"))
			}
			available := e.mustScrape(t).family("loadline_source_available").with(map[string]string{"source": "cri", "reason": ""})
			if len(available) != 1 || available[0].value != 1 {
				t.Errorf("the source is %v", e.mustScrape(t).family("loadline_source_available"))
			}
		})
	}
}
