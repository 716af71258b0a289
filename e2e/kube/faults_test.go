//go:build e2e

package kube

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/peers"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// serves waits until a program serves all of some texts and none of others.
func serves(t *testing.T, p *peers.Program, wanted, unwanted []string) {
	t.Helper()
	wait.For(t, limit, fmt.Sprintf("%q to be served", wanted), func() error {
		a, err := p.ScrapeText()
		if err != nil {
			return err
		}
		for _, w := range wanted {
			if !strings.Contains(string(a.Body), w) {
				return errors.New(w + " is not")
			}
		}
		for _, u := range unwanted {
			if strings.Contains(string(a.Body), u) {
				return errors.New(u + " is, too")
			}
		}
		return nil
	})
}

func podNamed(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "x"}}}}
}

func TestARightThatIsMissingCostsItsResourceOnly(t *testing.T) {
	p := cluster.StartControlPlane(t)
	apply(t, p, "testdata/pods.yaml")
	account := p.ServiceAccount(t.Context(), "default", "exporter")
	roles := p.Client.RbacV1().ClusterRoles()
	grant := func(resources ...string) *rbacv1.ClusterRole {
		return &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "exporter"}, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: resources, Verbs: []string{"list", "watch"}},
		}}
	}
	if _, err := roles.Create(t.Context(), grant("pods"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "exporter"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "exporter"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: "exporter"}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	e := peers.Orchestrator(t, p.WriteKubeconfig("exporter", account), "--resources=pods,configmaps,namespaces")
	serves(t, e, []string{
		`loadline_source_available{source="pods",reason=""} 1`, `loadline_source_available{source="configmaps",reason="forbidden"} 0`,
		`loadline_source_available{source="namespaces",reason="forbidden"} 0`, `kube_pod_info{namespace="default",pod="there"`,
	}, []string{"kube_configmap_info", "kube_namespace_created"})
	if _, err := roles.Update(t.Context(), grant("pods", "configmaps"), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	serves(t, e, []string{
		`loadline_source_available{source="configmaps",reason=""} 1`, `kube_configmap_info{namespace="default",configmap="there"`,
		`loadline_source_available{source="namespaces",reason="forbidden"} 0`,
	}, nil)
}

func TestAnOutageThatHistoryDoesNotOutliveIsSurvived(t *testing.T) {
	p := cluster.StartControlPlane(t)
	apply(t, p, "testdata/pods.yaml")
	e := peers.Orchestrator(t, p.Kubeconfig, "--resources=pods")
	there := `kube_pod_info{namespace="default",pod="there"`
	serves(t, e, []string{there, `loadline_source_available{source="pods",reason=""} 1`}, nil)
	p.APIServer.Stop()
	serves(t, e, []string{there, `loadline_source_available{source="pods",reason="absent"} 0`}, nil)
	p.Etcd.Compact(t.Context())
	p.APIServer.Start()
	pods := p.Client.CoreV1().Pods("default")
	wait.For(t, limit, "a pod to be made", func() error {
		_, err := pods.Create(t.Context(), podNamed("new"), metav1.CreateOptions{})
		return err
	})
	if err := pods.Delete(t.Context(), "there", *metav1.NewDeleteOptions(0)); err != nil {
		t.Fatal(err)
	}
	serves(t, e, []string{`kube_pod_info{namespace="default",pod="new"`, `loadline_source_available{source="pods",reason=""} 1`}, []string{there})
}
