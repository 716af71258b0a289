// Package model is what every orchestrator says of its services, workloads, pods and
// nodes, in one form: Kubernetes, Swarm and plain Docker fill it, one collector
// serves it, and no rule or panel has to know who runs the containers.
//
// What an orchestrator does not know is left at its zero value and has no series: an
// amount is a Count, a point in time a time.Time, a state an empty string.
package model

import (
	"time"

	"github.com/loadline-exporters/loadline/internal/counts"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Count is an amount that may not be known.
type Count struct {
	N     int64
	Known bool
}

// Of is a known amount.
func Of[T ~int | ~int32 | ~int64 | ~uint64](n T) Count { return Count{int64(n), true} }

// Ref is where a workload stands: one row of the hierarchy.
type Ref struct {
	Orchestrator string // hierarchy.Kubernetes, hierarchy.Swarm, hierarchy.Docker
	Namespace    string
	hierarchy.Workload
}

// Labels are the values of the labels that name a workload.
func (r Ref) Labels() []string { return []string{r.Orchestrator, r.Namespace, r.Name, r.Type} }

// Counts are the counters by workload. Who knows a workload's pods holds its account
// while there are any, once a pod.
type Counts = counts.Book[Ref]

// Totals are the counters of an orchestrator as a whole, by its name.
type Totals = counts.Book[string]

// Workload is a controller of pods: how many it wants, has, and how its rollout goes.
type Workload struct {
	Ref
	Replicas Replicas
	Rollout  Rollout
	Paused   Count // 1 when its rollouts, or its runs, are held back by hand, else 0
	// GenerationLag is by how many changes of the specification the controller is
	// behind (generation less observed generation).
	GenerationLag Count
	Owner         string // the team, from labels or annotations that a flag names
}

// Replicas are numbers of pods. A pod on a node that is down does not count as
// running.
type Replicas struct {
	Desired   Count // what is wanted
	Current   Count // what is there
	Updated   Count // of the latest revision
	Ready     Count // that say they are ready
	Available Count // ready for long enough
	// Schedulable is how many could run: for what runs once a node, the nodes that it
	// fits; for others those of Desired that have a node or wait for none.
	Schedulable Count
}

// State is what a rollout is at.
type State string

// The states of a rollout.
const (
	Complete    State = "complete"     // everything is of the latest revision
	Progressing State = "progressing"  // pods are being replaced
	Stalled     State = "stalled"      // it does not get on: past its deadline, or paused by failures
	RollingBack State = "rolling_back" // an older revision is being put back
)

// States are all states of a rollout.
func States() []State { return []State{Complete, Progressing, Stalled, RollingBack} }

// Rollout is the replacing of pods by those of a newer revision. Scaling is none.
type Rollout struct {
	State   State // empty where the kind of workload has no rollouts
	Started time.Time
	Ended   time.Time // zero while it goes on
}

// Service is a name under which pods are reached.
type Service struct {
	Orchestrator, Namespace, Name string

	Pods      []string // that it selects, ready or not, sorted, each once
	Endpoints Endpoints
}

// Endpoints are the addresses of a service by state.
type Endpoints struct {
	Ready, NotReady Count
	Terminating     Count // about to go; some still serve
}

// Pod is one pod, or task.
type Pod struct {
	Ref         // of its workload
	Pod         string
	UID         string
	Node        string
	QoS         string // one of QoSClasses, empty where there are none
	HostNetwork Count  // 1 when it has its node's network, else 0
	Phase       Phase
	// Overdue is since when it is in a phase that it should have left: pending,
	// unknown, terminating past its grace.
	Overdue    time.Time
	Containers []Container
}

// Container is one container of a pod.
type Container struct {
	Name          string
	Kind          string // App, Init, Sidecar, Ephemeral
	Image, Digest string // the image's reference, and its manifest's digest
	Restarts      Count
	Waiting       Waiting // why it does not run; empty when it does, or has ended
	Last          Termination
}

// Termination is how a container's last process ended. Its reason is empty when none
// has.
type Termination struct {
	Reason   Ended
	ExitCode Count
	Signal   Count
	At       time.Time
}

// Autoscaler is what scales a workload.
type Autoscaler struct {
	Orchestrator, Namespace, Name string
	Target                        hierarchy.Workload
	Min, Max, Current, Desired    Count
	Limited                       Limit // why it cannot do what it would; empty when it can
}

// Job is one run of what ends, by the workload that it belongs to.
type Job struct {
	Ref
	Job                       string // the run's own name
	Active, Succeeded, Failed Count  // pods
	State                     JobState
	Reason                    JobFailure // why it failed; empty when it has not
	Started, Ended            time.Time
}

// CronJob is what starts jobs by the clock.
type CronJob struct {
	Ref
	Suspended                    Count // 1 or 0
	LastScheduled, LastSucceeded time.Time
	NextScheduled                time.Time
	Missed                       Count // runs that should have started since the last one and have not
	Active                       Count
}

// Node is a machine that the orchestrator knows.
type Node struct {
	Orchestrator, Node string

	Role                  string // ControlPlane, Manager, Worker
	Ready                 Count  // 1 or 0
	Schedulable           Count  // 1 or 0: whether it takes new pods
	Availability          Availability
	Reachable, Leader     Count // 1 or 0: of a manager, by the others
	Conditions            []Condition
	Capacity, Allocatable []Amount // in the order of Resources
	Version               string   // of what runs the containers there
}

// Condition is what ails a node, or does not.
type Condition struct {
	Name string // one of Conditions
	True bool
}

// Amount is how much of a resource there is.
type Amount struct {
	Resource
	Value float64
}

// NamespaceOwner is whose a namespace is.
type NamespaceOwner struct{ Orchestrator, Namespace, Owner string }

// Source is an orchestrator's view. Each method calls yield for each value; the
// values must not be kept. They may be called while the source goes on; what one call
// yields belongs together.
type Source interface {
	Workloads(yield func(*Workload))
	Services(yield func(*Service))
	Pods(yield func(*Pod))
	Autoscalers(yield func(*Autoscaler))
	Jobs(yield func(*Job))
	CronJobs(yield func(*CronJob))
	Nodes(yield func(*Node))
	NamespaceOwners(yield func(*NamespaceOwner))
}
