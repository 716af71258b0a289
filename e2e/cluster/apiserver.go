package cluster

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/loadline-exporters/loadline/e2e/daemon"
)

// The users that the API server knows by a token, beside service accounts. What they
// may is what Kubernetes' own roles of these names and groups may.
const (
	admin             = "admin"
	controllerManager = "system:kube-controller-manager"
	scheduler         = "system:kube-scheduler"
	proxy             = "system:kube-proxy"
)

// nodeUser is the user that the kubelet of a node is.
func nodeUser(node string) string { return "system:node:" + node }

// groups are those of a user.
func groups(user string) string {
	switch {
	case user == admin:
		return "system:masters"
	case strings.HasPrefix(user, "system:node:"):
		return "system:nodes"
	}
	return ""
}

// APIServer is a kube-apiserver on an etcd of its own.
type APIServer struct {
	*Part

	authority *authority
	tokens    map[string]string // by user
}

// startAPIServer starts it on an address, and lets clients of the address and of
// the first of services' addresses verify it.
func startAPIServer(t testing.TB, dir string, etcd *Etcd, n addresses, s settings) *APIServer {
	t.Helper()
	port := daemon.FreePorts(t, n.host, 1)[0]
	url := "https://" + net.JoinHostPort(n.host, fmt.Sprint(port))
	a := &APIServer{authority: newAuthority(t, dir), tokens: map[string]string{}}
	a.authority.server("apiserver", []net.IP{net.ParseIP(n.host), n.service(1)},
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
	a.authority.client("apiserver-kubelet-client", "kube-apiserver", "system:masters")
	a.authority.pair("service-accounts", newKey(t))
	users := []string{admin, controllerManager, scheduler, proxy}
	for i := range maxNodes {
		users = append(users, nodeUser(nodeName(i)))
	}
	a.writeTokens(filepath.Join(dir, "tokens.csv"), t, users)
	file := a.authority.path
	args := []string{
		"--etcd-servers=" + etcd.URL, "--cert-dir=" + filepath.Join(dir, "apiserver"),
		"--bind-address=" + n.host, fmt.Sprint("--secure-port=", port),
		"--tls-cert-file=" + file("apiserver.crt"), "--tls-private-key-file=" + file("apiserver.key"),
		"--client-ca-file=" + file("ca.crt"), "--token-auth-file=" + filepath.Join(dir, "tokens.csv"),
		"--authorization-mode=Node,RBAC", "--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + file("service-accounts.pub"), "--service-account-signing-key-file=" + file("service-accounts.key"),
		"--service-cluster-ip-range=" + n.services.String(),
		"--kubelet-client-certificate=" + file("apiserver-kubelet-client.crt"), "--kubelet-client-key=" + file("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		// Nobody speaks for others; without it what asks for it goes on asking.
		"--requestheader-client-ca-file=" + file("ca.crt"), "--requestheader-allowed-names=nobody",
		// A node that is lost takes its pods along within a test's patience.
		"--default-not-ready-toleration-seconds=5", "--default-unreachable-toleration-seconds=5",
	}
	if !s.controllers {
		// Nobody makes the service account that it would give to each pod.
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	if n.host == loopback {
		// It refuses to tell others that it is reached on loopback.
		args = append(args, "--advertise-address="+unreachable, "--endpoint-reconciler-type=none")
	}
	client, err := rest.HTTPClientFor(a.config(url, admin))
	if err != nil {
		t.Fatalf("make a client for the API server: %v", err)
	}
	a.Part = start(t, "kube-apiserver", url, daemon.Config{
		Program: kubernetesProgram("kube-apiserver").Path(t),
		Args:    append(args, s.apiServer...),
	}, func(ctx context.Context) error { return serves(ctx, client, url) })
	return a
}

// serves says whether it is ready and has made the namespaces that it makes itself,
// which comes later.
func serves(ctx context.Context, client *http.Client, url string) error {
	for _, path := range []string{"/readyz", "/api/v1/namespaces/default", "/api/v1/namespaces/kube-system"} {
		if err := ok(ctx, client, url+path); err != nil {
			return err
		}
	}
	return nil
}

// writeTokens gives each user a token and writes the file that the API server reads.
func (a *APIServer) writeTokens(path string, t testing.TB, users []string) {
	t.Helper()
	var lines strings.Builder
	for i, user := range users {
		a.tokens[user] = rand.Text()
		fmt.Fprintf(&lines, "%s,%s,%d,%q\n", a.tokens[user], user, i, groups(user))
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// config is what a client needs to be a user.
func (a *APIServer) config(url, user string) *rest.Config {
	ca, err := os.ReadFile(a.authority.path("ca.crt"))
	if err != nil {
		a.authority.t.Fatal(err)
	}
	return &rest.Config{
		Host: url, BearerToken: a.tokens[user],
		TLSClientConfig: rest.TLSClientConfig{CAData: ca},
		QPS:             -1, // tests make many objects
	}
}
