package containerd

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// Pause is the image that RunPod imports for sandboxes: give its name to WithCRI.
const Pause = "docker.io/loadline/pause:test"

// criNamespace is containerd's namespace of all that CRI makes.
const criNamespace = "k8s.io"

// Pod is a pod that was started by CRI, as a kubelet does it.
type Pod struct {
	// ID is the sandbox's id, UID the pod's.
	ID, UID, Namespace, Name string
	// CgroupPath is the pod's; the sandbox and the containers are below it.
	CgroupPath string
	// SandboxPath is the sandbox's.
	SandboxPath string
	// LogDirectory holds a directory for each container.
	LogDirectory string

	containerd *Containerd
	client     runtimeapi.RuntimeServiceClient
	images     runtimeapi.ImageServiceClient
	config     *runtimeapi.PodSandboxConfig
}

// PodContainer is a started container of a pod.
type PodContainer struct {
	ID, Name, CgroupPath string
	// PID is the id of its init process, as the test sees it.
	PID int
}

// PodSpec says what pod to run.
type PodSpec struct {
	Namespace, Name, UID string
	// Labels are the pod's own, beside those of its names that kubelets set.
	Labels map[string]string
	// OwnNetwork gives it a network of its own: the containerd must have been
	// started WithPodNetworks.
	OwnNetwork bool
}

// RunPod starts a pod's sandbox in the node's own network; the test's cleanup
// removes it. The containerd must have been started WithCRI(Pause).
func (c *Containerd) RunPod(ctx context.Context, namespace, name, uid string) *Pod {
	c.t.Helper()
	return c.RunPodOf(ctx, PodSpec{Namespace: namespace, Name: name, UID: uid})
}

// RunPodOf does so as its specification says.
func (c *Containerd) RunPodOf(ctx context.Context, spec PodSpec) *Pod {
	c.t.Helper()
	namespace, name, uid := spec.Namespace, spec.Name, spec.UID
	p := &Pod{
		UID: uid, Namespace: namespace, Name: name, containerd: c,
		CgroupPath:   c.podCgroup(uid),
		LogDirectory: filepath.Join(c.dir, "pods", namespace+"_"+name+"_"+uid),
	}
	c.Import(ctx, criNamespace, c.pause())
	conn, err := c.dial()
	if err != nil {
		c.t.Fatal(err)
	}
	p.client, p.images = runtimeapi.NewRuntimeServiceClient(conn), runtimeapi.NewImageServiceClient(conn)
	p.known(ctx, Pause)
	network := runtimeapi.NamespaceMode_NODE
	if spec.OwnNetwork {
		network = runtimeapi.NamespaceMode_POD
	}
	p.config = &runtimeapi.PodSandboxConfig{
		Metadata:     &runtimeapi.PodSandboxMetadata{Namespace: namespace, Name: name, Uid: uid},
		Labels:       spec.labels(),
		LogDirectory: p.LogDirectory,
		Linux: &runtimeapi.LinuxPodSandboxConfig{
			CgroupParent: c.cgroupParent(p.CgroupPath),
			SecurityContext: &runtimeapi.LinuxSandboxSecurityContext{
				NamespaceOptions: &runtimeapi.NamespaceOption{Network: network},
			},
		},
	}
	for parent := p.CgroupPath; parent != "/"; parent = filepath.Dir(parent) {
		c.ledger.SharedCgroup(parent)
	}
	answer, err := p.client.RunPodSandbox(ctx, &runtimeapi.RunPodSandboxRequest{Config: p.config})
	if err != nil {
		c.t.Fatalf("run pod %s: %v; the end of containerd's log:\n%s", name, err, c.daemon.Tail())
	}
	p.ID = answer.GetPodSandboxId()
	p.SandboxPath = c.inPod(p.CgroupPath, p.ID)
	c.t.Cleanup(func() {
		p.remove()
		if err := conn.Close(); err != nil {
			c.t.Errorf("close the CRI client: %v", err)
		}
	})
	c.note(p.ID, p.CgroupPath)
	return p
}

// labels are those that a kubelet gives the sandbox.
func (s PodSpec) labels() map[string]string {
	l := map[string]string{
		"io.kubernetes.pod.namespace": s.Namespace, "io.kubernetes.pod.name": s.Name, "io.kubernetes.pod.uid": s.UID,
	}
	maps.Copy(l, s.Labels)
	return l
}

// pause is the image of sandboxes: one of its own, since of two names of one image
// containerd takes any.
func (c *Containerd) pause() *image.Image {
	c.pauseOnce.Do(func() {
		c.pauseImage = image.Workload(c.t, image.Spec{
			Name: Pause, Labels: map[string]string{"is": "pause"},
			Env: []string{"WORKLOAD_LIFETIME=2h"}, // outlasts its pod's containers
		})
	})
	return c.pauseImage
}

// known waits until CRI knows an image, of which containerd's events tell it.
func (p *Pod) known(ctx context.Context, name string) {
	p.containerd.t.Helper()
	wait.For(p.containerd.t, startLimit, "CRI to know the image "+name, func() error {
		answer, err := p.images.ImageStatus(ctx, &runtimeapi.ImageStatusRequest{Image: &runtimeapi.ImageSpec{Image: name}})
		if err == nil && answer.GetImage() == nil {
			err = fmt.Errorf("it does not")
		}
		return err
	})
}

// podCgroup is the path of a burstable pod's group, as kubelets name it.
func (c *Containerd) podCgroup(uid string) string {
	if c.driver == cgroup.Systemd {
		return cgroup.Slice("kubepods-burstable-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice")
	}
	return "/kubepods/burstable/pod" + uid
}

// cgroupParent is what CRI is told of it: systemd knows a slice by its name.
func (c *Containerd) cgroupParent(path string) string {
	if c.driver == cgroup.Systemd {
		return filepath.Base(path)
	}
	return path
}

// inPod is the path of a container, or of the sandbox, of a pod.
func (c *Containerd) inPod(pod, id string) string {
	if c.driver == cgroup.Systemd {
		id = "cri-containerd-" + id + ".scope"
	}
	return filepath.Join(pod, id)
}

// note notes what a container that CRI made leaves behind.
func (c *Containerd) note(id, parent string) {
	c.ledger.Cgroup(c.inPod(parent, id))
	c.ledger.Shim(c.bundle(criNamespace, id))
}

// remove stops the pod and removes it with its containers.
func (p *Pod) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), wait.Limit(cleanLimit))
	defer cancel()
	if _, err := p.client.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: p.ID}); err != nil {
		p.containerd.t.Errorf("stop pod %s: %v", p.Name, err)
	}
	if _, err := p.client.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: p.ID}); err != nil {
		p.containerd.t.Errorf("remove pod %s: %v", p.Name, err)
	}
}

// ContainerSpec says what container of a pod to run. Zero values mean no limit.
type ContainerSpec struct {
	Name string
	// Args are a verb of the workload, Env its variables by name.
	Args []string
	Env  map[string]string
	// MemoryLimit is in bytes, CPUQuota and CPUPeriod in microseconds; CPUShares is
	// the weight in version 1's terms.
	MemoryLimit, CPUQuota, CPUPeriod, CPUShares int64
}

// Run creates a container that runs the workload with args, and starts it.
func (p *Pod) Run(ctx context.Context, name string, args ...string) *PodContainer {
	p.containerd.t.Helper()
	return p.RunContainer(ctx, ContainerSpec{Name: name, Args: args})
}

// RunContainer does so as its specification says.
func (p *Pod) RunContainer(ctx context.Context, spec ContainerSpec) *PodContainer {
	c, name := p.containerd, spec.Name
	c.t.Helper()
	c.Import(ctx, criNamespace, c.workload)
	p.known(ctx, c.workload.Name)
	if err := os.MkdirAll(filepath.Join(p.LogDirectory, name), 0o755); err != nil {
		c.t.Fatalf("make the log directory of container %s: %v", name, err)
	}
	created, err := p.client.CreateContainer(ctx, &runtimeapi.CreateContainerRequest{
		PodSandboxId: p.ID, SandboxConfig: p.config,
		Config: &runtimeapi.ContainerConfig{
			Metadata: &runtimeapi.ContainerMetadata{Name: name},
			Image:    &runtimeapi.ImageSpec{Image: c.workload.Name},
			Args:     spec.Args,
			Envs:     spec.variables(),
			Labels:   p.labels(name),
			LogPath:  name + "/0.log",
			Linux: &runtimeapi.LinuxContainerConfig{
				Resources: &runtimeapi.LinuxContainerResources{
					MemoryLimitInBytes: spec.MemoryLimit, CpuQuota: spec.CPUQuota, CpuPeriod: spec.CPUPeriod, CpuShares: spec.CPUShares,
				},
				SecurityContext: &runtimeapi.LinuxContainerSecurityContext{
					NamespaceOptions: p.config.GetLinux().GetSecurityContext().GetNamespaceOptions(),
				},
			},
		},
	})
	if err != nil {
		c.t.Fatalf("create container %s of pod %s: %v; the end of containerd's log:\n%s", name, p.Name, err, c.daemon.Tail())
	}
	out := &PodContainer{ID: created.GetContainerId(), Name: name, CgroupPath: c.inPod(p.CgroupPath, created.GetContainerId())}
	if _, err := p.client.StartContainer(ctx, &runtimeapi.StartContainerRequest{ContainerId: out.ID}); err != nil {
		c.t.Fatalf("start container %s of pod %s: %v; the end of containerd's log:\n%s", name, p.Name, err, c.daemon.Tail())
	}
	c.note(out.ID, p.CgroupPath)
	if out.PID, err = c.pid(out.CgroupPath); err != nil {
		c.t.Fatal(err)
	}
	return out
}

func (s ContainerSpec) variables() (out []*runtimeapi.KeyValue) {
	for name, value := range s.Env {
		out = append(out, &runtimeapi.KeyValue{Key: name, Value: []byte(value)})
	}
	return out
}

// labels are those that a kubelet gives a container.
func (p *Pod) labels(container string) map[string]string {
	return map[string]string{
		"io.kubernetes.pod.namespace": p.Namespace, "io.kubernetes.pod.name": p.Name, "io.kubernetes.pod.uid": p.UID,
		"io.kubernetes.container.name": container,
	}
}

// pid is the id of the first process of a container that has one.
func (c *Containerd) pid(cgroupPath string) (int, error) {
	groups, err := cgroup.At(cgroupPath)
	if err != nil {
		return 0, err
	}
	for _, dir := range groups.Existing() {
		if pids, err := cgroup.Processes(dir); err == nil && len(pids) > 0 && strings.HasSuffix(dir, cgroupPath) {
			return pids[0], nil
		}
	}
	return 0, fmt.Errorf("no process in %s", cgroupPath)
}

// Address is the pod's own on its network; empty on the node's.
func (p *Pod) Address(ctx context.Context) string {
	c := p.containerd
	c.t.Helper()
	answer, err := p.client.PodSandboxStatus(ctx, &runtimeapi.PodSandboxStatusRequest{PodSandboxId: p.ID})
	if err != nil {
		c.t.Fatalf("ask for the address of pod %s: %v", p.Name, err)
	}
	return answer.GetStatus().GetNetwork().GetIp()
}

// Output is what a container has written so far, as the runtime logs it.
func (p *Pod) Output(name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(p.LogDirectory, name, "0.log"))
	return string(content), err
}
