package kubelet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	helper "k8s.io/component-helpers/resource"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
)

// TestPodsNeedWhatTheSchedulerCounts compares with the scheduler's own code, on
// pods made at random.
func TestPodsNeedWhatTheSchedulerCounts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		p := randomPod(random)
		list, err := json.Marshal(map[string]any{"kind": "PodList", "items": []v1.Pod{p}})
		if err != nil {
			t.Fatal(err)
		}
		pods, err := decode(bytes.NewReader(list), nil)
		if err != nil {
			t.Fatal(err)
		}
		requests := helper.PodRequests(&p, helper.PodResourcesOptions{})
		limits := helper.PodLimits(&p, helper.PodResourcesOptions{})
		if got, want := show(pods[0].Requests), showList(requests); got != want {
			t.Fatalf("pod %d requests %s, want %s:\n%s", i, got, want, list)
		}
		if got, want := show(pods[0].Limits), showList(limits); got != want {
			t.Fatalf("pod %d is limited to %s, want %s:\n%s", i, got, want, list)
		}
	}
}

func randomPod(r *rand.Rand) v1.Pod {
	p := v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "n"}}
	containers := func() (out []v1.Container) {
		for i := range r.IntN(4) {
			requests := randomList(r)
			out = append(out, v1.Container{Name: fmt.Sprint("c", i), Resources: v1.ResourceRequirements{Requests: requests, Limits: randomList(r)}})
		}
		return out
	}
	p.Spec.InitContainers, p.Spec.Containers = containers(), containers()
	always := v1.ContainerRestartPolicyAlways
	for i := range p.Spec.InitContainers {
		p.Spec.InitContainers[i].Name = fmt.Sprint("i", i)
		if r.IntN(2) == 0 {
			p.Spec.InitContainers[i].RestartPolicy = &always
		}
	}
	if r.IntN(3) == 0 {
		p.Spec.Overhead = randomList(r)
	}
	if r.IntN(3) == 0 {
		whole := v1.ResourceRequirements{Requests: randomList(r), Limits: randomList(r)}
		delete(whole.Requests, v1.ResourceEphemeralStorage) // which is refused
		delete(whole.Limits, v1.ResourceEphemeralStorage)
		p.Spec.Resources = &whole
	}
	return p
}

func randomList(r *rand.Rand) v1.ResourceList {
	out := v1.ResourceList{}
	for _, name := range []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory, v1.ResourceEphemeralStorage} {
		if r.IntN(3) > 0 {
			out[name] = *resource.NewQuantity(int64(r.IntN(10)), resource.DecimalSI)
		}
	}
	return out
}

// show leaves out what is zero: not set and set to zero are the same amount.
func show(amounts container.Resources) string {
	var out strings.Builder
	for _, name := range []string{container.CPU, container.Memory, container.EphemeralStorage} {
		if v := amounts[name]; v != 0 {
			fmt.Fprint(&out, name, "=", v, " ")
		}
	}
	return out.String()
}

func showList(list v1.ResourceList) string {
	return show(container.Resources{
		container.CPU:              list.Cpu().AsApproximateFloat64(),
		container.Memory:           list.Memory().AsApproximateFloat64(),
		container.EphemeralStorage: list.StorageEphemeral().AsApproximateFloat64(),
	})
}
