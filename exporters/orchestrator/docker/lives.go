package docker

import (
	"time"

	"github.com/moby/moby/api/types/events"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/internal/dockerclient"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// attributeSignal is what a container was sent. A label may hide it: then its owner
// is wrong about what ended it.
const attributeSignal = "signal"

// killed is the exit code of what SIGKILL has ended.
const killed = 128 + 9

// late is how much later than a container's end the engine may tell that it was the
// OOM killer's doing: the two come to it by different ways.
const late = time.Second

// life is a container between its making, or its start, and its end.
type life struct {
	started bool
	oom     bool        // the OOM killer was in it
	kill    model.Class // what its end is when it was told to end; empty when it was not
}

// end is how a container's process ended.
type end struct {
	at   time.Time
	code int // dockerclient.UnknownExitCode where nobody knows
	oom  bool
}

// open is an end by SIGKILL that nobody told of: it may be the OOM killer's.
type open struct {
	place hierarchy.Place
	told  time.Time
}

// happened is what happened to a container.
type happened struct {
	action events.Action
	at     time.Time
	code   int    // of its end
	signal string // that it was sent
}

// told is what an event tells of: a class, and the reason of an end, if it is one.
type told struct {
	class  model.Class
	of     model.EventType
	reason model.Ended
}

// note remembers what was told of a container, and says what that is.
func (s *Source) note(id string, place hierarchy.Place, h happened) told {
	s.mu.Lock()
	defer s.mu.Unlock()
	bound(s.changed)
	bound(s.lives)
	bound(s.ends)
	bound(s.open)
	s.changed[id] = true
	l := s.lives[id]
	switch h.action {
	case events.ActionCreate:
		s.lives[id] = life{}
		return told{class: model.ContainerCreated, of: model.Normal}
	case events.ActionStart:
		s.lives[id] = life{started: true}
		return told{class: model.ContainerStarted, of: model.Normal}
	case events.ActionOOM:
		return s.oomKilled(id, l)
	case events.ActionKill:
		if l.kill == "" {
			l.kill = killClass(h.signal)
			s.lives[id] = l
		}
	case events.ActionDie:
		return s.ended(id, place, h)
	case events.ActionDestroy:
		delete(s.lives, id)
		delete(s.changed, id)
	case events.ActionHealthStatusUnhealthy:
		return told{class: model.Unhealthy, of: model.Warning}
	}
	return told{}
}

// killClass is what a signal does; empty for one that is to be handled.
func killClass(signal string) model.Class {
	switch signal {
	case "9", "SIGKILL":
		return model.Killed
	case "15", "SIGTERM", "2", "SIGINT", "3", "SIGQUIT":
		return model.ContainerStopped
	}
	return ""
}

// oomKilled says what the OOM killer did in a container: it ends it, or has ended it
// just now. It is called with the lock held.
func (s *Source) oomKilled(id string, l life) told {
	t := told{class: model.ContainerOOM, of: model.Warning}
	if _, ok := s.open[id]; ok {
		delete(s.open, id)
		e := s.ends[id]
		e.oom = true
		s.ends[id] = e
		t.reason = model.EndedOOM
		return t
	}
	l.oom = true
	s.lives[id] = l
	return t
}

// ended says how a container ended. It is called with the lock held.
func (s *Source) ended(id string, place hierarchy.Place, h happened) told {
	l, known := s.lives[id]
	delete(s.lives, id)
	// One of its processes that was killed need not have ended it.
	oom := l.oom && (h.code == killed || h.code == dockerclient.UnknownExitCode)
	s.ends[id] = end{h.at, h.code, oom}
	t := told{of: model.Normal, reason: model.EndedError}
	switch h.code {
	case 0:
		t.reason = model.EndedCompleted
	case dockerclient.UnknownExitCode:
		t.reason = model.EndedUnknown
	}
	switch {
	case known && !l.started && !l.oom && l.kill == "":
		return told{} // it could not be started, which its state tells
	case oom:
		return told{reason: model.EndedOOM} // the event was told already
	case l.kill != "":
		t.class = l.kill
	case h.code == 0:
		t.class = model.ContainerCompleted
	case h.code == killed:
		s.open[id] = open{place, time.Now()}
		return told{}
	default:
		t.class, t.of = model.ContainerDied, model.Warning
	}
	return t
}

// settle counts the ends that were not the OOM killer's after all. It says whether
// others are still open.
func (s *Source) settle() bool {
	s.mu.Lock()
	var settled []open
	for id, o := range s.open {
		if time.Since(o.told) >= late {
			settled = append(settled, o)
			delete(s.open, id)
		}
	}
	left := len(s.open) > 0
	s.mu.Unlock()
	for _, o := range settled {
		s.countTold(o.place, told{model.ContainerDied, model.Warning, model.EndedError})
	}
	return left
}
