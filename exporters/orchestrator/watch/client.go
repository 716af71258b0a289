package watch

import (
	"k8s.io/apimachinery/pkg/runtime"
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

// Client returns a client that is fit for watching everything: it speaks protobuf,
// which costs both sides a fraction of JSON, and is held up by no rate limit of its
// own, since it makes few requests and the API server has priority and fairness.
func Client(config *rest.Config) (kubernetes.Interface, error) {
	c := rest.CopyConfig(config)
	c.UserAgent = "loadline"
	c.Timeout = 0 // watches last; lists have a deadline each
	c.QPS = -1
	c.ContentType = runtime.ContentTypeProtobuf
	c.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	c.WarningHandler = rest.NoWarnings{} // of resources that are deprecated, at each request
	return kubernetes.NewForConfig(c)
}
