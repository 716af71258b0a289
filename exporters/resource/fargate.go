package resource

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/loadline-exporters/loadline/exporters/resource/container"
	"github.com/loadline-exporters/loadline/exporters/resource/fargate"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/serve"
	"github.com/loadline-exporters/loadline/internal/source"
)

// newTask polls the endpoint of the ECS task that this runs in, if it does.
func (s *sources) newTask(o *Options, logger *slog.Logger) error {
	f, err := fargate.New(o.ECS, o.nodeName())
	if err != nil {
		return err
	}
	s.task = source.NewPolled("ecs-task", logger, f.Fetch)
	s.task.Every = fargate.Every
	s.polled, s.runs = append(s.polled, s.task.Source), append(s.runs, s.task.Run)
	return nil
}

// list are the containers that the control groups show, and those of the task that
// they don't: on an instance of one's own both may.
func (s *sources) list() []*container.Container {
	list := s.index.List()
	task, ok := s.task.Get()
	if !ok || len(task.Containers) == 0 {
		return list
	}
	shown := make(map[string]bool, len(list))
	for _, c := range list {
		shown[c.ID] = true
	}
	list = slices.Clone(list)
	for _, c := range task.Containers {
		if !shown[c.ID] {
			list = append(list, c)
		}
	}
	return list
}

// withTask adds what is a task's own to the collectors of the same families, which
// without control groups may be missing.
func (s *sources) withTask(collectors []serve.Collector) []serve.Collector {
	task := fargate.Collector{Get: s.task.Get}
	for _, c := range []serve.Collector{
		{Name: "task", Collect: task.Limits}, {Name: "network", Collect: task.Network}, {Name: "storage", Collect: task.Storage},
	} {
		i := slices.IndexFunc(collectors, func(other serve.Collector) bool { return other.Name == c.Name })
		if i < 0 {
			collectors = append(collectors, c)
			continue
		}
		former := collectors[i].Collect
		collectors[i].Collect = func(ctx context.Context, w *family.Writer) error {
			return errors.Join(former(ctx, w), c.Collect(ctx, w))
		}
	}
	return collectors
}
