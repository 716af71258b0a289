package events

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
)

// doubt is the end of a process of which the status may yet say something else:
// containerd hears of a kill for memory and of the end by different ways, and the
// kubelet may look in between.
type doubt struct {
	pod       watch.Key
	uid       types.UID
	container string
	id        uint64
	ref       model.Ref
	since     time.Time
}

const (
	doubtFor   = 15 * time.Second // longer than until the kubelet starts it again
	mostDoubts = 10_000
)

// settle counts ends as far as it is known by now how they were, or long enough ago.
func (s *podSink) settle(now time.Time) {
	still := s.doubts[:0]
	for _, d := range s.doubts {
		e, known := s.endOf(d)
		if known && e.killed && now.Sub(d.since) < doubtFor {
			still = append(still, d)
			continue
		}
		s.recorder.options.Counts.Add(metrics.Terminations, d.ref, 1, d.container, string(e.how))
	}
	clear(s.doubts[len(still):])
	s.doubts = still
}

// endOf is what a pod says of an end by now; an error, if it says nothing of it any more.
func (s *podSink) endOf(d doubt) (e end, known bool) {
	if p := s.known[d.pod]; p != nil && p.uid == d.uid {
		for i := range p.containers {
			for _, e := range p.containers[i].last {
				if p.containers[i].name == d.container && e.id == d.id {
					return e, true
				}
			}
		}
	}
	return end{how: model.EndedError}, false
}
