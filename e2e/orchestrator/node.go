package orchestrator

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Node plays a node: pods that are bound to it run at once, or do what their
// containers' images say ("missing", "fails", "succeeds", "waits"), and go when they are
// told to.
type Node struct {
	Name   string
	client kubernetes.Interface
}

// StartNode adds a node to a cluster; it is alive until the test ends or it is stopped.
func StartNode(t testing.TB, client kubernetes.Interface, name string) (n *Node, stop func()) {
	t.Helper()
	n = &Node{Name: name, client: client}
	ctx, cancel := context.WithCancel(context.Background())
	if err := n.join(ctx); err != nil {
		t.Fatalf("add the node %s: %v", name, err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { every(ctx, 5*time.Second, n.live) })
	wg.Go(func() { every(ctx, 100*time.Millisecond, n.run) })
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return n, stop
}

func every(ctx context.Context, d time.Duration, do func(context.Context)) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for ctx.Err() == nil {
		do(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func (n *Node) join(ctx context.Context) error {
	node, err := n.client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name}}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	have := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("4"), corev1.ResourceMemory: resource.MustParse("8Gi"), corev1.ResourcePods: resource.MustParse("50"),
	}
	node.Status.Capacity, node.Status.Allocatable = have, have
	node.Status.NodeInfo.KubeletVersion = "v1.36.3"
	node.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
	}}
	_, err = n.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}

// live renews the node's lease. What fails is tried again soon.
func (n *Node) live(ctx context.Context) {
	leases := n.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	now, seconds := metav1.NowMicro(), int32(40)
	spec := coordinationv1.LeaseSpec{HolderIdentity: &n.Name, LeaseDurationSeconds: &seconds, RenewTime: &now}
	lease, err := leases.Get(ctx, n.Name, metav1.GetOptions{})
	if err != nil {
		_, _ = leases.Create(ctx, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: n.Name}, Spec: spec}, metav1.CreateOptions{})
		return
	}
	lease.Spec = spec
	_, _ = leases.Update(ctx, lease, metav1.UpdateOptions{})
}

// run does what the kubelet would. What fails is tried again soon.
func (n *Node) run(ctx context.Context) {
	pods, err := n.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + n.Name, ResourceVersion: "0"})
	if err != nil {
		return
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		api := n.client.CoreV1().Pods(p.Namespace)
		switch {
		case p.DeletionTimestamp != nil:
			now := int64(0)
			_ = api.Delete(ctx, p.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &p.UID}})
		case p.Status.StartTime == nil:
			n.start(p)
			_, _ = api.UpdateStatus(ctx, p, metav1.UpdateOptions{})
		}
	}
}

// start gives a pod the state that its images say.
func (n *Node) start(p *corev1.Pod) {
	now := metav1.Now()
	p.Status.StartTime, p.Status.PodIP, p.Status.HostIP = &now, "10.0.0.1", "10.0.0.100"
	p.Status.PodIPs = []corev1.PodIP{{IP: "10.0.0.1"}}
	p.Status.Phase = corev1.PodRunning
	ready := true
	for _, c := range p.Spec.Containers {
		name, _, _ := strings.Cut(c.Image, ":")
		s := corev1.ContainerStatus{Name: c.Name, Image: c.Image, ImageID: c.Image + "@sha256:0123", Ready: true}
		ended := func(code int32, reason string) {
			s.Ready = false
			s.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: now, FinishedAt: now}
		}
		switch name {
		case "missing":
			p.Status.Phase, s.Ready, s.ImageID = corev1.PodPending, false, ""
			s.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}
		case "succeeds":
			p.Status.Phase = corev1.PodSucceeded
			ended(0, "Completed")
		case "fails":
			p.Status.Phase = corev1.PodFailed
			ended(137, "OOMKilled")
		default:
			s.State.Running = &corev1.ContainerStateRunning{StartedAt: now}
		}
		ready = ready && s.Ready
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, s)
	}
	status := corev1.ConditionFalse
	if ready {
		status = corev1.ConditionTrue
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.ContainersReady, corev1.PodReady} {
		p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: status, LastTransitionTime: now})
	}
}
