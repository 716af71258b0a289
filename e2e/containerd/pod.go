package containerd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/image"
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
	// LogDirectory holds a directory for each container.
	LogDirectory string

	containerd *Containerd
	client     runtimeapi.RuntimeServiceClient
	config     *runtimeapi.PodSandboxConfig
}

// PodContainer is a started container of a pod.
type PodContainer struct {
	ID, Name, CgroupPath string
	// PID is the id of its init process, as the test sees it.
	PID int
}

// RunPod starts a pod's sandbox in the node's own network; the test's cleanup
// removes it. The containerd must have been started WithCRI(Pause).
func (c *Containerd) RunPod(ctx context.Context, namespace, name, uid string) *Pod {
	c.t.Helper()
	p := &Pod{
		UID: uid, Namespace: namespace, Name: name, containerd: c,
		CgroupPath:   "/kubepods/burstable/pod" + uid,
		LogDirectory: filepath.Join(c.dir, "pods", namespace+"_"+name+"_"+uid),
	}
	// An image of its own: of two names of one image, containerd takes any.
	c.Import(ctx, criNamespace, image.Workload(c.t, image.Spec{Name: Pause, Labels: map[string]string{"is": "pause"}}))
	conn, err := grpc.NewClient("unix://"+c.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		c.t.Fatalf("make a CRI client for %s: %v", c.Address, err)
	}
	p.client = runtimeapi.NewRuntimeServiceClient(conn)
	node := runtimeapi.NamespaceMode_NODE
	p.config = &runtimeapi.PodSandboxConfig{
		Metadata:     &runtimeapi.PodSandboxMetadata{Namespace: namespace, Name: name, Uid: uid},
		LogDirectory: p.LogDirectory,
		Linux: &runtimeapi.LinuxPodSandboxConfig{
			CgroupParent: p.CgroupPath,
			SecurityContext: &runtimeapi.LinuxSandboxSecurityContext{
				NamespaceOptions: &runtimeapi.NamespaceOption{Network: node},
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
	c.t.Cleanup(func() {
		p.remove()
		if err := conn.Close(); err != nil {
			c.t.Errorf("close the CRI client: %v", err)
		}
	})
	c.note(p.ID, p.CgroupPath)
	return p
}

// note notes what a container that CRI made leaves behind.
func (c *Containerd) note(id, parent string) {
	c.ledger.Cgroup(filepath.Join(parent, id))
	c.ledger.Shim(c.bundle(criNamespace, id))
}

// remove stops the pod and removes it with its containers.
func (p *Pod) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), cleanLimit)
	defer cancel()
	if _, err := p.client.StopPodSandbox(ctx, &runtimeapi.StopPodSandboxRequest{PodSandboxId: p.ID}); err != nil {
		p.containerd.t.Errorf("stop pod %s: %v", p.Name, err)
	}
	if _, err := p.client.RemovePodSandbox(ctx, &runtimeapi.RemovePodSandboxRequest{PodSandboxId: p.ID}); err != nil {
		p.containerd.t.Errorf("remove pod %s: %v", p.Name, err)
	}
}

// Run creates a container that runs the workload with args, and starts it.
func (p *Pod) Run(ctx context.Context, name string, args ...string) *PodContainer {
	c := p.containerd
	c.t.Helper()
	c.Import(ctx, criNamespace, c.workload)
	if err := os.MkdirAll(filepath.Join(p.LogDirectory, name), 0o755); err != nil {
		c.t.Fatalf("make the log directory of container %s: %v", name, err)
	}
	created, err := p.client.CreateContainer(ctx, &runtimeapi.CreateContainerRequest{
		PodSandboxId: p.ID, SandboxConfig: p.config,
		Config: &runtimeapi.ContainerConfig{
			Metadata: &runtimeapi.ContainerMetadata{Name: name},
			Image:    &runtimeapi.ImageSpec{Image: c.workload.Name},
			Args:     args,
			LogPath:  name + "/0.log",
			Linux: &runtimeapi.LinuxContainerConfig{SecurityContext: &runtimeapi.LinuxContainerSecurityContext{
				NamespaceOptions: p.config.GetLinux().GetSecurityContext().GetNamespaceOptions(),
			}},
		},
	})
	if err != nil {
		c.t.Fatalf("create container %s of pod %s: %v; the end of containerd's log:\n%s", name, p.Name, err, c.daemon.Tail())
	}
	out := &PodContainer{ID: created.GetContainerId(), Name: name, CgroupPath: filepath.Join(p.CgroupPath, created.GetContainerId())}
	if _, err := p.client.StartContainer(ctx, &runtimeapi.StartContainerRequest{ContainerId: out.ID}); err != nil {
		c.t.Fatalf("start container %s of pod %s: %v; the end of containerd's log:\n%s", name, p.Name, err, c.daemon.Tail())
	}
	c.note(out.ID, p.CgroupPath)
	if out.PID, err = c.pid(out.CgroupPath); err != nil {
		c.t.Fatal(err)
	}
	return out
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

// Output is what a container has written so far, as the runtime logs it.
func (p *Pod) Output(name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(p.LogDirectory, name, "0.log"))
	return string(content), err
}
