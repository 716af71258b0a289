//go:build e2e

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// web is a Deployment behind a Service, and a Job whose pod asks it by its name.
const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: docker.io/loadline/workload:test
        imagePullPolicy: Never
        args: [serve, "8080"]
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
`

const asks = `
apiVersion: batch/v1
kind: Job
metadata: {name: asks}
spec:
  backoffLimit: 3
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: asks
        image: docker.io/loadline/workload:test
        imagePullPolicy: Never
        args: [reach, "web.default.svc.cluster.local:80"]
`

func TestCluster(t *testing.T) {
	began := time.Now()
	c := Start(t)
	t.Logf("started after %v", time.Since(began))
	c.Create(t.Context(), web)
	c.AwaitDeployment(t.Context(), "default", "web")
	service, err := c.Client.CoreV1().Services("default").Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a service's address answers", func(t *testing.T) {
		wait.For(t, limit, "an answer from "+service.Spec.ClusterIP, func() error {
			return ok(t.Context(), &http.Client{Timeout: time.Second}, "http://"+service.Spec.ClusterIP)
		})
	})
	t.Run("DNS answers with a service's address", func(t *testing.T) {
		resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(c.addresses.service(dnsService).String(), "53"))
		}}
		wait.For(t, limit, "DNS to know the service web", func() error {
			found, err := resolver.LookupHost(t.Context(), "web.default.svc.cluster.local.")
			if err == nil && (len(found) != 1 || found[0] != service.Spec.ClusterIP) {
				err = fmt.Errorf("it answers %v, want %s", found, service.Spec.ClusterIP)
			}
			return err
		})
	})
	t.Run("a pod reaches a service by its name", func(t *testing.T) {
		c.Create(t.Context(), asks)
		wait.For(t, limit, "the job asks", func() error {
			job, err := c.Client.BatchV1().Jobs("default").Get(t.Context(), "asks", metav1.GetOptions{})
			if err != nil {
				return err
			}
			for _, condition := range job.Status.Conditions {
				if condition.Type == batchv1.JobComplete {
					return nil
				}
			}
			return fmt.Errorf("%+v%s", job.Status, c.pods(t.Context(), "default"))
		})
	})
}

func TestPodsOfANodeThatIsLostRunOnAnother(t *testing.T) {
	c := Start(t, WithNodes(2))
	c.Create(t.Context(), web)
	c.AwaitDeployment(t.Context(), "default", "web")
	lost, other := c.Nodes[1], c.Nodes[0]
	lost.Disconnect()
	wait.For(t, 3*time.Minute, "two pods to be ready on "+other.Name, func() error {
		list, err := c.Client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{LabelSelector: "app=web"})
		if err != nil {
			return err
		}
		ready := 0
		for _, pod := range list.Items {
			for _, condition := range pod.Status.Conditions {
				if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue && pod.Spec.NodeName == other.Name {
					ready++
				}
			}
		}
		if ready != 2 {
			return fmt.Errorf("%d are%s", ready, c.pods(t.Context(), "default"))
		}
		return nil
	})
	if err := lost.ready(t.Context(), c.ControlPlane); err == nil {
		t.Error("the node that is lost is ready")
	}
	lost.Connect()
	wait.For(t, limit, "the node to be ready again", func() error { return lost.ready(t.Context(), c.ControlPlane) })
}

func TestPodsPullFromTheRegistry(t *testing.T) {
	c := Start(t)
	r := c.StartRegistry()
	i := image.Workload(t, image.Spec{Name: r.Address + "/team/app:1"})
	r.Push(t.Context(), i)
	c.Create(t.Context(), fmt.Sprintf(pulls, "pulls", i.Name))
	wait.For(t, limit, "the pod to run", func() error {
		pod, err := c.Client.CoreV1().Pods("default").Get(t.Context(), "pulls", metav1.GetOptions{})
		if err == nil && pod.Status.Phase != corev1.PodRunning {
			err = errors.New(c.pods(t.Context(), "default"))
		}
		return err
	})
	r.Refuse(http.StatusTooManyRequests)
	c.Create(t.Context(), fmt.Sprintf(pulls, "refused", r.Address+"/team/app:2"))
	wait.For(t, limit, "the kubelet to say that the registry refuses", func() error {
		events, err := c.Client.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "reason=Failed,involvedObject.name=refused"})
		if err != nil {
			return err
		}
		for _, event := range events.Items {
			if strings.Contains(event.Message, "429 Too Many Requests") {
				return nil
			}
		}
		return fmt.Errorf("%d events do not%s", len(events.Items), c.pods(t.Context(), "default"))
	})
}

// pulls is a pod of a name and an image.
const pulls = `
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  containers: [{name: app, image: %q}]
`
