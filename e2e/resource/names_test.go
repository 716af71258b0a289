package resource

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/containerd"
	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// Labels of CRI's containers in containerd, as the kubelet sets them.
func criLabels(pod, name, kind string) map[string]string {
	labels := map[string]string{
		"io.cri-containerd.kind":      kind,
		"io.kubernetes.pod.name":      pod,
		"io.kubernetes.pod.namespace": "payments",
		"io.kubernetes.pod.uid":       podUID,
	}
	if name != "" {
		labels["io.kubernetes.container.name"] = name
	}
	return labels
}

const podUID = "0f7c1f1e-6d0b-4c9f-9f5e-2d1b6a4c8e01"

// id64 is an id of the form that Docker and CRI use.
func id64(digit string) string { return strings.Repeat(digit, 64) }

// placed is a container with what must be said of it.
type placed struct {
	path string
	// name and image are cAdvisor's labels and the others the hierarchy's; info
	// are those that only loadline_container_info has.
	name, image, namespace, pod, container, workload, workloadType string
	info                                                           map[string]string
}

func (p placed) place() map[string]string {
	return map[string]string{
		"namespace": p.namespace, "pod": p.pod, "container": p.container,
		"workload": p.workload, "workload_type": p.workloadType,
	}
}

func (m *machine) names(t *testing.T) {
	digest := workloadDigest(t)
	compose := m.docker.Run(t.Context(), docker.Spec{
		Name:   "shop-web-1",
		Labels: map[string]string{"com.docker.compose.project": "shop", "com.docker.compose.service": "web"},
	})
	bare := m.docker.Run(t.Context(), docker.Spec{Name: "redis"})
	service := m.docker.CreateService(t.Context(), docker.ServiceSpec{Name: "api", Stack: "store", Replicas: 2})
	tasks, err := service.Containers(within(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	job := m.containerd.Run(t.Context(), containerd.Spec{ID: "Nightly_job.7"})
	app := m.containerd.Run(t.Context(), containerd.Spec{
		Namespace: "k8s.io", ID: id64("a"), Labels: criLabels("ledger-0", "app", "container"), CgroupsPath: m.inPod(id64("a")),
	})
	sandbox := m.containerd.Run(t.Context(), containerd.Spec{
		Namespace: "k8s.io", ID: id64("b"), Labels: criLabels("ledger-0", "", "sandbox"), CgroupsPath: m.inPod(id64("b")),
	})

	// Swarm writes references as people type them.
	familiar := strings.TrimPrefix(image.DefaultName, "docker.io/")
	ofDocker := func(c *docker.Container, orchestrator string) map[string]string {
		return map[string]string{"container_id": c.ID, "image_digest": "", "runtime": "docker", "orchestrator": orchestrator}
	}
	ofContainerd := func(c *containerd.Container, orchestrator string) map[string]string {
		return map[string]string{"container_id": c.ID, "image_digest": digest, "runtime": "containerd", "orchestrator": orchestrator}
	}
	for behaviour, want := range map[string]placed{
		"Compose": {
			compose.CgroupPath, "shop-web-1", image.DefaultName, "shop", "shop-web-1", "shop-web-1", "web", "service", ofDocker(compose, "docker"),
		},
		"plain Docker": {
			bare.CgroupPath, "redis", image.DefaultName, "default", "redis", "redis", "redis", "container", ofDocker(bare, "docker"),
		},
		"first task of a Swarm service": {
			tasks[0].CgroupPath, tasks[0].Name, familiar, "store", "store_api.1", "store_api", "store_api", "service", ofDocker(tasks[0], "swarm"),
		},
		"second task of a Swarm service": {
			tasks[1].CgroupPath, tasks[1].Name, familiar, "store", "store_api.2", "store_api", "store_api", "service", ofDocker(tasks[1], "swarm"),
		},
		"plain containerd": {
			job.CgroupPath, "Nightly_job.7", image.DefaultName, "default", "Nightly_job.7", "Nightly_job.7", "Nightly_job.7", "container",
			ofContainerd(job, "containerd"),
		},
		"CRI container": {
			app.CgroupPath, app.ID, image.DefaultName, "payments", "ledger-0", "app", "ledger-0", "pod", ofContainerd(app, "kubernetes"),
		},
		"CRI sandbox": {
			sandbox.CgroupPath, sandbox.ID, image.DefaultName, "payments", "ledger-0", "POD", "ledger-0", "pod", ofContainerd(sandbox, "kubernetes"),
		},
	} {
		t.Run(behaviour, func(t *testing.T) {
			m.exporter.wantPlaced(t, want)
		})
	}
}

// wantPlaced waits for a container and checks the labels of all its series.
func (e *exporter) wantPlaced(t *testing.T, want placed) {
	t.Helper()
	if wait.Limit(1) > 1 {
		e.awaitName(t, want)
	}
	series := e.shows(t, soon, want.path).of(want.path)
	for _, s := range series {
		labels := want.place()
		switch {
		case strings.HasPrefix(s.name, "container_"):
			labels["name"], labels["image"] = want.name, want.image
		case s.name == "loadline_container_info":
			labels["image"] = want.image
			maps.Copy(labels, want.info)
		}
		if !s.has(labels) {
			t.Fatalf("%s has the labels %v, want %v", s.name, s.labels, labels)
		}
	}
	if got := series.value("loadline_container_info"); got != 1 {
		t.Errorf("loadline_container_info is %v", got)
	}
	var names []string
	for _, s := range series {
		names = append(names, s.name)
	}
	for _, name := range []string{
		"container_cpu_usage_seconds_total", "container_memory_working_set_bytes", "container_memory_rss",
		"container_oom_events_total", "container_threads", "container_start_time_seconds",
	} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing among %v", name, names)
		}
	}
}

// awaitName waits until a container is named. The exporter itself waits ten seconds
// for that, in which an engine on emulated processors may not have answered.
func (e *exporter) awaitName(t *testing.T, want placed) {
	t.Helper()
	wait.For(t, soon, "the name of "+want.path, func() error {
		x, err := e.scrape()
		if info := x.of(want.path).family("loadline_container_info"); err == nil && len(info.with(want.place())) != 1 {
			err = fmt.Errorf("it has the labels %v", info)
		}
		return err
	})
}

func (m *machine) amounts(t *testing.T) {
	ofDocker := m.docker.Run(t.Context(), docker.Spec{
		Name: "limited", MemoryLimit: 96 * mebibyte, MemoryReservation: 64 * mebibyte, CPUQuota: 50_000, CPUPeriod: 200_000, CPUShares: 512,
		PidsLimit: 40,
	})
	ofContainerd := m.containerd.Run(t.Context(), containerd.Spec{ID: "limited", MemoryLimit: 48 * mebibyte, CPUQuota: 150_000})
	unlimited := m.docker.Run(t.Context(), docker.Spec{Name: "unlimited"})

	x := m.exporter.shows(t, soon, ofDocker.CgroupPath).of(ofDocker.CgroupPath)
	x.wantAmounts(t, "loadline_container_resource_limits", map[string]float64{"memory": 96 * mebibyte, "cpu": 0.25})
	x.wantAmounts(t, "loadline_container_resource_requests", map[string]float64{"memory": 64 * mebibyte})
	for name, want := range map[string]float64{
		"container_spec_memory_limit_bytes": 96 * mebibyte, "container_spec_memory_reservation_limit_bytes": 64 * mebibyte,
		"container_spec_cpu_quota": 50_000, "container_spec_cpu_period": 200_000, "container_threads_max": 40,
	} {
		if got := x.value(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	// Version 2 has weights from 1 to 10000, each of 26 shares.
	granule := 26.0
	if _, v1 := ofDocker.Cgroups()["cpu"]; v1 {
		granule = 0
	}
	if got := x.value("container_spec_cpu_shares"); !(got >= 512-granule && got <= 512+granule) {
		t.Errorf("container_spec_cpu_shares is %v, want 512", got)
	}
	x = m.exporter.shows(t, soon, ofContainerd.CgroupPath).of(ofContainerd.CgroupPath)
	x.wantAmounts(t, "loadline_container_resource_limits", map[string]float64{"memory": 48 * mebibyte, "cpu": 1.5})
	x.wantAmounts(t, "loadline_container_resource_requests", map[string]float64{})

	x = m.exporter.shows(t, soon, unlimited.CgroupPath).of(unlimited.CgroupPath)
	x.wantAmounts(t, "loadline_container_resource_limits", map[string]float64{})
	if got := x.value("container_spec_memory_limit_bytes"); got != 0 {
		t.Errorf("without a limit container_spec_memory_limit_bytes is %v, want 0", got)
	}
	if quotas := x.family("container_spec_cpu_quota"); len(quotas) > 0 {
		t.Errorf("without a quota there is %v", quotas)
	}
}

func (m *machine) sameID(t *testing.T) {
	var paths []string
	for _, namespace := range []string{"blue", "green"} {
		c := m.containerd.Run(t.Context(), containerd.Spec{Namespace: namespace, ID: "cache"})
		paths = append(paths, c.CgroupPath)
		x := m.exporter.shows(t, soon, c.CgroupPath).of(c.CgroupPath)
		info := x.family("loadline_container_info").with(map[string]string{"container_id": "cache", "container": "cache"})
		if len(info) != 1 {
			t.Errorf("loadline_container_info of %s is %v", c.CgroupPath, x.family("loadline_container_info"))
		}
	}
	x := m.exporter.mustScrape(t)
	for _, path := range paths {
		if len(x.of(path)) == 0 {
			t.Errorf("%s is not there", path)
		}
	}
}
