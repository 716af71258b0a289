package watch

import (
	"net/http"

	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Config says how to reach the API server that kubeconfig names, or, when it is
// empty, the one of the cluster this runs in.
func Config(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return rest.InClusterConfig()
	}
	return clientcmd.BuildConfigFromFlags("", kubeconfig)
}

// Clients ask one API server over the same connections.
type Clients struct {
	Typed   kubernetes.Interface
	Untyped dynamic.Interface

	transport http.RoundTripper
}

// NewClients returns clients that are fit for watching everything: what is typed is
// asked for as protobuf, which costs both sides a fraction of JSON, and they are held
// up by no rate limit of their own, since they make few requests and the API server
// has priority and fairness.
func NewClients(config *rest.Config) (*Clients, error) {
	c := rest.CopyConfig(config)
	c.UserAgent = "loadline"
	c.Timeout = 0 // watches last; lists have a deadline each
	c.QPS = -1
	c.WarningHandler = rest.NoWarnings{} // of resources that are deprecated, at each request
	client, err := rest.HTTPClientFor(c)
	if err != nil {
		return nil, err
	}
	untyped, err := dynamic.NewForConfigAndClient(c, client)
	if err != nil {
		return nil, err
	}
	c.ContentType = runtime.ContentTypeProtobuf
	c.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	typed, err := kubernetes.NewForConfigAndClient(c, client)
	if err != nil {
		return nil, err
	}
	return &Clients{Typed: typed, Untyped: untyped, transport: client.Transport}, nil
}

// Close ends connections that are not in use.
func (c *Clients) Close() { utilnet.CloseIdleConnectionsFor(c.transport) }
