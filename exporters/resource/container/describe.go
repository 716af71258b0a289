package container

import (
	"maps"
	"slices"

	"github.com/loadline-exporters/loadline/internal/family"
)

// Unit is a resource's unit, as kube-state-metrics names it.
func Unit(resource string) string {
	if resource == CPU {
		return "core"
	}
	return "byte"
}

// describe adds what a container is, asks for and may use.
func (e *emitter) describe(r *reading) {
	c := r.Container
	e.info.AddBlock(c.labels.place, 1, c.ID, c.CgroupPath, c.Image, c.ImageDigest, c.Node, c.Runtime, c.Orchestrator, string(c.Kind))
	requests, limits := c.Requests, c.Limits
	if !c.FromPod {
		requests, limits = grouped(r)
	}
	addResources(e.requests, c, requests)
	addResources(e.limits, c, limits)
}

func addResources(s *family.Series, c *Container, amounts Resources) {
	for _, r := range slices.Sorted(maps.Keys(amounts)) {
		s.AddBlock(c.labels.place, amounts[r], c.CgroupPath, r, Unit(r))
	}
}

// grouped are the requests and limits that the control group's settings amount to.
// Shares are no request: outside of Kubernetes they are a weight among neighbours,
// and cgroup v2's cannot be turned back into one.
func grouped(r *reading) (requests, limits Resources) {
	if r.Sandbox {
		return nil, nil
	}
	requests, limits = Resources{}, Resources{}
	if r.Stats.Memory.Reservation > 0 {
		requests[Memory] = r.Stats.Memory.Reservation
	}
	if r.Stats.Memory.Limit > 0 {
		limits[Memory] = r.Stats.Memory.Limit
	}
	if r.CPU.Quota > 0 && r.CPU.Period > 0 {
		limits[CPU] = r.CPU.Quota / r.CPU.Period
	}
	return requests, limits
}

// Health is what a container's own health check says.
type Health string

// The states of health. Others, such as starting, are not known yet.
const (
	Healthy   Health = "healthy"
	Unhealthy Health = "unhealthy"
)

func (h Health) value() (float64, bool) {
	switch h {
	case Healthy:
		return 1, true
	case Unhealthy:
		return 0, true
	}
	return 0, false
}
