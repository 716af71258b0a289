// Package docker tells of the containers of a Docker engine, those of Compose among
// them, and of what happens to all its containers.
//
// A container is a pod of one container. What runs a Swarm's tasks or Kubernetes'
// pods is told by these, so each container is told once.
package docker

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/counts"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

const (
	// Spacing is the least time between two listings, however much happens.
	Spacing = 2 * time.Second
	// again is when a container is inspected again of which nothing was told since.
	again = 5 * time.Minute
	// remembered bounds what is remembered of containers between two listings.
	remembered = 4096
)

// Options are what a Source works with.
type Options struct {
	Client *dockerclient.Client
	Counts *model.Counts
	// Owner finds whose a container is in its labels.
	Owner func(labels map[string]string) string
	// Event counts an event.
	Event func(model.Ref, model.Class, model.EventType)
	// Told, if set, is called with the time of each event that was told.
	Told func(at time.Time)
	// Changed, if set, is called when something happened that the next listing shows.
	Changed func(Change)
}

// Source asks an engine. Fetch and Watch may run beside each other, each once at a
// time.
type Source struct {
	Options
	holder  *counts.Holder[model.Ref]
	digests *dockerclient.Digests
	known   map[string]*known // by container; Fetch's own
	begun   bool              // what was there before is not counted; Fetch's own
	events  *dockerclient.Events

	mu        sync.Mutex
	connected bool            // events are told
	missed    bool            // some may not have been since the last listing
	changed   map[string]bool // containers of which something was told since they were inspected
	lives     map[string]life // containers of which it was told that they were created or started
	ends      map[string]end  // the last end of a container that was told
	open      map[string]open // of these, those of which it may be told what they were
}

// known is a container as it was last inspected.
type known struct {
	at          time.Time
	state       container.ContainerState
	restarts    int64
	oom         bool
	exit        int
	err         bool // it could not be started
	finished    time.Time
	hostNetwork bool
	policy      container.RestartPolicy
	health      container.HealthStatus
}

// New returns a source.
func New(o Options) *Source {
	return &Source{
		Options: o, holder: counts.NewHolder(o.Counts), digests: dockerclient.NewDigests(o.Client),
		known: map[string]*known{}, events: dockerclient.NewEvents(o.Client),
		changed: map[string]bool{}, lives: map[string]life{}, ends: map[string]end{}, open: map[string]open{},
	}
}

// one is a container that is told of here.
type one struct {
	*container.Summary
	*known
	place  hierarchy.Place
	digest string
	end    *end // the last that was told
}

func (c *one) ref() model.Ref { return refOf(c.place) }

// Fetch lists the containers, those that do not run among them.
func (s *Source) Fetch(ctx context.Context) (*model.Lists, string, error) {
	info, err := s.Client.Info(ctx, client.InfoOptions{})
	if err != nil {
		return nil, "", s.failed("asking what it is", err)
	}
	changed, all := s.takeChanged()
	list, err := s.Client.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		s.giveBack(changed, all)
		return nil, "", s.failed("listing the containers", err)
	}
	inSwarm := info.Info.Swarm.LocalNodeState == swarm.LocalNodeStateActive
	listed := make(map[string]*known, len(list.Items))
	var told []*one
	for i := range list.Items {
		c := &list.Items[i]
		place := placeOf(dockerclient.Name(c.Names, c.ID), c.Labels)
		if c.ID == "" || place.Orchestrator != hierarchy.Docker && place.Orchestrator != hierarchy.Swarm {
			continue
		}
		k := s.inspected(ctx, c, all || changed[c.ID])
		listed[c.ID] = k
		if inSwarm && place.Orchestrator == hierarchy.Swarm {
			continue // a manager tells of it
		}
		told = append(told, &one{Summary: c, known: k, place: place, digest: s.digests.Of(ctx, c)})
	}
	s.digests.Forget()
	s.count(told)
	s.forget(listed, told)
	return s.lists(&info.Info, told, inSwarm), s.Client.Host, nil
}

func (s *Source) failed(what string, err error) error {
	return dockerclient.Because(fmt.Errorf("%s of %s: %w", what, s.Client.Host, err))
}

// takeChanged are the containers of which something was told since it was last called,
// and whether something may have happened to any of which nothing was told.
func (s *Source) takeChanged() (changed map[string]bool, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed, all = s.changed, s.missed
	s.changed, s.missed = map[string]bool{}, !s.connected
	return changed, all
}

func (s *Source) giveBack(changed map[string]bool, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.changed, changed)
	s.missed = s.missed || all
}

// listening notes whether events are told. What happened before they are is not.
func (s *Source) listening(connected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected, s.missed = connected, true
}

// inspected is a container as it was inspected: anew where something happened to it.
// What cannot be inspected now is as the list says.
func (s *Source) inspected(ctx context.Context, c *container.Summary, changed bool) *known {
	k := s.known[c.ID]
	if k != nil && !changed && k.state == c.State && time.Since(k.at) < again {
		return k
	}
	answer, err := s.Client.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if err != nil || answer.Container.State == nil {
		now := known{hostNetwork: c.HostConfig.NetworkMode == "host"}
		if k != nil {
			now = *k
		}
		now.state, now.at = c.State, time.Time{} // so that it is asked for again
		return &now
	}
	return knownOf(c, &answer.Container)
}

// knownOf is what an inspection says of a container of the list.
func knownOf(c *container.Summary, is *container.InspectResponse) *known {
	state := is.State
	now := &known{
		at: time.Now(), state: c.State, restarts: int64(max(is.RestartCount, 0)),
		oom: state.OOMKilled, exit: state.ExitCode, err: state.Error != "",
	}
	now.finished, _ = time.Parse(time.RFC3339Nano, state.FinishedAt)
	if host := is.HostConfig; host != nil {
		now.policy, now.hostNetwork = host.RestartPolicy, host.NetworkMode.IsHost()
	}
	if state.Health != nil {
		now.health = state.Health.Status
	}
	return now
}

// count counts how often containers were started again since the last listing.
func (s *Source) count(all []*one) {
	there := make(map[model.Ref]bool, len(all))
	for _, c := range all {
		there[c.ref()] = true
	}
	s.holder.Hold(there)
	for _, c := range all {
		was := s.known[c.ID]
		n := c.restarts
		switch {
		case was != nil && c.restarts >= was.restarts:
			n -= was.restarts // else it was started by hand, which begins at 0
		case was == nil && !s.begun:
			n = 0
		}
		s.Counts.Add(metrics.Restarts, c.ref(), float64(n), c.place.Container)
		// Engines tell of no event then.
		if c.unstartable() && (was == nil && s.begun || was != nil && !was.err) {
			s.Event(c.ref(), model.StartFailed, model.Warning)
			s.Counts.Add(metrics.Terminations, c.ref(), 1, c.place.Container, string(model.EndedCannotRun))
		}
	}
	s.begun = true
	if s.settle() {
		time.AfterFunc(late, func() { s.tell(Containers) })
	}
}

// forget forgets what is remembered of containers that are gone, and joins what was
// told with those that are not.
func (s *Source) forget(listed map[string]*known, all []*one) {
	s.known = listed
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.ends {
		if listed[id] == nil && len(s.ends) > remembered/2 {
			delete(s.ends, id)
		}
	}
	for _, c := range all {
		if e, ok := s.ends[c.ID]; ok {
			c.end = &e
		}
	}
}

// OOMKilled says that a container of this engine, whoever runs it, was last ended by
// the kernel's OOM killer.
func (s *Source) OOMKilled(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ends[id].oom || s.lives[id].oom
}
