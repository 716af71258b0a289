package kubelet

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
)

var update = flag.Bool("update", false, "write what is read to the golden files")

// cronJobs stands in for what an API server knows.
type cronJobs map[string]string

func (c cronJobs) CronJobOf(_, job string) (string, bool) {
	name, ok := c[job]
	return name, ok
}

// TestPodsOfEveryOwner reads what kubelets answer: pods.json is a kubelet's own
// (1.36, containerd), shortened; cri-o.json is made by hand for what it lacks,
// and storage.json for volumes and amounts.
func TestPodsOfEveryOwner(t *testing.T) {
	for _, file := range []string{"pods", "cri-o", "storage"} {
		t.Run(file, func(t *testing.T) {
			in, err := os.Open("testdata/" + file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			pods, err := decode(in, cronJobs{"once": "", "nightly-manual-abc": "nightly", "hand-made": "nightly"})
			if err != nil {
				t.Fatal(err)
			}
			got := render(t, pods)
			golden := "testdata/" + file + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// render writes pods a line each and containers a line each.
func render(t *testing.T, pods []container.Pod) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, p := range pods {
		containers := p.Containers
		p.Containers = nil
		line(t, &out, "", p)
		for _, c := range containers {
			line(t, &out, "  ", c)
		}
	}
	return out.Bytes()
}

func line(t *testing.T, out *bytes.Buffer, indent string, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out.WriteString(indent)
	out.Write(text)
	out.WriteByte('\n')
}

func TestWithoutTheRightToWatchJobsTheirNamesDecide(t *testing.T) {
	in, err := os.Open("testdata/pods.json")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	pods, err := decode(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range pods {
		got[p.Name] = p.Workload.Type + " " + p.Workload.Name
	}
	for pod, want := range map[string]string{
		"nightly-29384720-q8x7z":   "cronjob nightly",
		"nightly-manual-abc-7xk9d": "job nightly-manual-abc",
		"once-9fk2l":               "job once",
	} {
		if got[pod] != want {
			t.Errorf("%s: got %q, want %q", pod, got[pod], want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		noPods, `{"kind":"PodList","items":[null,{}]}`, `{"items":[],"kind":"PodList","kind":"x"}`, `{"kind":"PodList","items":[{"metadata":{"name":"a","namespace":"b"}}],"items":[`,
		`{"kind":"PodList","items":[{"metadata":{"name":"a","namespace":"b"},"spec":{"containers":[{"resources":{"requests":{"cpu":"1e99","memory":"-1E","ephemeral-storage":3}}}]}}]}`,
		`{"kind":"PodList","items":[{"metadata":{"name":"a","namespace":"b","labels":{"pod-template-hash":"c"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"a-c","controller":true}]},` +
			`"spec":{"containers":[{"name":"x"}]},"status":{"containerStatuses":[{"name":"x","containerID":"cri-o://1","imageID":"y@sha256:2"}]}}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		pods, err := decode(bytes.NewReader(b), nil)
		if err != nil && pods != nil {
			t.Error("pods and an error")
		}
		for _, p := range pods {
			if p.Name == "" || p.Namespace == "" || p.Workload.Name == "" || p.Workload.Type == "" {
				t.Errorf("a pod without a place: %+v", p)
			}
			for _, c := range p.Containers {
				if strings.Contains(c.Runtime, "://") {
					t.Errorf("runtime %q", c.Runtime)
				}
			}
		}
	})
}
