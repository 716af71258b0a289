package scale

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"golang.org/x/sync/errgroup"

	"github.com/loadline-exporters/loadline/e2e/cluster"
)

// writers is how many requests write at once.
const writers = 16

// objects are what is written to an API server that nothing else works on.
type objects struct {
	*cluster.ControlPlane
	client      kubernetes.Interface
	deployments int
	changes     atomic.Int64
}

func newObjects(b *testing.B) *objects {
	b.Helper()
	o := &objects{ControlPlane: cluster.StartControlPlane(b)}
	config := rest.CopyConfig(o.Config)
	config.QPS = -1
	config.ContentType = runtime.ContentTypeProtobuf
	var err error
	if o.client, err = kubernetes.NewForConfig(config); err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	for n := range namespaces {
		name := deployment{n}.namespace()
		_, err := o.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"team": name}}}, metav1.CreateOptions{})
		if err != nil {
			b.Fatal(err)
		}
	}
	for n := range nodes {
		if _, err := o.client.CoreV1().Nodes().Create(ctx, nodeObject(n), metav1.CreateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
	return o
}

// grow writes deployments until there are so many pods.
func (o *objects) grow(b *testing.B, pods int) {
	b.Helper()
	began := time.Now()
	g, ctx := errgroup.WithContext(b.Context())
	g.SetLimit(writers)
	for ; o.deployments < pods/podsOfDeployment; o.deployments++ {
		d := deployment{o.deployments}
		g.Go(func() error { return o.write(ctx, d) })
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d pods in %d deployments with their services, written in %v", pods, o.deployments, time.Since(began).Round(time.Second))
}

// write writes a deployment and all that belongs to it, in the state in which its
// controllers and kubelets would leave it.
func (o *objects) write(ctx context.Context, d deployment) error {
	apps, core, ns := o.client.AppsV1(), o.client.CoreV1(), d.namespace()
	deployment, err := apps.Deployments(ns).Create(ctx, d.deployment(), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("write %s: %w", d.name(), err)
	}
	deployment.Status = d.status()
	if _, err := apps.Deployments(ns).UpdateStatus(ctx, deployment, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("write the status of %s: %w", d.name(), err)
	}
	set, err := apps.ReplicaSets(ns).Create(ctx, d.replicaSet(string(deployment.UID)), metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("write %s: %w", d.set(), err)
	}
	set.Status.Replicas, set.Status.ReadyReplicas, set.Status.AvailableReplicas = podsOfDeployment, podsOfDeployment, podsOfDeployment
	set.Status.ObservedGeneration = 1
	if _, err := apps.ReplicaSets(ns).UpdateStatus(ctx, set, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("write the status of %s: %w", d.set(), err)
	}
	var uids []string
	for i := range podsOfDeployment {
		pod, err := core.Pods(ns).Create(ctx, d.podObject(i, string(set.UID)), metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("write %s: %w", d.pod(i), err)
		}
		uids = append(uids, string(pod.UID))
		pod.Status = d.podStatus(i, true, 0)
		if _, err := core.Pods(ns).UpdateStatus(ctx, pod, metav1.UpdateOptions{}); err != nil {
			return fmt.Errorf("write the status of %s: %w", d.pod(i), err)
		}
	}
	if _, err := core.Services(ns).Create(ctx, d.service(), metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("write the service %s: %w", d.name(), err)
	}
	if _, err := o.client.DiscoveryV1().EndpointSlices(ns).Create(ctx, d.slice(uids), metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("write the endpoints of %s: %w", d.name(), err)
	}
	return nil
}

// change changes so many pods a second, until stop is called: each becomes ready and
// unready by turns, as pods do whose probe fails now and then.
func (o *objects) change(b *testing.B, aSecond int) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() {
		g := errgroup.Group{}
		g.SetLimit(writers)
		for tick := time.NewTicker(time.Second / time.Duration(aSecond)); ctx.Err() == nil; {
			select {
			case <-ctx.Done():
			case <-tick.C:
				n := int(o.changes.Add(1))
				g.Go(func() error { return o.changePod(b.Context(), n) })
			}
		}
		done <- g.Wait()
	}()
	return func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
}

func (o *objects) changePod(ctx context.Context, n int) error {
	pods := o.deployments * podsOfDeployment
	k := n * 7919 % pods // everywhere
	d, i := deployment{k / podsOfDeployment}, k%podsOfDeployment
	api := o.client.CoreV1().Pods(d.namespace())
	pod, err := api.Get(ctx, d.pod(i), metav1.GetOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	pod.ResourceVersion = "" // whatever was before
	pod.Status = d.podStatus(i, n/pods%2 == 1, int32(n/pods))
	_, err = api.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	return err
}
