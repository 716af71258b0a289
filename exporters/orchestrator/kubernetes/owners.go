package kubernetes

import (
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// maxOwner bounds an owner: annotations may be long, and one that is no name is none.
const maxOwner = 128

// ownerOf is whose an object is by its labels and annotations, empty where they do not
// say.
func (c *Cluster) ownerOf(o metav1.Object) text {
	labels, annotations := o.GetLabels(), o.GetAnnotations()
	for _, k := range c.options.OwnerLabels {
		if v := labels[k]; v != "" {
			return unique.Make(v)
		}
	}
	for _, k := range c.options.OwnerAnnotations {
		if v := annotations[k]; v != "" && len(v) <= maxOwner {
			return unique.Make(v)
		}
	}
	return unique.Make("")
}

// namespace is what is kept of one.
type namespace struct{ owner text }

func (c *Cluster) reduceNamespace(obj runtime.Object) *namespace {
	o, ok := obj.(*corev1.Namespace)
	if !ok {
		return nil
	}
	return &namespace{owner: c.ownerOf(o)}
}

// owner is a workload's owner, else its namespace's.
func (c *Cluster) owner(own text, in string) string {
	if o := own.Value(); o != "" {
		return o
	}
	if n := c.namespaces.kept[named("", in)]; n != nil && c.fresh(resourceNamespaces) {
		return n.owner.Value()
	}
	return ""
}

// NamespaceOwners are the owners of namespaces.
func (c *Cluster) NamespaceOwners(yield func(*model.NamespaceOwner)) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, e := range c.namespaces.sorted() {
		if c.ownsOther("namespace", "", e.Name) {
			yield(&model.NamespaceOwner{Orchestrator: hierarchy.Kubernetes, Namespace: e.Name, Owner: e.kept.owner.Value()})
		}
	}
}
