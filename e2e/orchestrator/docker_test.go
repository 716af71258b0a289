package orchestrator

import (
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/e2e/docker"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/need"
	"github.com/loadline-exporters/loadline/e2e/registry"
)

// engine is what the subtests of TestDocker share: an engine that is in no Swarm, and
// an exporter that asks it.
type engine struct {
	*docker.Docker
	*Exporter
}

func TestDocker(t *testing.T) {
	t.Parallel()
	need.Root(t)
	d := docker.Start(t, docker.WithLiveRestore())
	before := d.Run(t.Context(), docker.Spec{Name: "before", Args: []string{"exit", "5"}})
	if _, err := before.Wait(within(t)); err != nil {
		t.Fatal(err)
	}
	e := &engine{d, Start(t, "--docker-host="+d.Host, "--owner-labels=owner")}
	for _, test := range []struct {
		behaviour string
		run       func(*testing.T)
	}{
		{"an engine that is in no Swarm is told as one node", e.node},
		{"containers of Compose are pods of their service", e.compose},
		{"a container is ready when its health check says so", e.health},
		{"a container that cannot live is started again, and given up", e.restarts},
		{"a container that does not run says why", e.states},
		{"the ways to end are told apart", e.ends},
		{"a pull is counted, and its image has its digest", e.pulled},
		{"labels do not pass for what the engine says", e.hostile},
		{"an engine that goes away and comes back is counted once", e.away},
	} {
		t.Run(test.behaviour, test.run)
	}
	if lines := e.complaints(); len(lines) > 0 {
		t.Errorf("the exporter complained although nothing was wrong:\n%s", strings.Join(lines, ""))
	}
}

// plain are the labels of a container that nothing orchestrates, with more.
func plain(name string, more ...string) []string {
	return append([]string{
		"orchestrator", "docker", "namespace", "default", "workload", name, "workload_type", "container",
	}, more...)
}

func (e *engine) node(t *testing.T) {
	info, err := e.Client.Info(t.Context(), client.InfoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e.shows(t, "the engine",
		is(0, "source_available", "source", "swarm", "reason", "absent"),
		is(1, "source_available", "source", "docker", "reason", ""),
		is(1, "orchestrator_node_info", "orchestrator", "docker", "node", info.Info.Name, "version", info.Info.ServerVersion),
		is(float64(info.Info.MemTotal), "orchestrator_node_capacity", "orchestrator", "docker", "resource", "memory"),
		is(1, "pod_phase", plain("before", "phase", "failed")...),
		is(0, "workload_replicas_desired", plain("before")...),
		is(5, "container_last_termination_exit_code", plain("before")...),
		is(0, "workload_restarts_total", plain("before")...),
		never("events_total", "workload", "before"),
	)
}

func (e *engine) compose(t *testing.T) {
	labels := func(service, oneOff string) map[string]string {
		return map[string]string{
			"com.docker.compose.project": "shop", "com.docker.compose.service": service, "com.docker.compose.oneoff": oneOff, "owner": "sales",
		}
	}
	for _, name := range []string{"shop-web-1", "shop-web-2"} {
		e.Run(t.Context(), docker.Spec{Name: name, Labels: labels("web", "False")})
	}
	e.Run(t.Context(), docker.Spec{Name: "shop-web-run-1", Labels: labels("web", "True")})
	at := []string{"orchestrator", "docker", "namespace", "shop", "workload", "web", "workload_type", "service"}
	e.shows(t, "the service of Compose",
		is(3, "workload_replicas_desired", at...), is(3, "workload_replicas_current", at...), is(3, "workload_replicas_ready", at...),
		is(1, "workload_owner", append(at, "owner", "sales")...),
		none("workload_rollout_state", at...), none("workload_replicas_updated", at...),
		is(1, "service_pod", "namespace", "shop", "service", "web", "pod", "shop-web-1"),
		is(1, "service_pod", "namespace", "shop", "service", "web", "pod", "shop-web-2"),
		none("service_pod", "namespace", "shop", "service", "web", "pod", "shop-web-run-1"),
		is(2, "service_endpoints", "namespace", "shop", "service", "web", "state", "ready"),
		is(1, "pod_phase", append(at, "pod", "shop-web-1", "phase", "running")...),
		is(1, "container_image_info", append(at, "pod", "shop-web-1", "image", image.DefaultName, "kind", "app")...),
		is(3, "events_total", append(at, "class", "container_started")...),
		is(3, "events_total", append(at, "class", "container_created")...),
	)
}

func (e *engine) health(t *testing.T) {
	check := func(status string) *container.HealthConfig {
		return &container.HealthConfig{
			Test:     append([]string{"CMD"}, append(image.Entrypoint(), "exit", status)...),
			Interval: 200 * time.Millisecond, Timeout: 10 * time.Second, Retries: 2,
		}
	}
	starting := check("1")
	starting.StartPeriod = time.Hour
	e.Run(t.Context(), docker.Spec{Name: "healthy", Health: check("0")})
	e.Run(t.Context(), docker.Spec{Name: "unhealthy", Health: check("1")})
	e.Run(t.Context(), docker.Spec{Name: "starting", Health: starting})
	e.shows(t, "the health of containers",
		is(1, "workload_replicas_ready", plain("healthy")...),
		is(0, "workload_replicas_ready", plain("unhealthy")...),
		is(1, "workload_replicas_desired", plain("unhealthy")...),
		is(0, "workload_replicas_ready", plain("starting")...),
		is(1, "events_total", plain("unhealthy", "class", "unhealthy_other", "type", "warning")...),
		never("events_total", plain("healthy", "class", "unhealthy_other")...),
		never("events_total", plain("starting", "class", "unhealthy_other")...),
	)
	for _, name := range []string{"healthy", "unhealthy", "starting"} {
		if _, err := e.Client.ContainerRemove(t.Context(), name, client.ContainerRemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	}
	e.shows(t, "them to be gone", none("pod_info", plain("healthy")...), none("workload_replicas_ready", plain("unhealthy")...))
}

func (e *engine) restarts(t *testing.T) {
	e.Run(t.Context(), docker.Spec{
		Name: "crashes", Args: []string{"exit", "3"},
		Restart: container.RestartPolicy{Name: container.RestartPolicyOnFailure, MaximumRetryCount: 3},
	})
	e.shows(t, "it to be given up",
		is(3, "workload_restarts_total", plain("crashes", "container", "crashes")...),
		is(4, "events_total", plain("crashes", "class", "container_started")...),
		is(4, "events_total", plain("crashes", "class", "container_died", "type", "warning")...),
		is(1, "workload_replicas_desired", plain("crashes")...),
		is(0, "workload_replicas_ready", plain("crashes")...),
		is(1, "pod_phase", plain("crashes", "phase", "failed")...),
		is(3, "container_last_termination_exit_code", plain("crashes")...),
		is(1, "container_last_termination", plain("crashes", "reason", "error")...),
	)
	c := e.Run(t.Context(), docker.Spec{Name: "once", Restart: container.RestartPolicy{Name: container.RestartPolicyAlways}})
	if err := syscall.Kill(c.PID, syscall.SIGKILL); err != nil { // of which the engine knows nothing
		t.Fatal(err)
	}
	e.shows(t, "it to run again, and say how it ended before",
		is(1, "workload_restarts_total", plain("once")...),
		is(1, "workload_replicas_ready", plain("once")...),
		is(1, "pod_phase", plain("once", "phase", "running")...),
		is(1, "container_last_termination", plain("once", "reason", "error")...),
		is(137, "container_last_termination_exit_code", plain("once")...),
		is(2, "events_total", plain("once", "class", "container_started")...),
		is(1, "events_total", plain("once", "class", "container_died")...),
		is(1, "workload_terminations_total", plain("once", "container", "once", "reason", "error")...),
	)
}

func (e *engine) states(t *testing.T) {
	paused := e.Run(t.Context(), docker.Spec{Name: "paused"})
	if _, err := e.Client.ContainerPause(t.Context(), paused.ID, client.ContainerPauseOptions{}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := e.Client.ContainerUnpause(t.Context(), paused.ID, client.ContainerUnpauseOptions{}); err != nil {
			t.Error(err)
		}
	}()
	create := func(name string, config container.Config) {
		t.Helper()
		config.Image = image.DefaultName
		_, err := e.Client.ContainerCreate(t.Context(), client.ContainerCreateOptions{
			Name: name, Config: &config, HostConfig: &container.HostConfig{NetworkMode: "none"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	create("created", container.Config{})
	create("unstartable", container.Config{Entrypoint: []string{"/nothing"}})
	if _, err := e.Client.ContainerStart(t.Context(), "unstartable", client.ContainerStartOptions{}); err == nil {
		t.Fatal("it was started")
	}
	e.shows(t, "why containers do not run",
		is(1, "container_waiting", plain("paused", "reason", "paused")...),
		is(0, "workload_replicas_ready", plain("paused")...),
		is(1, "workload_replicas_current", plain("paused")...),
		is(1, "container_waiting", plain("created", "reason", "creating")...),
		is(1, "pod_phase", plain("created", "phase", "pending")...),
		is(0, "workload_replicas_desired", plain("created")...),
		is(1, "container_waiting", plain("unstartable", "reason", "start_failed")...),
		is(1, "workload_replicas_desired", plain("unstartable")...),
		is(1, "events_total", plain("unstartable", "class", "start_failed", "type", "warning")...),
		never("events_total", plain("unstartable", "class", "container_died")...),
	)
}

func (e *engine) ends(t *testing.T) {
	done := e.Run(t.Context(), docker.Spec{Name: "done", Args: []string{"exit", "0"}})
	if _, err := done.Wait(within(t)); err != nil {
		t.Fatal(err)
	}
	stopped := e.Run(t.Context(), docker.Spec{Name: "stopped"})
	if _, err := e.Client.ContainerStop(t.Context(), stopped.ID, client.ContainerStopOptions{}); err != nil {
		t.Fatal(err)
	}
	killed := e.Run(t.Context(), docker.Spec{Name: "killed"})
	if err := killed.Kill(t.Context(), "SIGKILL"); err != nil {
		t.Fatal(err)
	}
	e.shows(t, "how containers ended",
		is(1, "events_total", plain("done", "class", "container_completed", "type", "normal")...),
		is(1, "pod_phase", plain("done", "phase", "succeeded")...),
		is(1, "container_last_termination", plain("done", "reason", "completed")...),
		is(1, "events_total", plain("stopped", "class", "container_stopped", "type", "normal")...),
		is(1, "events_total", plain("killed", "class", "killed_other", "type", "normal")...),
		is(9, "container_last_termination_signal", plain("killed")...),
		is(1, "container_last_termination", plain("killed", "reason", "error")...),
	)
	e.Run(t.Context(), docker.Spec{Name: "greedy", Args: []string{"oom"}, MemoryLimit: 24 * mebibyte})
	told := e.oomTold(t, plain("greedy"))
	reason := map[bool]string{true: "oom_killed", false: "error"}[told]
	e.shows(t, "how it ended",
		is(1, "container_last_termination", plain("greedy", "reason", reason)...),
		is(1, "workload_terminations_total", plain("greedy", "container", "greedy", "reason", reason)...),
		is(137, "container_last_termination_exit_code", plain("greedy")...),
		never("events_total", plain("greedy", "class", "killed_other")...),
	)
}

func (e *engine) pulled(t *testing.T) {
	r := registry.Start(t, "127.0.0.1")
	pushed := image.Workload(t, image.Spec{Name: r.Address + "/pulled:1", Labels: map[string]string{"of": "its own"}})
	r.Push(t.Context(), pushed)
	pull := func(reference string) error {
		answer, err := e.Client.ImagePull(t.Context(), reference, client.ImagePullOptions{})
		if err != nil {
			return err
		}
		defer answer.Close()
		return answer.Wait(t.Context())
	}
	if err := pull(pushed.Name); err != nil {
		t.Fatal(err)
	}
	if err := pull(r.Address + "/none:1"); err == nil {
		t.Fatal("what is not there was pulled")
	}
	e.Run(t.Context(), docker.Spec{Name: "pulled", Image: pushed.Name})
	digests := e.digest(t, pushed.Name)
	e.shows(t, "the pull, and the image's digest",
		is(1, "events_total", "orchestrator", "docker", "namespace", "", "workload", "", "class", "pull_succeeded", "type", "normal"),
		is(1, "container_image_info", plain("pulled", "image", pushed.Name, "image_digest", digests)...),
	)
}

// digest is that of the manifest that an image was pulled by.
func (e *engine) digest(t *testing.T, reference string) string {
	t.Helper()
	is, err := e.Client.ImageInspect(t.Context(), reference)
	if err != nil || len(is.RepoDigests) != 1 {
		t.Fatalf("the digests of %s are %v, %v", reference, is.RepoDigests, err)
	}
	_, digest, _ := strings.Cut(is.RepoDigests[0], "@")
	return digest
}

func (e *engine) hostile(t *testing.T) {
	bomb := map[string]string{
		"exitCode": "0", "name": "innocent", "image": "innocent:1", "signal": "15", "owner": strings.Repeat("x", 10_000),
		"com.docker.compose.project": "a\"}\n# EOF\n" + strings.Repeat("p", 5_000), "com.docker.compose.service": "\xff\x00s",
	}
	for i := range 200 {
		bomb[strings.Repeat("k", i+1)] = strings.Repeat("v", 1000)
	}
	c := e.Run(t.Context(), docker.Spec{Name: "liar", Args: []string{"exit", "7"}, Labels: map[string]string{"exitCode": "0", "name": "innocent"}})
	if _, err := c.Wait(within(t)); err != nil {
		t.Fatal(err)
	}
	e.Run(t.Context(), docker.Spec{Name: "bomb", Labels: bomb})
	e.shows(t, "what the engine says of them",
		is(1, "events_total", plain("liar", "class", "container_died")...),
		never("events_total", plain("liar", "class", "container_completed")...),
		is(7, "container_last_termination_exit_code", plain("liar")...),
		is(1, "pod_phase", "orchestrator", "docker", "pod", "bomb", "phase", "running"),
		none("pod_info", "pod", "innocent"),
	)
	x, err := e.scrape()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range x {
		for name, value := range s.Labels {
			if len(value) > 1100 {
				t.Errorf("%s has a label %s of %d bytes", s.Name, name, len(value))
			}
		}
	}
}

func (e *engine) away(t *testing.T) {
	labels := map[string]string{"com.docker.compose.project": "away", "com.docker.compose.service": "s"}
	at := []string{"orchestrator", "docker", "namespace", "away", "workload", "s", "workload_type", "service"}
	e.Run(t.Context(), docker.Spec{Name: "away-1", Labels: labels})
	e.Run(t.Context(), docker.Spec{Name: "away-2", Labels: labels})
	e.shows(t, "two containers",
		is(2, "events_total", append(at, "class", "container_started")...), is(2, "workload_replicas_ready", at...))
	restart := sync.OnceFunc(e.Restart)
	defer restart() // so that it can be cleaned up
	e.Kill()
	e.shows(t, "the engine to be away",
		is(0, "source_available", "source", "docker-events", "reason", "absent"),
		is(2, "workload_replicas_ready", at...), // until it is stale
	)
	restart()
	e.Run(t.Context(), docker.Spec{Name: "away-3", Labels: labels})
	e.shows(t, "three containers",
		is(1, "source_available", "source", "docker", "reason", ""),
		is(1, "source_available", "source", "docker-events", "reason", ""),
		is(3, "workload_replicas_ready", at...),
		is(3, "events_total", append(at, "class", "container_started")...),
		is(3, "events_total", append(at, "class", "container_created")...),
		never("events_total", append(at, "class", "container_died")...),
		never("workload_restarts_total", at...),
	)
}
