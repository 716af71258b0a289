package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// Create creates the objects of manifests: YAML documents, one an object. Those of a
// namespace that name none are in default.
func (p *ControlPlane) Create(ctx context.Context, manifests string) {
	p.t.Helper()
	client, err := dynamic.NewForConfig(p.Config)
	if err != nil {
		p.t.Fatalf("make a client of Kubernetes: %v", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(p.Client.Discovery()))
	documents := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifests), 4096)
	for {
		var object unstructured.Unstructured
		err := documents.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil && object.Object != nil {
			err = create(ctx, client, mapper, &object)
		}
		if err != nil {
			p.t.Fatalf("create %s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
}

func create(ctx context.Context, client dynamic.Interface, mapper *restmapper.DeferredDiscoveryRESTMapper, object *unstructured.Unstructured) error {
	kind := schema.FromAPIVersionAndKind(object.GetAPIVersion(), object.GetKind())
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return err
	}
	var resource dynamic.ResourceInterface = client.Resource(mapping.Resource)
	if mapping.Scope.Name() == "namespace" {
		namespace := object.GetNamespace()
		if namespace == "" {
			namespace = metav1.NamespaceDefault
		}
		resource = client.Resource(mapping.Resource).Namespace(namespace)
	}
	_, err = resource.Create(ctx, object, metav1.CreateOptions{})
	return err
}

// AwaitDeployment waits until a Deployment is rolled out: all replicas are of its
// latest template, and available.
func (p *ControlPlane) AwaitDeployment(ctx context.Context, namespace, name string) {
	p.t.Helper()
	wait.For(p.t, readyLimit, fmt.Sprintf("the deployment %s/%s", namespace, name), func() error {
		d, err := p.Client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		want, is := *d.Spec.Replicas, d.Status
		if is.ObservedGeneration < d.Generation || is.UpdatedReplicas != want || is.AvailableReplicas != want || is.Replicas != want {
			return late(func() string { return fmt.Sprintf("%d wanted: %+v; %s", want, is, p.pods(ctx, namespace)) })
		}
		return nil
	})
}

// late is an error whose text is made when it is read: not at each look.
type late func() string

// Error is the text.
func (l late) Error() string { return l() }

// pods says how the pods of a namespace are, for who looks why one is not ready.
func (p *ControlPlane) pods(ctx context.Context, namespace string) string {
	list, err := p.Client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	var out strings.Builder
	for _, pod := range list.Items {
		fmt.Fprintf(&out, "\n%s %s on %q", pod.Name, pod.Status.Phase, pod.Spec.NodeName)
		for _, c := range pod.Status.ContainerStatuses {
			fmt.Fprintf(&out, " %s: %s", c.Name, stateOf(c.State))
		}
		for _, c := range pod.Status.Conditions {
			if c.Status != corev1.ConditionTrue && c.Message != "" {
				fmt.Fprintf(&out, " %s: %s", c.Type, c.Message)
			}
		}
	}
	return out.String()
}

func stateOf(s corev1.ContainerState) string {
	switch {
	case s.Waiting != nil:
		return s.Waiting.Reason + " " + s.Waiting.Message
	case s.Terminated != nil:
		return fmt.Sprint(s.Terminated.Reason, " ", s.Terminated.ExitCode)
	}
	return "running"
}
