// Package kubernetes fills the model of all orchestrators from Kubernetes' objects.
//
// Of each object it keeps a few fields, whose text is shared where objects say the
// same: a pod takes some hundred bytes, so that a cluster of ten thousand needs a few
// megabytes. What several objects tell together, such as the pods of a service or
// which revision a rollout leads to, is put together when it is asked for.
package kubernetes

import (
	"sync"
	"time"
	"unique"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// The resources that the model is made of.
const (
	resourcePods        = "pods"
	resourceServices    = "services"
	resourceSlices      = "endpointslices"
	resourceDeployments = "deployments"
	resourceSets        = "statefulsets"
	resourceDaemons     = "daemonsets"
	resourceReplicaSets = "replicasets"
	resourceControllers = "replicationcontrollers"
	resourceRevisions   = "controllerrevisions"
	resourceAutoscalers = "horizontalpodautoscalers"
	resourceJobs        = "jobs"
	resourceCronJobs    = "cronjobs"
	resourceNodes       = "nodes"
	resourceNamespaces  = "namespaces"
)

// Options say how objects are understood.
type Options struct {
	// OwnerLabels and OwnerAnnotations name, in their order, where the owner of a
	// namespace or a workload stands. Labels come first.
	OwnerLabels, OwnerAnnotations []string
	// Fresh says whether what was told of a resource may be served.
	Fresh func(resource string) bool
	// Counts has the counters that outlive pods.
	Counts Counts
	// Owns says whether a workload, with all that belongs to it, is for this exporter to
	// serve. Where there are several, they do not serve the same.
	Owns func(namespace string, w hierarchy.Workload) bool
}

// Counts has an account for each workload while it is held, and an hour longer.
type Counts interface {
	Hold(workload model.Ref)
	Release(workload model.Ref)
	Add(f *family.Family, workload model.Ref, n float64, labels ...string) bool
}

// Cluster is what is known of a cluster. It is safe for concurrent use.
type Cluster struct {
	options Options
	started time.Time
	zones   sync.Map // time zones by name; no more than there are in the world

	mu          sync.RWMutex // guards what sinks keep, and all that follows
	pods        *sink[pod]
	services    *sink[service]
	slices      *sink[slice]
	deployments *sink[controller]
	sets        *sink[controller]
	daemons     *sink[controller]
	replicaSets *sink[replicaSet]
	controllers *sink[replicaSet]
	revisions   *sink[revision]
	autoscalers *sink[autoscaler]
	jobs        *sink[job]
	cronJobs    *sink[cronJob]
	nodes       *sink[node]
	namespaces  *sink[namespace]

	accounts   map[place]*account
	selections map[string]map[labels]*selection // by namespace
	guessed    map[key]map[key]bool             // by a Job that is not known, its pods
	revised    map[string][]*revision           // by the UID of the controller
}

// place is a workload's, the same for all that say the same.
type place = unique.Handle[model.Ref]

// text is a string that many objects say.
type text = unique.Handle[string]

func placeOf(namespace string, w hierarchy.Workload) place {
	return unique.Make(model.Ref{Orchestrator: hierarchy.Kubernetes, Namespace: namespace, Workload: w})
}

// account is what pods tell of their workload.
type account struct{ pods, unschedulable int }

// New returns a cluster of which nothing is known yet.
func New(o Options) *Cluster {
	if o.Fresh == nil {
		o.Fresh = func(string) bool { return true }
	}
	if o.Owns == nil {
		o.Owns = func(string, hierarchy.Workload) bool { return true }
	}
	c := &Cluster{
		options: o, started: time.Now(),
		accounts: map[place]*account{}, selections: map[string]map[labels]*selection{}, guessed: map[key]map[key]bool{},
		revised: map[string][]*revision{},
	}
	c.pods = newSink(c, resourcePods, c.reducePod, c.podChanged)
	c.services = newSink(c, resourceServices, reduceService, c.serviceChanged)
	c.slices = newSink[slice](c, resourceSlices, reduceSlice, nil)
	c.deployments = c.controllerSink(resourceDeployments, c.reduceDeployment)
	c.sets = c.controllerSink(resourceSets, c.reduceSet)
	c.daemons = c.controllerSink(resourceDaemons, c.reduceDaemon)
	c.replicaSets = newSink(c, resourceReplicaSets, c.reduceReplicaSet, c.replicaSetChanged)
	c.controllers = newSink(c, resourceControllers, c.reduceController, c.replicaSetChanged)
	c.revisions = newSink(c, resourceRevisions, reduceRevision, c.revisionChanged)
	c.autoscalers = newSink[autoscaler](c, resourceAutoscalers, reduceAutoscaler, nil)
	c.jobs = newSink(c, resourceJobs, c.reduceJob, c.jobChanged)
	c.cronJobs = newSink(c, resourceCronJobs, c.reduceCronJob, c.cronJobChanged)
	c.nodes = newSink[node](c, resourceNodes, reduceNode, nil)
	c.namespaces = newSink[namespace](c, resourceNamespaces, c.reduceNamespace, nil)
	return c
}

// Sinks are what is to be told of objects, by resource.
func (c *Cluster) Sinks() map[string]watch.Sink {
	return map[string]watch.Sink{
		resourcePods: c.pods, resourceServices: c.services, resourceSlices: c.slices,
		resourceDeployments: c.deployments, resourceSets: c.sets, resourceDaemons: c.daemons,
		resourceReplicaSets: c.replicaSets, resourceControllers: c.controllers, resourceRevisions: c.revisions,
		resourceAutoscalers: c.autoscalers, resourceJobs: c.jobs, resourceCronJobs: c.cronJobs,
		resourceNodes: c.nodes, resourceNamespaces: c.namespaces,
	}
}

// fresh says whether a resource was listed and may be served.
func (c *Cluster) fresh(resource string) bool { return c.options.Fresh(resource) }

// owns says whether a workload is for this exporter to serve.
func (c *Cluster) owns(p place) bool {
	r := p.Value()
	return c.options.Owns(r.Namespace, r.Workload)
}

// ownsOther is the same for what is no workload and belongs to none.
func (c *Cluster) ownsOther(kind, namespace, name string) bool {
	return c.options.Owns(namespace, hierarchy.Workload{Name: name, Type: kind})
}

// standing is the place of an object, and whether its account is held for the object:
// what is owned may change meanwhile.
type standing struct {
	place place
	held  bool
}

// hold has the workload's counters stay, if there are any and they are for this
// exporter to serve.
func (c *Cluster) hold(s *standing) {
	if c.options.Counts != nil && c.owns(s.place) {
		c.options.Counts.Hold(s.place.Value())
		s.held = true
	}
}

func (c *Cluster) release(s *standing) {
	if s.held {
		c.options.Counts.Release(s.place.Value())
		s.held = false
	}
}

func (c *Cluster) count(f *family.Family, p place, n float64, labels ...string) {
	if c.options.Counts != nil && c.owns(p) {
		c.options.Counts.Add(f, p.Value(), n, labels...)
	}
}
