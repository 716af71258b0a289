package cluster

import (
	"context"
	"fmt"
	"path/filepath"

	"k8s.io/client-go/rest"

	"github.com/loadline-exporters/loadline/e2e/daemon"
)

// startControllerManager starts the controllers: Deployments make ReplicaSets, those
// make pods, and what is owned goes with its owner.
func (p *ControlPlane) startControllerManager() *Part {
	return p.startController("kube-controller-manager", controllerManager,
		"--service-account-private-key-file="+p.APIServer.authority.path("service-accounts.key"),
		"--root-ca-file="+p.APIServer.authority.path("ca.crt"), "--use-service-account-credentials=true",
		// A node that is lost is seen within a test's patience.
		"--node-monitor-period=1s", "--node-monitor-grace-period=20s",
	)
}

// startScheduler starts what gives pods their nodes.
func (p *ControlPlane) startScheduler() *Part {
	return p.startController("kube-scheduler", scheduler)
}

// startController starts a program that is a client of the API server. It serves on
// loopback what it has to say of itself, to who may read it.
func (p *ControlPlane) startController(name, user string, args ...string) *Part {
	p.t.Helper()
	config := p.APIServer.config(p.APIServer.URL, user)
	kubeconfig := p.WriteKubeconfig(name, config)
	port := daemon.FreePorts(p.t, loopback, 1)[0]
	insecure := &rest.Config{TLSClientConfig: rest.TLSClientConfig{Insecure: true}} // its certificate is its own
	client, err := rest.HTTPClientFor(insecure)
	if err != nil {
		p.t.Fatal(err)
	}
	url := fmt.Sprintf("https://%s:%d", loopback, port)
	args = append(args,
		"--kubeconfig="+kubeconfig, "--authentication-kubeconfig="+kubeconfig, "--authorization-kubeconfig="+kubeconfig,
		"--leader-elect=false", // there is one
		"--bind-address="+loopback, fmt.Sprint("--secure-port=", port), "--cert-dir="+filepath.Join(p.dir, name),
	)
	return start(p.t, name, url, daemon.Config{Program: kubernetesProgram(name).Path(p.t), Args: args},
		func(ctx context.Context) error { return ok(ctx, client, url+"/healthz") })
}
