package state

import (
	"context"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/family"
)

func (s state) jobs(_ context.Context, w *family.Writer) error {
	is, pods := w.Series(metrics.JobState), w.Series(metrics.JobPods)
	times := newRows(w, []row[*model.Job]{
		{metrics.JobStart, func(x *model.Job) (float64, bool) { return seconds(x.Started) }},
		{metrics.JobEnd, func(x *model.Job) (float64, bool) { return seconds(x.Ended) }},
	})
	cron := newRows(w, cronJobRows())
	for _, from := range s.sources {
		from.Jobs(func(x *model.Job) {
			b := family.NewBlock(metrics.JobLabels, []string{x.Orchestrator, x.Namespace, x.Job, x.Name, x.Type})
			if x.State != "" {
				is.AddBlock(b, 1, string(x.State), string(x.Reason))
			}
			states(pods, b, []numbered{{"active", x.Active}, {"succeeded", x.Succeeded}, {"failed", x.Failed}})
			times.add(b, x)
		})
		from.CronJobs(func(x *model.CronJob) { cron.add(ofWorkload(&x.Ref), x) })
	}
	return nil
}

func cronJobRows() []row[*model.CronJob] {
	return []row[*model.CronJob]{
		{metrics.CronJobSuspended, func(x *model.CronJob) (float64, bool) { return amount(x.Suspended) }},
		{metrics.CronJobActive, func(x *model.CronJob) (float64, bool) { return amount(x.Active) }},
		{metrics.CronJobLastSchedule, func(x *model.CronJob) (float64, bool) { return seconds(x.LastScheduled) }},
		{metrics.CronJobLastSuccess, func(x *model.CronJob) (float64, bool) { return seconds(x.LastSucceeded) }},
		{metrics.CronJobNextSchedule, func(x *model.CronJob) (float64, bool) { return seconds(x.NextScheduled) }},
		{metrics.CronJobMissed, func(x *model.CronJob) (float64, bool) { return amount(x.Missed) }},
	}
}

func (s state) nodes(_ context.Context, w *family.Writer) error {
	flags := newRows(w, []row[*model.Node]{
		{metrics.NodeReady, func(x *model.Node) (float64, bool) { return amount(x.Ready) }},
		{metrics.NodeSchedulable, func(x *model.Node) (float64, bool) { return amount(x.Schedulable) }},
		{metrics.NodeManagerReachable, func(x *model.Node) (float64, bool) { return amount(x.Reachable) }},
		{metrics.NodeManagerLeader, func(x *model.Node) (float64, bool) { return amount(x.Leader) }},
	})
	info, available, conditions := w.Series(metrics.NodeInfo), w.Series(metrics.NodeAvailability), w.Series(metrics.NodeCondition)
	capacity, allocatable := w.Series(metrics.NodeCapacity), w.Series(metrics.NodeAllocatable)
	for _, from := range s.sources {
		from.Nodes(func(x *model.Node) {
			b := family.NewBlock(metrics.NodeLabels, []string{x.Orchestrator, x.Node})
			info.AddBlock(b, 1, x.Role, x.Version)
			flags.add(b, x)
			word(available, b, x.Availability)
			for _, c := range x.Conditions {
				v := 0.0
				if c.True {
					v = 1
				}
				conditions.AddBlock(b, v, c.Name)
			}
			amounts(capacity, b, x.Capacity)
			amounts(allocatable, b, x.Allocatable)
		})
	}
	return nil
}

func amounts(s *family.Series, b family.Block, all []model.Amount) {
	for _, a := range all {
		s.AddBlock(b, a.Value, a.Name, a.Unit)
	}
}
