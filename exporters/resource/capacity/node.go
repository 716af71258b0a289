package capacity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/jobs"
	"github.com/loadline-exporters/loadline/internal/quantity"
	"github.com/loadline-exporters/loadline/internal/source"
)

// maxNode bounds a node's object, which is mostly the list of its images.
const maxNode = 4 << 20

// Source asks the API server for the node's object: the right to get nodes.
type Source struct {
	client rest.Interface // nil without an API server
	name   func() string
}

// NewSource returns a source for the API server that kubeconfig names, or, when it
// is empty, the one of the cluster this runs in; without either it is absent. A
// kubeconfig that can't be used is an error. name tells the node's name.
func NewSource(kubeconfig string, name func() string) (*Source, error) {
	config, err := jobs.Config(kubeconfig)
	if err != nil {
		if kubeconfig != "" {
			return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfig, err)
		}
		return &Source{}, nil
	}
	config.UserAgent = "loadline"
	// Bodies are read as they come; the codecs decode what refuses.
	config.NegotiatedSerializer = serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfig, err)
	}
	return &Source{client: client, name: name}, nil
}

// Every is how often the node is asked for: what it has hardly ever changes.
const Every = time.Minute

// Fetch gets the node.
func (s *Source) Fetch(ctx context.Context) (Node, string, error) {
	if s.client == nil {
		return Node{}, "", source.Because(source.Absent, errors.New("no kubeconfig was given or found, and this does not run in a cluster"))
	}
	name := s.name()
	if name == "" || len(name) > 253 {
		return Node{}, "", source.Because(source.Invalid, fmt.Errorf("node name %.300q: none that can be asked for (--node-name)", name))
	}
	r := s.client.Get().AbsPath("/api/v1/nodes").Name(name)
	body, err := r.Stream(ctx)
	switch {
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return Node{}, "", source.Because(source.Forbidden, fmt.Errorf("getting node %s: %w", name, err))
	case apierrors.IsNotFound(err):
		return Node{}, "", source.Because(source.Absent, fmt.Errorf("getting node %s: %w (--node-name)", name, err))
	case err != nil:
		return Node{}, "", fmt.Errorf("getting node %s: %w", name, err)
	}
	defer body.Close()
	n, err := decode(io.LimitReader(body, maxNode))
	if err != nil {
		return Node{}, "", source.Because(source.Invalid, fmt.Errorf("reading node %s: %w", name, err))
	}
	n.Name = name
	return n, r.URL().Redacted(), nil
}

func decode(r io.Reader) (Node, error) {
	var object struct {
		Kind   string `json:"kind"`
		Status struct {
			Capacity    map[string]string `json:"capacity"`
			Allocatable map[string]string `json:"allocatable"`
		} `json:"status"`
	}
	if err := json.NewDecoder(r).Decode(&object); err != nil {
		return Node{}, err
	}
	if object.Kind != "Node" {
		return Node{}, fmt.Errorf("%.40q is no Node", object.Kind)
	}
	n := Node{}
	var errs [2]error
	n.Capacity, errs[0] = amounts(object.Status.Capacity)
	n.Allocatable, errs[1] = amounts(object.Status.Allocatable)
	return n, errors.Join(errs[:]...)
}

// amounts are those of the resources that pods are counted by, in base units.
func amounts(of map[string]string) (container.Resources, error) {
	out := container.Resources{}
	for name, key := range map[string]string{
		container.CPU: "cpu", container.Memory: "memory", container.EphemeralStorage: "ephemeral-storage", Pods: "pods",
	} {
		text, ok := of[key]
		if !ok {
			continue
		}
		v, err := quantity.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		out[name] = v
	}
	return out, nil
}
