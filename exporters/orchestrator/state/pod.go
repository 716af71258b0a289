package state

import (
	"context"
	"time"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/family"
)

func (s state) pods(_ context.Context, w *family.Writer) error {
	info, phase, overdue := w.Series(metrics.PodInfo), w.Series(metrics.PodPhase), w.Series(metrics.PodOverdue)
	now := time.Now()
	for _, from := range s.sources {
		from.Pods(func(x *model.Pod) {
			b := family.NewBlock(metrics.PodLabels, []string{x.Orchestrator, x.Namespace, x.Pod, x.Name, x.Type})
			info.AddBlock(b, 1, x.Node, x.UID, x.QoS, yesNo(x.HostNetwork))
			word(phase, b, x.Phase)
			if !x.Overdue.IsZero() && x.Overdue.Before(now) {
				overdue.AddBlock(b, now.Sub(x.Overdue).Seconds(), string(x.Phase))
			}
		})
	}
	return nil
}

// yesNo is a label's value: empty for what is not known.
func yesNo(c model.Count) string {
	switch {
	case !c.Known:
		return ""
	case c.N != 0:
		return "true"
	}
	return "false"
}

func (s state) containers(_ context.Context, w *family.Writer) error {
	image, waiting, reason := w.Series(metrics.ContainerImage), w.Series(metrics.ContainerWaiting), w.Series(metrics.ContainerLastReason)
	last := newRows(w, []row[*model.Termination]{
		{metrics.ContainerLastExitCode, func(x *model.Termination) (float64, bool) { return amount(x.ExitCode) }},
		{metrics.ContainerLastSignal, func(x *model.Termination) (float64, bool) { return amount(x.Signal) }},
		{metrics.ContainerLastTime, func(x *model.Termination) (float64, bool) { return seconds(x.At) }},
	})
	for _, from := range s.sources {
		from.Pods(func(x *model.Pod) {
			for i := range x.Containers {
				c := &x.Containers[i]
				b := family.NewBlock(metrics.ContainerLabels, []string{x.Orchestrator, x.Namespace, x.Pod, c.Name, x.Name, x.Type})
				image.AddBlock(b, 1, c.Image, c.Digest, c.Kind)
				word(waiting, b, c.Waiting)
				if c.Last.Reason != "" {
					word(reason, b, c.Last.Reason)
					last.add(b, &c.Last)
				}
			}
		})
	}
	return nil
}
