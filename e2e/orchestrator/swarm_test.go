package orchestrator

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/wait"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

const mebibyte = 1 << 20

// manager is what the subtests of TestSwarm share: a Swarm of one node, and an
// exporter that asks its manager.
type manager struct {
	*docker.Docker
	*Exporter
}

func TestSwarm(t *testing.T) {
	t.Parallel()
	need.Root(t)
	d := docker.Start(t, docker.WithSwarm())
	c := &manager{d, Start(t, "--docker-host="+d.Host)}
	for _, test := range []struct {
		behaviour string
		run       func(*testing.T)
	}{
		{"the node is a manager that takes tasks", c.node},
		{"a service is scaled", c.scaled},
		{"an update that goes well is one rollout", c.updated},
		{"an update that fails is rolled back", c.rolledBack},
		{"an update that fails is paused", c.paused},
		{"an image that is not there is said so", c.imageMissing},
		{"a task that no node takes is not schedulable", c.homeless},
		{"a task that the OOM killer ends is no other failure", c.oomKilled},
		{"a task that is killed is started again in its slot", c.startedAgain},
		{"a job's runs come to results", c.jobs},
		{"a task has the labels that its container has elsewhere", c.agreed},
		{"a drained node takes nothing", c.drained},
		{"a service that was removed is gone, and what was counted stays", c.removed},
		{"a manager that goes away and comes back is counted once", c.away},
	} {
		t.Run(test.behaviour, test.run)
	}
	if lines := c.complaints(); len(lines) > 0 {
		t.Errorf("the exporter complained although nothing was wrong:\n%s", strings.Join(lines, ""))
	}
}

// of are the labels of a service in a namespace, with more.
func of(namespace, service string, more ...string) []string {
	return append([]string{
		"orchestrator", "swarm", "namespace", namespace, "workload", service, "workload_type", "service",
	}, more...)
}

func (c *manager) node(t *testing.T) {
	c.shows(t, "the node",
		is(1, "source_available", "source", "swarm", "reason", ""),
		is(1, "source_available", "source", "docker", "reason", ""),
		is(1, "source_available", "source", "docker-events", "reason", ""),
		is(1, "orchestrator_node_info", "orchestrator", "swarm", "role", "manager"),
		is(1, "orchestrator_node_ready", "orchestrator", "swarm"),
		is(1, "orchestrator_node_schedulable", "orchestrator", "swarm"),
		is(1, "orchestrator_node_availability", "orchestrator", "swarm", "availability", "active"),
		is(1, "orchestrator_node_manager_leader", "orchestrator", "swarm"),
		is(1, "orchestrator_node_manager_reachable", "orchestrator", "swarm"),
		none("orchestrator_node_info", "orchestrator", "docker"),
	)
	info, err := c.Client.Info(t.Context(), client.InfoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.shows(t, "what the node has",
		is(float64(info.Info.NCPU), "orchestrator_node_capacity", "orchestrator", "swarm", "resource", "cpu"),
		is(float64(info.Info.MemTotal), "orchestrator_node_capacity", "orchestrator", "swarm", "resource", "memory"),
		is(1, "orchestrator_node_info", "node", info.Info.Name, "version", info.Info.ServerVersion),
	)
}

func (c *manager) scaled(t *testing.T) {
	web := c.CreateService(t.Context(), docker.ServiceSpec{Name: "web", Stack: "shop", Replicas: 2, Labels: map[string]string{"team": "sales"}})
	c.shows(t, "two tasks", append(c.replicas("shop", "shop_web", 2, 2),
		is(1, "workload_rollout_state", of("shop", "shop_web", "state", "complete")...),
		is(1, "workload_owner", of("shop", "shop_web", "owner", "sales")...),
		is(1, "pod_phase", of("shop", "shop_web", "pod", "shop_web.1", "phase", "running")...),
		is(1, "pod_phase", of("shop", "shop_web", "pod", "shop_web.2", "phase", "running")...),
		is(1, "service_pod", "namespace", "shop", "service", "shop_web", "pod", "shop_web.2"),
		is(2, "service_endpoints", "namespace", "shop", "service", "shop_web", "state", "ready"),
		is(2, "events_total", of("shop", "shop_web", "class", "container_started", "type", "normal")...),
		none("pod_info", "orchestrator", "docker"),
	)...)
	if err := web.Scale(within(t), 3); err != nil {
		t.Fatal(err)
	}
	c.shows(t, "three tasks", append(c.replicas("shop", "shop_web", 3, 3),
		is(3, "events_total", of("shop", "shop_web", "class", "container_started", "type", "normal")...))...)
	if err := web.Scale(within(t), 1); err != nil {
		t.Fatal(err)
	}
	c.shows(t, "one task", append(c.replicas("shop", "shop_web", 1, 1),
		none("pod_info", of("shop", "shop_web", "pod", "shop_web.2")...),
		none("pod_info", of("shop", "shop_web", "pod", "shop_web.3")...),
		is(2, "events_total", of("shop", "shop_web", "class", "container_stopped")...),
		is(0, "workload_rollouts_total", of("shop", "shop_web", "result", "completed")...),
		is(0, "workload_restarts_total", of("shop", "shop_web")...),
	)...)
}

func (c *manager) replicas(namespace, service string, desired, ready float64) []want {
	at := of(namespace, service)
	return []want{
		is(desired, "workload_replicas_desired", at...), is(desired, "workload_replicas_current", at...),
		is(desired, "workload_replicas_updated", at...), is(ready, "workload_replicas_ready", at...),
		is(ready, "workload_replicas_available", at...), is(desired, "workload_replicas_schedulable", at...),
	}
}

// quickly is how services are updated here; action is what Swarm does after a failure.
func quickly(action swarm.FailureAction) *swarm.UpdateConfig {
	return &swarm.UpdateConfig{Parallelism: 1, FailureAction: action, Monitor: 3 * time.Second}
}

func (c *manager) updated(t *testing.T) {
	good := c.CreateService(t.Context(), docker.ServiceSpec{Name: "good", Replicas: 2, Updating: quickly(swarm.UpdateFailureActionPause)})
	c.shows(t, "two tasks", c.replicas("default", "good", 2, 2)...)
	if err := good.Update(within(t), func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Env = []string{"A=1"} }); err != nil {
		t.Fatal(err)
	}
	c.shows(t, "the rollout to go on", is(1, "workload_rollout_state", of("default", "good", "state", "progressing")...))
	c.shows(t, "the rollout to be complete", append(c.replicas("default", "good", 2, 2),
		is(1, "workload_rollout_state", of("default", "good", "state", "complete")...),
		is(1, "workload_rollouts_total", of("default", "good", "result", "completed")...),
		is(0, "workload_rollouts_total", of("default", "good", "result", "failed")...),
		is(0, "workload_rollouts_total", of("default", "good", "result", "rolled_back")...),
		is(0, "workload_restarts_total", of("default", "good")...),
		is(1, "events_total", of("default", "good", "class", "rollout_started")...),
		is(1, "events_total", of("default", "good", "class", "rollout_completed")...),
	)...)
	x, err := c.scrape()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]string{"workload": "good"}
	start, end := x.With("loadline_workload_rollout_start_timestamp_seconds", at).Sum(), x.With("loadline_workload_rollout_end_timestamp_seconds", at).Sum()
	if now := float64(time.Now().Unix()); end <= start || start < now-60 || end > now+1 {
		t.Errorf("the rollout began at %f and was complete at %f, now is %f", start, end, now)
	}
}

func (c *manager) rolledBack(t *testing.T) {
	bad := c.CreateService(t.Context(), docker.ServiceSpec{Name: "bad", RestartDelay: 100 * time.Millisecond, Updating: quickly(swarm.UpdateFailureActionRollback)})
	c.shows(t, "a task", c.replicas("default", "bad", 1, 1)...)
	if err := bad.Update(within(t), func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Args = []string{"exit", "3"} }); err != nil {
		t.Fatal(err)
	}
	c.shows(t, "the rollout to be rolled back", append(c.replicas("default", "bad", 1, 1),
		is(1, "workload_rollout_state", of("default", "bad", "state", "complete")...),
		is(1, "workload_rollouts_total", of("default", "bad", "result", "rolled_back")...),
		is(0, "workload_rollouts_total", of("default", "bad", "result", "completed")...),
		is(0, "workload_rollouts_total", of("default", "bad", "result", "failed")...),
		is(1, "events_total", of("default", "bad", "class", "rolled_back")...),
	)...)
	wait.For(t, Limit, "as many tasks to have failed as containers died", func() error {
		x, err := c.scrape()
		if err != nil {
			return err
		}
		failures := x.With("loadline_workload_pod_failures_total", map[string]string{"workload": "bad", "pod": "bad.1", "reason": "non_zero_exit"}).Sum()
		died := x.With("loadline_events_total", map[string]string{"workload": "bad", "class": "container_died"}).Sum()
		if failures < 1 || failures != died {
			return fmt.Errorf("%v tasks failed, and %v containers died", failures, died)
		}
		return nil
	})
}

func (c *manager) paused(t *testing.T) {
	stuck := c.CreateService(t.Context(), docker.ServiceSpec{Name: "stuck", RestartDelay: time.Hour, Updating: quickly(swarm.UpdateFailureActionPause)})
	c.shows(t, "a task", c.replicas("default", "stuck", 1, 1)...)
	if err := stuck.Update(within(t), func(s *swarm.ServiceSpec) { s.TaskTemplate.ContainerSpec.Args = []string{"exit", "4"} }); err != nil {
		t.Fatal(err)
	}
	c.shows(t, "the rollout to be stalled",
		is(1, "workload_rollout_state", of("default", "stuck", "state", "stalled")...),
		is(1, "workload_rollouts_total", of("default", "stuck", "result", "failed")...),
		is(1, "workload_replicas_desired", of("default", "stuck")...),
		is(0, "workload_replicas_ready", of("default", "stuck")...),
		is(1, "workload_pod_failures_total", of("default", "stuck", "pod", "stuck.1", "reason", "non_zero_exit")...),
		is(4, "container_last_termination_exit_code", of("default", "stuck", "pod", "stuck.1", "container", "stuck")...),
		is(1, "container_last_termination", of("default", "stuck", "reason", "error")...),
		is(1, "container_waiting", of("default", "stuck", "reason", "crash_loop_back_off")...),
		is(1, "service_endpoints", "service", "stuck", "state", "not_ready"),
	)
}

func (c *manager) imageMissing(t *testing.T) {
	c.CreateService(t.Context(), docker.ServiceSpec{Name: "noimage", Image: "127.0.0.1:1/none:1", RestartDelay: time.Hour})
	c.shows(t, "a task without its image",
		// Swarm tries some at once, whatever the delay.
		atLeast(1, "workload_pod_failures_total", of("default", "noimage", "pod", "noimage.1", "reason", "no_such_image")...),
		atLeast(1, "events_total", of("default", "noimage", "class", "pull_failed_other", "type", "warning")...),
		is(1, "container_waiting", of("default", "noimage", "reason", "image_pull_back_off")...),
		is(0, "workload_replicas_ready", of("default", "noimage")...),
		is(1, "workload_replicas_schedulable", of("default", "noimage")...),
		is(0, "workload_restarts_total", of("default", "noimage")...),
		never("events_total", of("default", "noimage", "class", "container_started")...),
	)
}

func (c *manager) homeless(t *testing.T) {
	c.CreateService(t.Context(), docker.ServiceSpec{Name: "elsewhere", Replicas: 2, Constraints: []string{"node.role==worker"}})
	c.CreateService(t.Context(), docker.ServiceSpec{Name: "huge", MemoryReservation: 1 << 50})
	c.shows(t, "tasks that no node takes",
		is(2, "workload_replicas_desired", of("default", "elsewhere")...),
		is(2, "workload_replicas_current", of("default", "elsewhere")...),
		is(0, "workload_replicas_schedulable", of("default", "elsewhere")...),
		is(0, "workload_replicas_ready", of("default", "elsewhere")...),
		is(1, "workload_pod_failures_total", of("default", "elsewhere", "pod", "elsewhere.2", "reason", "no_suitable_node")...),
		is(2, "events_total", of("default", "elsewhere", "class", "scheduling_failed_affinity", "type", "warning")...),
		is(1, "container_waiting", of("default", "elsewhere", "pod", "elsewhere.1", "reason", "no_suitable_node")...),
		is(1, "pod_phase", of("default", "elsewhere", "pod", "elsewhere.1", "phase", "pending")...),
		is(1, "events_total", of("default", "huge", "class", "scheduling_failed_resource")...),
	)
}

func (c *manager) oomKilled(t *testing.T) {
	// The engine does not hear of every kill (oomTold): one of several.
	var name string
	for told := false; !told; {
		if name += "greedy"; len(name) > 10*len("greedy") {
			t.Fatal("the engine told nothing of ten kills")
		}
		c.CreateService(t.Context(), docker.ServiceSpec{Name: name, Args: []string{"oom"}, MemoryLimit: 24 * mebibyte, RestartDelay: time.Hour})
		told = c.oomTold(t, of("default", name))
	}
	c.shows(t, "a task that the OOM killer ended",
		is(1, "workload_pod_failures_total", of("default", name, "pod", name+".1", "reason", "oom_killed")...),
		never("workload_pod_failures_total", of("default", name, "reason", "non_zero_exit")...),
		is(1, "container_last_termination", of("default", name, "reason", "oom_killed")...),
		is(137, "container_last_termination_exit_code", of("default", name)...),
		is(9, "container_last_termination_signal", of("default", name)...),
	)
}

func (c *manager) startedAgain(t *testing.T) {
	s := c.CreateService(t.Context(), docker.ServiceSpec{Name: "again", RestartDelay: 100 * time.Millisecond})
	for n := range 2 {
		containers, err := s.Containers(within(t), 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := containers[0].Kill(t.Context(), "SIGKILL"); err != nil {
			t.Fatal(err)
		}
		c.shows(t, "it to be started again", append(c.replicas("default", "again", 1, 1),
			is(float64(n+1), "workload_restarts_total", of("default", "again", "container", "again")...),
			is(float64(n+2), "events_total", of("default", "again", "class", "container_started")...),
			is(float64(n+1), "events_total", of("default", "again", "class", "killed_other", "type", "normal")...),
			is(float64(n+1), "workload_pod_failures_total", of("default", "again", "pod", "again.1", "reason", "non_zero_exit")...),
		)...)
	}
}

func (c *manager) jobs(t *testing.T) {
	c.CreateService(t.Context(), docker.ServiceSpec{Name: "migrate", Mode: docker.ReplicatedJob, Replicas: 2, Args: []string{"exit", "0"}})
	c.CreateService(t.Context(), docker.ServiceSpec{Name: "sweep", Mode: docker.GlobalJob, Args: []string{"exit", "0"}})
	c.CreateService(t.Context(), docker.ServiceSpec{Name: "agent", Mode: docker.Global})
	c.shows(t, "the jobs to be complete",
		is(1, "job_state", of("default", "migrate", "job_name", "migrate", "state", "complete")...),
		is(2, "job_pods", of("default", "migrate", "state", "succeeded")...),
		is(0, "job_pods", of("default", "migrate", "state", "failed")...),
		is(1, "workload_job_runs_total", of("default", "migrate", "result", "complete")...),
		is(0, "workload_job_runs_total", of("default", "migrate", "result", "failed")...),
		is(1, "job_state", of("default", "sweep", "job_name", "sweep", "state", "complete")...),
		is(1, "workload_job_runs_total", of("default", "sweep", "result", "complete")...),
		none("workload_rollout_state", of("default", "migrate")...),
	)
	c.shows(t, "the global service", c.replicas("default", "agent", 1, 1)...)
}

// agreed compares with what the resource exporter makes of containers' labels.
func (c *manager) agreed(t *testing.T) {
	c.CreateService(t.Context(), docker.ServiceSpec{Name: "everywhere", Stack: "shop", Mode: docker.Global})
	c.CreateService(t.Context(), docker.ServiceSpec{Name: "long", Mode: docker.ReplicatedJob, Replicas: 2})
	wait.For(t, Limit, "all tasks' containers to be told of under their labels", func() error {
		list, err := c.Client.ContainerList(t.Context(), client.ContainerListOptions{})
		if err != nil {
			return err
		}
		x, err := c.scrape()
		if err != nil {
			return err
		}
		kinds := map[string]bool{}
		for _, is := range list.Items {
			p := hierarchy.OfLabels(hierarchy.Docker, dockerclient.Name(is.Names, is.ID), is.Labels)
			kinds[p.Workload.Name] = true
			pod := map[string]string{
				"orchestrator": p.Orchestrator, "namespace": p.Namespace, "workload": p.Workload.Name, "workload_type": p.Workload.Type, "pod": p.Pod,
			}
			if len(x.With("loadline_pod_info", pod)) != 1 {
				return fmt.Errorf("there is no pod %v", pod)
			}
			pod["container"] = p.Container
			if len(x.With("loadline_container_image_info", pod)) != 1 {
				return fmt.Errorf("there is no container %v", pod)
			}
		}
		for _, service := range []string{"shop_everywhere", "long", "shop_web"} {
			if !kinds[service] {
				return fmt.Errorf("no container of %s among %v", service, kinds)
			}
		}
		return nil
	})
}

func (c *manager) drained(t *testing.T) {
	if err := c.SetAvailability(within(t), swarm.NodeAvailabilityDrain); err != nil {
		t.Fatal(err)
	}
	c.shows(t, "the node to be drained",
		is(0, "orchestrator_node_schedulable", "orchestrator", "swarm"),
		is(1, "orchestrator_node_ready", "orchestrator", "swarm"),
		is(1, "orchestrator_node_availability", "orchestrator", "swarm", "availability", "drained"),
		is(1, "workload_replicas_desired", of("shop", "shop_web")...),
		is(0, "workload_replicas_ready", of("shop", "shop_web")...),
		is(0, "workload_replicas_schedulable", of("shop", "shop_web")...),
		is(0, "workload_replicas_desired", of("shop", "shop_everywhere")...),
		is(1, "events_total", "orchestrator", "swarm", "class", "node_cordoned"),
	)
	if err := c.SetAvailability(within(t), swarm.NodeAvailabilityActive); err != nil {
		t.Fatal(err)
	}
	c.shows(t, "the node to take tasks again", append(c.replicas("shop", "shop_web", 1, 1),
		is(1, "orchestrator_node_availability", "orchestrator", "swarm", "availability", "active"),
		is(1, "events_total", "orchestrator", "swarm", "class", "node_uncordoned"))...)
}

func (c *manager) removed(t *testing.T) {
	s := c.CreateService(t.Context(), docker.ServiceSpec{Name: "brief"})
	c.shows(t, "a task", c.replicas("default", "brief", 1, 1)...)
	if err := s.Remove(within(t)); err != nil {
		t.Fatal(err)
	}
	c.shows(t, "the service to be gone",
		none("workload_replicas_desired", of("default", "brief")...), none("pod_info", of("default", "brief")...), none("service_endpoints", "service", "brief"),
		is(1, "events_total", of("default", "brief", "class", "container_started")...),
		is(1, "events_total", of("default", "brief", "class", "container_stopped")...),
	)
}

// away kills the manager, with which its only node's containers end.
func (c *manager) away(t *testing.T) {
	c.CreateService(t.Context(), docker.ServiceSpec{Name: "survivor", Updating: quickly(swarm.UpdateFailureActionPause)})
	c.shows(t, "a task", append(c.replicas("default", "survivor", 1, 1),
		is(1, "events_total", of("default", "survivor", "class", "container_started")...))...)
	before := c.sum(t, "loadline_events_total", "workload", "good", "class", "container_started")
	restart := sync.OnceFunc(c.Restart)
	defer restart() // so that it can be cleaned up
	c.Kill()
	c.shows(t, "the manager to be away", is(0, "source_available", "source", "docker-events", "reason", "absent"))
	restart()
	c.shows(t, "the service to run again", append(c.replicas("default", "survivor", 1, 1),
		is(1, "source_available", "source", "swarm", "reason", ""),
		is(1, "source_available", "source", "docker-events", "reason", ""),
		is(2, "events_total", of("default", "survivor", "class", "container_started")...),
		is(2, "events_total", of("default", "survivor", "class", "container_created")...),
		is(0, "workload_rollouts_total", of("default", "survivor", "result", "completed")...),
	)...)
	c.shows(t, "the other services too", c.replicas("default", "good", 2, 2)...)
	if after := c.sum(t, "loadline_events_total", "workload", "good", "class", "container_started"); after != before+2 {
		t.Errorf("two tasks were started again, %v starts are counted", after-before)
	}
	// What an update came to before is no news.
	c.shows(t, "no rollout to be counted again", is(1, "workload_rollouts_total", of("default", "good", "result", "completed")...),
		is(1, "workload_rollouts_total", of("default", "bad", "result", "rolled_back")...),
		is(1, "workload_rollouts_total", of("default", "stuck", "result", "failed")...),
		is(1, "workload_job_runs_total", of("default", "migrate", "result", "complete")...))
}

func (c *manager) sum(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	x, err := c.scrape()
	if err != nil {
		t.Fatal(err)
	}
	return x.With(name, pairs(labels)).Sum()
}
