//go:build e2e

package cluster

import (
	"errors"
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

const limit = time.Minute

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}}
}

func TestObjectsOutliveTheAPIServerAndEtcd(t *testing.T) {
	p := StartControlPlane(t)
	maps := p.Client.CoreV1().ConfigMaps("default")
	kept, err := maps.Create(t.Context(), configMap("kept"), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.APIServer.Stop()
	if _, err := maps.Get(t.Context(), "kept", metav1.GetOptions{}); err == nil {
		t.Error("an API server that is stopped answers")
	}
	p.Etcd.Stop()
	p.Etcd.Start()
	p.APIServer.Start()
	found, err := maps.Get(t.Context(), "kept", metav1.GetOptions{})
	if err != nil || found.UID != kept.UID {
		t.Errorf("after a start on the same data: %v, %v; want the UID %s", found, err, kept.UID)
	}
	version, err := p.Client.Discovery().ServerVersion()
	if err != nil || version.GitVersion != "v"+KubernetesVersion || version.Minor != "36" {
		t.Errorf("it is version %v (%v)", version, err)
	}
}

func TestACompactedHistoryIsGone(t *testing.T) {
	p := StartControlPlane(t)
	maps := p.Client.CoreV1().ConfigMaps("default")
	made, err := maps.Create(t.Context(), configMap("made"), metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.APIServer.Stop()
	p.Etcd.Compact(t.Context())
	p.APIServer.Start()
	watch, err := maps.Watch(t.Context(), metav1.ListOptions{ResourceVersion: made.ResourceVersion})
	if err == nil {
		defer watch.Stop()
		event := <-watch.ResultChan()
		err = apierrors.FromObject(event.Object)
	}
	if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("watching from a version before the compaction: %v, want that it is gone", err)
	}
}

func TestAServiceAccountMayDoNothingUntilItIsGranted(t *testing.T) {
	p := StartControlPlane(t)
	client, err := kubernetes.NewForConfig(p.ServiceAccount(t.Context(), "default", "reader"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("it lists nodes: %v, want that this is forbidden", err)
	}
}

func TestADeploymentMakesPodsThatAreScheduled(t *testing.T) {
	p := StartControlPlane(t, WithControllers())
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "nobody"}}
	node, err := p.Client.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	node.Status.Allocatable = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("10")}
	if _, err := p.Client.CoreV1().Nodes().UpdateStatus(t.Context(), node, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	replicas := int32(2)
	labels := map[string]string{"app": "web"}
	_, err = p.Client.AppsV1().Deployments("default").Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					Containers:  []corev1.Container{{Name: "web", Image: "web"}},
					Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}},
				},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wait.For(t, limit, "two pods on the node", func() error {
		pods, err := p.Client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		if err != nil || len(pods.Items) != 2 {
			return errors.Join(err, fmt.Errorf("%d pods", len(pods.Items)))
		}
		for _, pod := range pods.Items {
			if pod.Spec.NodeName != node.Name {
				return fmt.Errorf("pod %s is on node %q", pod.Name, pod.Spec.NodeName)
			}
		}
		return nil
	})
}
