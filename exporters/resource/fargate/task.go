package fargate

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	engine "github.com/moby/moby/api/types/container"

	"github.com/loadline-exporters/loadline/exporters/resource/cgroup"
	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// Task is what the endpoint says of a task. It is immutable once published.
type Task struct {
	hierarchy.Place // of the task: its Container is empty
	// Containers are those that run. Their counters are those of the poll.
	Containers []*container.Container
	// Limits are the task's as a whole.
	Limits container.Resources
	// Stored is the ephemeral storage that the task takes, in bytes.
	Stored      float64
	StoredKnown bool
	// Traffic is once a network namespace; empty where the task is on the node's.
	Traffic []Traffic
}

// Traffic is what the interfaces of a network namespace carried.
type Traffic struct {
	Labels     family.Block // metrics.ContainerLabels, of who answers for it
	Interfaces map[string]engine.NetworkStats
}

// description is the answer of /task. What is not used is left out.
type description struct {
	TaskARN    string
	Family     string
	Limits     taskLimits
	Containers []described

	EphemeralStorageMetrics *struct {
		Utilized, Reserved float64 // MiB
	}
}

// taskLimits are a task's; 0 is none.
type taskLimits struct {
	CPU    float64 // vCPU
	Memory float64 // MiB
}

type described struct {
	DockerID    string `json:"DockerId"`
	Name        string // in the task's definition
	DockerName  string
	Image       string
	ImageID     string // the manifest's digest
	KnownStatus string
	Type        string
	StartedAt   time.Time
	Limits      struct {
		CPU    float64 // units of 1/1024 vCPU that are kept for it
		Memory float64 // MiB; 0 is none
	}
	Health   struct{ Status string }
	Networks []struct{ NetworkMode string }
}

const mebibyte = 1 << 20

// unitsOfCPU are ECS' CPU units in a processor. leastUnits is what a container has
// that asks for none: two shares, the least that the kernel knows.
const (
	unitsOfCPU = 1024
	leastUnits = 2
)

// decode reads the answers of /task and /task/stats.
func decode(task, stats []byte, node string) (*Task, error) {
	var d description
	if err := json.Unmarshal(task, &d); err != nil {
		return nil, fmt.Errorf("what the task is: %w", err)
	}
	if d.TaskARN == "" {
		return nil, errors.New("it names no task: this is no ECS task metadata endpoint")
	}
	var byID map[string]*engine.StatsResponse // nil of a container that has just started
	if err := json.Unmarshal(stats, &byID); err != nil {
		return nil, fmt.Errorf("what the task's containers use: %w", err)
	}
	return d.taskWith(byID, node), nil
}

func (d *description) taskWith(stats map[string]*engine.StatsResponse, node string) *Task {
	t := &Task{Place: hierarchy.OfTask(d.Family, d.TaskARN, ""), Limits: container.Resources{}}
	if d.Limits.CPU > 0 {
		t.Limits[container.CPU] = d.Limits.CPU
	}
	if d.Limits.Memory > 0 {
		t.Limits[container.Memory] = d.Limits.Memory * mebibyte
	}
	if e := d.EphemeralStorageMetrics; e != nil {
		t.Stored, t.StoredKnown = e.Utilized*mebibyte, true
		if e.Reserved > 0 {
			t.Limits[container.EphemeralStorage] = e.Reserved * mebibyte
		}
	}
	seen := map[string]bool{}
	for i := range d.Containers {
		c := &d.Containers[i]
		if c.KnownStatus != "RUNNING" || c.DockerID == "" || seen[c.DockerID] {
			continue
		}
		seen[c.DockerID] = true
		made := c.container(d, node, stats[c.DockerID])
		t.Containers = append(t.Containers, made)
		t.addTraffic(c, made, stats[c.DockerID])
	}
	return t
}

// addTraffic takes a container's interfaces. With a network interface of the task's
// own, as on Fargate, all containers share it and each tells the same.
func (t *Task) addTraffic(c *described, made *container.Container, s *engine.StatsResponse) {
	if s == nil || len(s.Networks) == 0 {
		return
	}
	shared := len(c.Networks) > 0 && c.Networks[0].NetworkMode == "awsvpc"
	switch {
	case !shared:
		t.Traffic = append(t.Traffic, Traffic{made.Labels(), s.Networks})
	case len(t.Traffic) == 0:
		t.Traffic = append(t.Traffic, Traffic{made.SandboxLabels(), s.Networks})
	}
}

// container is one of the task's containers with what it uses; s is nil before that
// is known.
func (c *described) container(d *description, node string, s *engine.StatsResponse) *container.Container {
	made := &container.Container{
		Place:      hierarchy.OfTask(d.Family, d.TaskARN, c.Name),
		CgroupPath: "/ecs/" + hierarchy.TaskID(d.TaskARN) + "/" + c.DockerID,
		ID:         c.DockerID, Name: c.DockerName, Image: c.Image, ImageDigest: c.ImageID, Node: node,
		Started: c.StartedAt, Kind: container.App, Health: container.Health(strings.ToLower(c.Health.Status)),
		FromPod: true, Requests: container.Resources{}, Limits: container.Resources{},
	}
	if c.Type == "CNI_PAUSE" { // it holds the task's network, on instances of one's own
		made.Sandbox, made.Kind, made.Container = true, container.Sandbox, container.SandboxName
	}
	if c.Limits.CPU > leastUnits {
		made.Requests[container.CPU] = c.Limits.CPU / unitsOfCPU
	}
	if c.Limits.Memory > 0 {
		made.Limits[container.Memory] = c.Limits.Memory * mebibyte
	}
	told := told{Told: true}
	if s != nil {
		told = statsOf(s)
		told.CPU.Shares = c.Limits.CPU // Docker's shares are ECS' units
	}
	made.Counters = told
	made.Render()
	return made
}

// told are counters as the endpoint told them.
type told cgroup.Stats

// Read returns them.
func (t told) Read(*cgroup.Buffer) (cgroup.Stats, error) { return cgroup.Stats(t), nil }
