package cluster

import (
	"context"
	_ "embed" // dns.yaml
	"fmt"
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/image"
)

const (
	// dnsService is which of services' addresses is DNS', by custom.
	dnsService = 10
	// system is the namespace of what belongs to the cluster.
	system = metav1.NamespaceSystem
)

// dnsManifests are what CoreDNS is made of, with its image and its service's address.
//
//go:embed dns.yaml
var dnsManifests string

// dnsImage is CoreDNS' image.
func dnsImage(t testing.TB) *image.Image {
	t.Helper()
	program, err := os.ReadFile(coreDNSProgram().Path(t))
	if err != nil {
		t.Fatal(err)
	}
	built, err := image.Build(image.Spec{
		Name: coreDNSImage, Command: []string{"-conf", "/etc/coredns/Corefile"},
	}, program)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// startDNS runs CoreDNS as clusters do, as a Deployment behind the Service kube-dns,
// and waits until it is available.
func (c *Cluster) startDNS(image string) {
	c.t.Helper()
	c.Create(context.Background(), fmt.Sprintf(dnsManifests, image, c.addresses.service(dnsService)))
	c.AwaitDeployment(context.Background(), system, "coredns")
}
