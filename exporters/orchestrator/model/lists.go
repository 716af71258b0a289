package model

// Lists are what an orchestrator that is polled said last, all at once.
type Lists struct {
	Workloads       []Workload
	Services        []Service
	Pods            []Pod
	Autoscalers     []Autoscaler
	Jobs            []Job
	CronJobs        []CronJob
	Nodes           []Node
	NamespaceOwners []NamespaceOwner
}

// Latest is the source of the lists that it returns at the time. They are not
// changed afterwards.
type Latest func() *Lists

// Workloads yields the workloads.
func (l Latest) Workloads(yield func(*Workload)) { each(l().Workloads, yield) }

// Services yields the services.
func (l Latest) Services(yield func(*Service)) { each(l().Services, yield) }

// Pods yields the pods.
func (l Latest) Pods(yield func(*Pod)) { each(l().Pods, yield) }

// Autoscalers yields the autoscalers.
func (l Latest) Autoscalers(yield func(*Autoscaler)) { each(l().Autoscalers, yield) }

// Jobs yields the runs.
func (l Latest) Jobs(yield func(*Job)) { each(l().Jobs, yield) }

// CronJobs yields what starts runs by the clock.
func (l Latest) CronJobs(yield func(*CronJob)) { each(l().CronJobs, yield) }

// Nodes yields the nodes.
func (l Latest) Nodes(yield func(*Node)) { each(l().Nodes, yield) }

// NamespaceOwners yields the owners of namespaces.
func (l Latest) NamespaceOwners(yield func(*NamespaceOwner)) { each(l().NamespaceOwners, yield) }

func each[T any](list []T, yield func(*T)) {
	for i := range list {
		yield(&list[i])
	}
}
