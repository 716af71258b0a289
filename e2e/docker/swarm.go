package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// stackLabel is how `docker stack deploy` marks what belongs to a stack.
const stackLabel = "com.docker.stack.namespace"

// Mode is how a service's tasks are scheduled.
type Mode string

// The modes of services.
const (
	Replicated    Mode = "replicated"
	Global        Mode = "global"
	ReplicatedJob Mode = "replicated-job"
	GlobalJob     Mode = "global-job"
)

// ServiceSpec says what service to create.
type ServiceSpec struct {
	// Name is the service's name; with a Stack it becomes STACK_NAME, as
	// `docker stack deploy` names it.
	Name, Stack string
	// Labels are the service's, ContainerLabels its containers'.
	Labels, ContainerLabels map[string]string
	// Image is a loaded image's name, the workload's when empty.
	Image string
	// Args follow the image's entrypoint: a verb of the workload.
	Args []string
	// Mode is Replicated when empty.
	Mode Mode
	// Replicas counts tasks, or completions of a job; 1 when zero.
	Replicas uint64
	// MemoryLimit and MemoryReservation are in bytes; NanoCPUs is the limit in
	// billionths of a CPU.
	MemoryLimit, MemoryReservation, NanoCPUs int64
	// Networks are names of networks: "host", or overlay networks that the
	// test makes. Without any, a task has a network namespace without devices.
	Networks []string
	// RestartDelay is how long Swarm waits before it starts a failed task
	// again, its default of 5 s when zero.
	RestartDelay time.Duration
	// Constraints say which nodes may run it, such as "node.role==worker".
	Constraints []string
	// Updating says how the service is updated, Swarm's defaults when nil.
	Updating *swarm.UpdateConfig
}

// Service is a created service.
type Service struct {
	// ID and Name are Swarm's.
	ID, Name string

	docker *Docker
}

// initSwarm makes the daemon a Swarm of one node.
func (d *Docker) initSwarm() {
	d.t.Helper()
	answer, err := d.Client.SwarmInit(d.t.Context(), client.SwarmInitOptions{
		ListenAddr:    "127.0.0.1:2377",
		AdvertiseAddr: "127.0.0.1",
	})
	if err != nil {
		d.fatal(fmt.Errorf("initialise the Swarm: %w", err))
	}
	d.NodeID = answer.NodeID
}

// CreateService creates a service and does not wait for its tasks.
func (d *Docker) CreateService(ctx context.Context, spec ServiceSpec) *Service {
	d.t.Helper()
	if d.NodeID == "" {
		d.t.Fatalf("create service %s: this Docker is no Swarm node: start it with WithSwarm", spec.Name)
	}
	if spec.Image == "" {
		spec.Image = d.workload.Name
	}
	if spec.Stack != "" {
		spec.Name = spec.Stack + "_" + spec.Name
		spec.Labels = with(spec.Labels, stackLabel, spec.Stack)
		spec.ContainerLabels = with(spec.ContainerLabels, stackLabel, spec.Stack)
	}
	answer, err := d.Client.ServiceCreate(ctx, client.ServiceCreateOptions{Spec: serviceSpec(spec)})
	if err != nil {
		d.fatal(fmt.Errorf("create service %s: %w", spec.Name, err))
	}
	return &Service{ID: answer.ID, Name: spec.Name, docker: d}
}

func with(labels map[string]string, name, value string) map[string]string {
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[name] = value
	return labels
}

func serviceSpec(spec ServiceSpec) swarm.ServiceSpec {
	var networks []swarm.NetworkAttachmentConfig
	for _, name := range spec.Networks {
		networks = append(networks, swarm.NetworkAttachmentConfig{Target: name})
	}
	return swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: spec.Name, Labels: spec.Labels},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{Image: spec.Image, Args: spec.Args, Labels: spec.ContainerLabels},
			Resources: &swarm.ResourceRequirements{
				Limits:       &swarm.Limit{MemoryBytes: spec.MemoryLimit, NanoCPUs: spec.NanoCPUs},
				Reservations: &swarm.Resources{MemoryBytes: spec.MemoryReservation},
			},
			RestartPolicy: restartPolicy(spec),
			Placement:     &swarm.Placement{Constraints: spec.Constraints},
			Networks:      networks,
		},
		Mode:         serviceMode(spec),
		UpdateConfig: spec.Updating,
	}
}

// restartPolicy: a job may not restart what has succeeded.
func restartPolicy(spec ServiceSpec) *swarm.RestartPolicy {
	policy := &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionAny}
	if spec.Mode == ReplicatedJob || spec.Mode == GlobalJob {
		policy.Condition = swarm.RestartPolicyConditionOnFailure
	}
	if spec.RestartDelay > 0 {
		policy.Delay = &spec.RestartDelay
	}
	return policy
}

func serviceMode(spec ServiceSpec) swarm.ServiceMode {
	replicas := max(spec.Replicas, 1)
	switch spec.Mode {
	case Global:
		return swarm.ServiceMode{Global: &swarm.GlobalService{}}
	case ReplicatedJob:
		return swarm.ServiceMode{ReplicatedJob: &swarm.ReplicatedJob{MaxConcurrent: &replicas, TotalCompletions: &replicas}}
	case GlobalJob:
		return swarm.ServiceMode{GlobalJob: &swarm.GlobalJob{}}
	default:
		return swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &replicas}}
	}
}

// Tasks waits until n of the service's tasks are in a state, and returns them
// in the order of their slots.
func (s *Service) Tasks(ctx context.Context, n int, state swarm.TaskState) ([]swarm.Task, error) {
	var found []swarm.Task
	err := wait.Until(ctx, func() error {
		answer, err := s.docker.Client.TaskList(ctx, client.TaskListOptions{Filters: make(client.Filters).Add("service", s.ID)})
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(slices.Clone(answer.Items), func(t swarm.Task) bool { return t.Status.State != state })
		if len(found) != n {
			return fmt.Errorf("of its %d tasks %d are %s: %s", len(answer.Items), len(found), state, states(answer.Items))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("wait for %d tasks of service %s to be %s: %w", n, s.Name, state, err)
	}
	slices.SortFunc(found, func(a, b swarm.Task) int { return a.Slot - b.Slot })
	return found, nil
}

func states(tasks []swarm.Task) (all []string) {
	for _, t := range tasks {
		all = append(all, fmt.Sprintf("%s (%s%s)", t.Status.State, t.Status.Message, t.Status.Err))
	}
	return all
}

// Containers waits until n of the service's tasks run, and returns their
// containers in the order of their slots.
func (s *Service) Containers(ctx context.Context, n int) ([]*Container, error) {
	tasks, err := s.Tasks(ctx, n, swarm.TaskStateRunning)
	if err != nil {
		return nil, err
	}
	var containers []*Container
	for _, task := range tasks {
		c, err := s.docker.container(ctx, task.Status.ContainerStatus.ContainerID)
		if err != nil {
			return nil, err
		}
		containers = append(containers, c)
	}
	return containers, nil
}
