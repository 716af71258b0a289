package orchestrator

import (
	"log/slog"
	"time"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/docker"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/swarm"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// engineOptions say which Docker engine is asked: for its containers, and for its
// Swarm where it is a manager.
type engineOptions struct{ host string }

func (o *engineOptions) addFlags(g serve.FlagGroup) {
	g.Flag("docker-host", "Docker's socket, unix:///path or tcp://host:port; a manager's tells of its Swarm.").
		Default(dockerclient.DefaultHost).StringVar(&o.host)
}

// maxAnswer bounds one answer: some 20,000 tasks, those that have ended among them.
const maxAnswer = 128 << 20

// withEngine adds what is known of a Docker engine and its Swarm.
func (p *parts) withEngine(o *Options, logger *slog.Logger) error {
	client, err := dockerclient.New(o.engine.host, maxAnswer)
	if err != nil {
		return err
	}
	event := func(r model.Ref, c model.Class, t model.EventType) {
		if !p.counts.Add(metrics.Events, r, 1, string(c), string(t)) {
			p.totals.Add(metrics.EventsDropped, r.Orchestrator, 1, metrics.DroppedSeries)
		}
	}
	owner := ownerBy(split(o.cluster.ownerLabels))
	var containers, tasks *source.Polled[*model.Lists]
	engine := docker.New(docker.Options{
		Client: client, Counts: p.counts, Owner: owner, Event: event,
		Told: func(at time.Time) { // ahead of this clock, if that was set back meanwhile
			p.totals.Observe(metrics.EventLag, hierarchy.Docker, max(0, time.Since(at).Seconds()))
		},
		Changed: func(c docker.Change) {
			if c == docker.Services {
				tasks.Wake()
				return
			}
			containers.Wake()
		},
	})
	manager := swarm.New(swarm.Options{Client: client, Counts: p.counts, Owner: owner, Event: event, OOMKilled: engine.OOMKilled})
	containers = source.NewPolled("docker", logger, engine.Fetch)
	containers.Spacing = docker.Spacing
	tasks = source.NewPolled("swarm", logger, manager.Fetch)
	tasks.Every, tasks.Spacing = swarm.Every, swarm.Spacing
	events := source.NewStream("docker-events", logger, engine.Watch)
	events.Connected = func() {
		containers.Wake()
		tasks.Wake()
	}
	for _, polled := range []*source.Polled[*model.Lists]{containers, tasks} {
		p.models = append(p.models, latest(polled))
		p.sources = append(p.sources, polled.Source)
		p.runs = append(p.runs, polled.Run)
	}
	p.sources = append(p.sources, events.Source)
	p.runs = append(p.runs, events.Run)
	p.close = append(p.close, client.Close)
	return nil
}

// latest is what a polled source said last, and nothing once that is stale.
func latest(p *source.Polled[*model.Lists]) model.Latest {
	return func() *model.Lists {
		if l, ok := p.Get(); ok {
			return l
		}
		return &model.Lists{}
	}
}

// maxOwner bounds an owner: one that is longer is no name.
const maxOwner = 128

// ownerBy finds an owner in labels by the first that is there.
func ownerBy(names []string) func(labels map[string]string) string {
	return func(labels map[string]string) string {
		for _, name := range names {
			if owner := labels[name]; owner != "" && len(owner) <= maxOwner {
				return owner
			}
		}
		return ""
	}
}
