package cluster

import (
	"context"
	"path/filepath"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// ControlPlane is an API server on an etcd. Its methods fail the test.
type ControlPlane struct {
	// Config makes clients that may do everything.
	Config *rest.Config
	// Client is one.
	Client *kubernetes.Clientset
	// Kubeconfig is the file that says the same to programs.
	Kubeconfig string

	Etcd      *Etcd
	APIServer *APIServer
	// ControllerManager and Scheduler are nil without WithControllers.
	ControllerManager, Scheduler *Part

	t         testing.TB
	dir       string
	addresses addresses
}

// StartControlPlane starts an etcd and an API server on loopback, and what options
// say. No root is needed: there are no nodes. The test's cleanup ends all of it.
func StartControlPlane(t testing.TB, options ...Option) *ControlPlane {
	t.Helper()
	return startControlPlane(t, guarded(t).Dir(), loopbackAddresses(), apply(options))
}

func startControlPlane(t testing.TB, dir string, n addresses, s settings) *ControlPlane {
	t.Helper()
	p := &ControlPlane{t: t, dir: dir, addresses: n}
	p.Etcd = startEtcd(t, dir)
	p.APIServer = startAPIServer(t, dir, p.Etcd, n, s)
	p.Config = p.APIServer.config(p.APIServer.URL, admin)
	p.Kubeconfig = p.WriteKubeconfig("admin", p.Config)
	var err error
	if p.Client, err = kubernetes.NewForConfig(p.Config); err != nil {
		t.Fatalf("make a client of Kubernetes: %v", err)
	}
	if s.controllers {
		p.ControllerManager = p.startControllerManager()
		p.Scheduler = p.startScheduler()
	}
	return p
}

// ServiceAccount makes a service account, unless it is there, and returns what makes
// clients that may do what the test grants to it.
func (p *ControlPlane) ServiceAccount(ctx context.Context, namespace, name string) *rest.Config {
	p.t.Helper()
	accounts := p.Client.CoreV1().ServiceAccounts(namespace)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := accounts.Create(ctx, account, metav1.CreateOptions{}); err != nil {
		if _, missing := accounts.Get(ctx, name, metav1.GetOptions{}); missing != nil {
			p.t.Fatalf("make the service account %s: %v", name, err)
		}
	}
	token, err := accounts.CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		p.t.Fatalf("get a token of the service account %s: %v", name, err)
	}
	config := rest.CopyConfig(p.Config)
	config.BearerToken = token.Status.Token
	return config
}

// WriteKubeconfig writes a configuration as a file, NAME.kubeconfig in a directory of
// the cluster's, and returns its path.
func (p *ControlPlane) WriteKubeconfig(name string, config *rest.Config) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name+".kubeconfig")
	const entry = "loadline-e2e"
	err := clientcmd.WriteToFile(api.Config{
		Clusters:       map[string]*api.Cluster{entry: {Server: config.Host, CertificateAuthorityData: config.CAData}},
		AuthInfos:      map[string]*api.AuthInfo{entry: {Token: config.BearerToken}},
		Contexts:       map[string]*api.Context{entry: {Cluster: entry, AuthInfo: entry}},
		CurrentContext: entry,
	}, path)
	if err != nil {
		p.t.Fatalf("write a kubeconfig: %v", err)
	}
	return path
}
