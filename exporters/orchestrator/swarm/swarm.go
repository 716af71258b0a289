// Package swarm tells of a Swarm's services, tasks and nodes what one of its managers
// says. A task's slot is a pod: what was in it before is its past.
//
// Docker tells of no task when something happens to it, so tasks are listed, and what
// became of each is counted once, by its id. Swarm remembers the last few of each
// slot (--task-history-limit, five unless told otherwise): of a slot that fails more
// often than that between two listings the rest is lost.
package swarm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/counts"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/source"
)

const (
	// Every is the time between two listings.
	Every = 10 * time.Second
	// Spacing is the least time between two listings, however much happens.
	Spacing = 2 * time.Second
)

// Options are what a Source works with.
type Options struct {
	Client *dockerclient.Client
	Counts *model.Counts
	// Owner finds whose a service is in its labels.
	Owner func(labels map[string]string) string
	// OOMKilled says of a container of this node that the kernel's OOM killer was in
	// it, which Swarm does not know.
	OOMKilled func(containerID string) bool
	// Event counts an event.
	Event func(model.Ref, model.Class, model.EventType)
}

// Source asks a manager. Fetch may be called by one goroutine at a time.
type Source struct {
	Options
	holder   *counts.Holder[model.Ref]
	tasks    *failures
	rollouts *rollouts
	nodes    map[string]watchedNode // by id; nil before the first listing
	self     string                 // id of the node whose engine is asked
}

// New returns a source.
func New(o Options) *Source {
	s := &Source{Options: o, holder: counts.NewHolder(o.Counts), rollouts: newRollouts(o.Counts, o.Event)}
	s.tasks = newFailures(o.Counts, o.OOMKilled, s.event)
	return s
}

// Fetch lists what the Swarm has. The source is absent where the daemon is in none,
// and forbidden where it is a worker, which is told nothing.
func (s *Source) Fetch(ctx context.Context) (*model.Lists, string, error) {
	info, err := s.Client.Info(ctx, client.InfoOptions{})
	if err != nil {
		return nil, "", s.failed("asking what it is in", err)
	}
	switch in := info.Info.Swarm; {
	case in.LocalNodeState != swarm.LocalNodeStateActive:
		state := in.LocalNodeState
		if state == "" {
			state = swarm.LocalNodeStateInactive
		}
		return nil, "", source.Because(source.Absent, fmt.Errorf("%s is in no Swarm: its node is %.32s", s.Client.Host, state))
	case !in.ControlAvailable:
		return nil, "", source.Because(source.Forbidden, errors.New(s.Client.Host+" is a worker of its Swarm: managers alone tell of services, so this exporter belongs beside one"))
	}
	services, err := s.Client.ServiceList(ctx, client.ServiceListOptions{})
	if err != nil {
		return nil, "", s.failed("listing the services", err)
	}
	tasks, err := s.Client.TaskList(ctx, client.TaskListOptions{})
	if err != nil {
		return nil, "", s.failed("listing the tasks", err)
	}
	nodes, err := s.Client.NodeList(ctx, client.NodeListOptions{})
	if err != nil {
		return nil, "", s.failed("listing the nodes", err)
	}
	c := newCluster(services.Items, tasks.Items, nodes.Items)
	s.self = info.Info.Swarm.NodeID
	s.count(c)
	return s.lists(c), s.Client.Host, nil
}

func (s *Source) failed(what string, err error) error {
	return dockerclient.Because(fmt.Errorf("%s of %s: %w", what, s.Client.Host, err))
}

// count counts what has happened since the last listing.
func (s *Source) count(c *cluster) {
	there := make(map[model.Ref]bool, len(c.services))
	for _, sv := range c.services {
		there[sv.ref] = true
	}
	s.holder.Hold(there)
	s.rollouts.count(c)
	s.tasks.count(c)
	s.countNodes(c)
}

func (s *Source) lists(c *cluster) *model.Lists {
	out := &model.Lists{Nodes: c.nodeList()}
	for _, sv := range c.services {
		out.Workloads = append(out.Workloads, s.workload(c, sv))
		if sv.isJob() {
			out.Jobs = append(out.Jobs, sv.job())
		}
		of := service(c, sv)
		for _, sl := range sv.slots {
			if pod, ok := s.pod(c, sv, sl); ok {
				out.Pods = append(out.Pods, pod)
				of.Pods = append(of.Pods, pod.Pod)
			}
		}
		out.Services = append(out.Services, of)
	}
	return out
}
