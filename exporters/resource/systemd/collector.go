package systemd

import (
	"context"
	"maps"
	"slices"

	"github.com/loadline-exporters/loadline/exporters/resource/metrics"
	"github.com/loadline-exporters/loadline/internal/family"
)

// Collector serves the last snapshot.
type Collector struct {
	Get func() (*Snapshot, bool) // false for none that is fresh
}

// Collect adds the series of the snapshot. That there is none is no error: the
// source says why.
func (c Collector) Collect(_ context.Context, w *family.Writer) error {
	s, ok := c.Get()
	if !ok {
		return nil
	}
	w.Series(metrics.NodeSystemdVersion).Add(s.Version, s.VersionText)
	w.Series(metrics.NodeSystemdVirtualization).Add(1, s.Virtualization)
	if s.Running != nil {
		w.Series(metrics.NodeSystemdRunning).Add(truth(*s.Running))
	}
	for _, state := range slices.Sorted(maps.Keys(s.States)) {
		w.Series(metrics.NodeSystemdUnits).Add(float64(s.States[state]), state)
	}
	for _, u := range s.Units {
		add(w, u)
	}
	return nil
}

func add(w *family.Writer, u Unit) {
	for _, state := range states {
		w.Series(metrics.NodeSystemdUnitState).Add(truth(u.State == state), u.Name, state, u.Type)
	}
	const microsecond = 1e6
	for _, v := range []struct {
		family *family.Family
		value  *uint64
		unit   float64
	}{
		{metrics.NodeSystemdServiceRestarts, u.Restarts, 1},
		{metrics.NodeSystemdUnitStartTime, u.Start, microsecond},
		{metrics.NodeSystemdUnitTasks, u.Tasks, 1},
		{metrics.NodeSystemdUnitTasksMax, u.TasksMax, 1},
		{metrics.NodeSystemdTimerLastTrigger, u.LastTrigger, microsecond},
		{metrics.NodeSystemdSocketAccepted, u.Accepted, 1},
		{metrics.NodeSystemdSocketConnections, u.Connections, 1},
		{metrics.NodeSystemdSocketRefused, u.Refused, 1},
	} {
		if v.value != nil {
			w.Series(v.family).Add(float64(*v.value)/v.unit, u.Name)
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
