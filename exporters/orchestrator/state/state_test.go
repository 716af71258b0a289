package state

import (
	"bytes"
	"context"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// said is an orchestrator that says what a test has it say.
type said struct {
	workloads   []model.Workload
	services    []model.Service
	pods        []model.Pod
	autoscalers []model.Autoscaler
	jobs        []model.Job
	cronJobs    []model.CronJob
	nodes       []model.Node
	owners      []model.NamespaceOwner
}

func each[T any](all []T, yield func(*T)) {
	for i := range all {
		yield(&all[i])
	}
}

func (s *said) Workloads(yield func(*model.Workload))             { each(s.workloads, yield) }
func (s *said) Services(yield func(*model.Service))               { each(s.services, yield) }
func (s *said) Pods(yield func(*model.Pod))                       { each(s.pods, yield) }
func (s *said) Autoscalers(yield func(*model.Autoscaler))         { each(s.autoscalers, yield) }
func (s *said) Jobs(yield func(*model.Job))                       { each(s.jobs, yield) }
func (s *said) CronJobs(yield func(*model.CronJob))               { each(s.cronJobs, yield) }
func (s *said) Nodes(yield func(*model.Node))                     { each(s.nodes, yield) }
func (s *said) NamespaceOwners(yield func(*model.NamespaceOwner)) { each(s.owners, yield) }

// exposition is what is served of a source, as text.
func exposition(t *testing.T, source model.Source) string {
	t.Helper()
	table := metrics.Table()
	w := family.NewWriter(table, nil)
	for _, c := range Collectors([]model.Source{source}, NewCounts(), NewTotals()) {
		if err := c.Collect(context.Background(), w); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := family.Budget(table, []*family.Writer{w}, 0).Encode(&out, family.Text); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func ref(namespace, workload, kind string) model.Ref {
	return model.Ref{Orchestrator: hierarchy.Kubernetes, Namespace: namespace, Workload: hierarchy.Workload{Name: workload, Type: kind}}
}

var at = time.Unix(1_700_000_000, 0)

// everything has something of all that can be said.
func everything() *said {
	web, nightly := ref("shop", "web", hierarchy.Deployment), ref("shop", "nightly", hierarchy.CronJob)
	n := func(i int) model.Count { return model.Of(i) }
	return &said{
		workloads: []model.Workload{{
			Ref: web, Paused: n(1), GenerationLag: n(2), Owner: "team-shop",
			Replicas: model.Replicas{Desired: n(6), Current: n(5), Updated: n(4), Ready: n(3), Available: n(2), Schedulable: n(1)},
			Rollout:  model.Rollout{State: model.Stalled, Started: at, Ended: at.Add(time.Minute)},
		}},
		services: []model.Service{{
			Orchestrator: hierarchy.Kubernetes, Namespace: "shop", Name: "web", Pods: []string{"web-1", "web-2"},
			Endpoints: model.Endpoints{Ready: n(1), NotReady: n(2), Terminating: n(3)},
		}},
		pods: []model.Pod{{
			Ref: web, Pod: "web-1", UID: "u1", Node: "n1", QoS: "burstable", HostNetwork: n(0), Phase: model.Pending,
			Overdue: time.Now().Add(-time.Hour),
			Containers: []model.Container{{
				Name: "app", Kind: model.App, Image: "registry.example/web:1", Digest: "sha256:ab", Waiting: model.WaitingCrashLoop,
				Last: model.Termination{Reason: model.EndedOOM, ExitCode: n(137), Signal: n(9), At: at},
			}},
		}},
		autoscalers: []model.Autoscaler{{
			Orchestrator: hierarchy.Kubernetes, Namespace: "shop", Name: "web", Target: web.Workload,
			Min: n(1), Max: n(10), Current: n(10), Desired: n(12), Limited: model.LimitMax,
		}},
		jobs: []model.Job{{
			Ref: nightly, Job: "nightly-1", Active: n(0), Succeeded: n(0), Failed: n(7),
			State: model.JobFailed, Reason: model.JobBackoffLimit, Started: at, Ended: at.Add(time.Hour),
		}},
		cronJobs: []model.CronJob{{
			Ref: nightly, Suspended: n(0), LastScheduled: at, LastSucceeded: at, NextScheduled: at.Add(24 * time.Hour), Missed: n(1), Active: n(1),
		}},
		nodes: []model.Node{{
			Orchestrator: hierarchy.Kubernetes, Node: "n1", Role: model.Worker, Ready: n(1), Schedulable: n(0), Version: "v1.36.3",
			Availability: model.Drained, Reachable: n(1), Leader: n(0),
			Conditions:  []model.Condition{{Name: "disk_pressure", True: true}, {Name: "memory_pressure"}},
			Capacity:    []model.Amount{{Resource: model.Resources()[0], Value: 2}},
			Allocatable: []model.Amount{{Resource: model.Resources()[1], Value: 4 << 30}},
		}},
		owners: []model.NamespaceOwner{{Orchestrator: hierarchy.Kubernetes, Namespace: "shop", Owner: "team-shop"}},
	}
}

func TestAllThatIsSaidIsServed(t *testing.T) {
	const golden = "testdata/everything.txt"
	text := exposition(t, everything())
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			kept.WriteString(overdue(line))
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(kept.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if kept.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", kept.String(), want)
	}
}

// overdue takes the time that passes out of a line.
func overdue(line string) string {
	if !strings.HasPrefix(line, metrics.PodOverdue.Name) {
		return line
	}
	i := strings.LastIndexByte(line, ' ')
	if strings.HasPrefix(line[i:], " 3600.") {
		return line[:i] + " 3600\n"
	}
	return line
}

func TestEveryFamilyOfStateCanBeServed(t *testing.T) {
	text := exposition(t, everything())
	for _, f := range metrics.Table() {
		others := []string{metrics.CollectorCounts, metrics.CollectorEvents, metrics.CollectorWatch}
		if !slices.Contains(others, f.Collector) && !strings.Contains(text, "\n"+f.Name+"{") {
			t.Errorf("%s is in the table and not served", f.Name)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestWhatIsNotKnownHasNoSeries(t *testing.T) {
	web := ref("shop", "web", hierarchy.Deployment)
	text := exposition(t, &said{
		workloads:   []model.Workload{{Ref: web}},
		services:    []model.Service{{Orchestrator: "swarm", Namespace: "shop", Name: "web"}},
		pods:        []model.Pod{{Ref: web, Pod: "web-1", Containers: []model.Container{{Name: "app"}}}},
		autoscalers: []model.Autoscaler{{Orchestrator: "swarm", Namespace: "shop", Name: "web"}},
		jobs:        []model.Job{{Ref: web, Job: "x"}},
		cronJobs:    []model.CronJob{{Ref: web}},
		nodes:       []model.Node{{Orchestrator: "swarm", Node: "n"}},
		owners:      []model.NamespaceOwner{{Orchestrator: "swarm", Namespace: "shop"}},
	})
	for line := range strings.Lines(text) {
		// What is known of these is that they are there.
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_info{") {
			t.Errorf("served: %s", line)
		}
	}
}

func TestAPodIsNotOverdueBeforeItsTime(t *testing.T) {
	text := exposition(t, &said{pods: []model.Pod{{
		Ref: ref("shop", "web", hierarchy.Deployment), Pod: "web-1", Phase: model.Terminating, Overdue: time.Now().Add(time.Hour),
	}}})
	if strings.Contains(text, metrics.PodOverdue.Name) {
		t.Errorf("overdue within its grace:\n%s", text)
	}
}
