package events

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
)

// object is what an event is about.
type object struct {
	kind string
	watch.Key
	uid types.UID
}

// maxName bounds what is kept of names: the API server takes any in what an event is
// about, and no object has a longer one.
const maxName = 253

func objectOf(r *corev1.ObjectReference) object {
	if max(len(r.Kind), len(r.Namespace), len(r.Name), len(r.UID)) > maxName {
		return object{}
	}
	return object{r.Kind, watch.Key{Namespace: r.Namespace, Name: r.Name}, r.UID}
}

// event is what is kept of an event until it is counted.
type event struct {
	uid     types.UID
	version uint64
	created int64 // in seconds since 1970
	first   int64 // of the first occurrence, 0 if it does not say
	last    time.Time
	n       int64 // occurrences so far
	about   object
	class   model.Class
	kindOf  model.EventType
	pull    Pull // if it tells of one that succeeded
}

// seen is what is kept of an event that is counted.
type seen struct {
	uid types.UID
	n   int64
}

// Deleted events are remembered for some time: client-go makes an event anew, under
// its former name and with the count going on, when the API server has forgotten it.
const (
	keepDeleted = 10 * time.Minute
	mostDeleted = 5000
)

// made anew is an event that was first recorded so long before it was made. client-go
// tries for two minutes to record one.
const madeAnew = 5 * time.Minute

// eventSink counts events. The core API shows those of events.k8s.io too.
type eventSink struct {
	recorder *Recorder
	novelty  novelty
	known    map[watch.Key]seen
	deleted  departed[watch.Key, seen]
}

func newEventSink(r *Recorder) *eventSink {
	return &eventSink{
		recorder: r, known: map[watch.Key]seen{},
		deleted: departed[watch.Key, seen]{keep: keepDeleted, most: mostDeleted},
	}
}

// Reduce classifies an event.
func (s *eventSink) Reduce(obj runtime.Object) any {
	e, ok := obj.(*corev1.Event)
	if !ok {
		return nil
	}
	out := &event{
		uid: e.UID, version: versionOf(e), created: e.CreationTimestamp.Unix(), n: max(1, int64(e.Count)),
		about: objectOf(&e.InvolvedObject),
		class: Classify(e), kindOf: typeOf(e.Type), last: e.CreationTimestamp.Time,
	}
	switch {
	case !e.FirstTimestamp.IsZero():
		out.first, out.last = e.FirstTimestamp.Unix(), e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		out.first, out.last = e.EventTime.Unix(), e.EventTime.Time
	}
	if e.Series != nil {
		out.n = max(out.n, int64(e.Series.Count))
		out.last = e.Series.LastObservedTime.Time
	}
	if out.class == model.PullSucceeded {
		out.pull, _ = ParsePulled(happeningOf(e).message)
	}
	return out
}

// Replace takes a list: the first is where counting begins.
func (s *eventSink) Replace(all map[watch.Key]any) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	isNew, now := s.novelty.list(), time.Now()
	for k, was := range s.known {
		if _, ok := all[k]; !ok {
			s.forget(k, was, now)
		}
	}
	for k, kept := range all {
		if e, ok := kept.(*event); ok {
			s.take(k, e, isNew(e.created, e.version))
		}
	}
}

// Set takes an event that was added or has changed.
func (s *eventSink) Set(k watch.Key, kept any) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	if e, ok := kept.(*event); ok {
		s.take(k, e, true)
	}
}

// Delete forgets an event.
func (s *eventSink) Delete(k watch.Key, _ any) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	if was, ok := s.known[k]; ok {
		s.forget(k, was, time.Now())
	}
}

func (s *eventSink) forget(k watch.Key, was seen, now time.Time) {
	delete(s.known, k)
	s.deleted.add(k, was, now)
}

func (s *eventSink) take(k watch.Key, e *event, isNew bool) {
	was, ok := s.known[k]
	if !ok {
		was, ok = s.deleted.get(k)
	}
	n := int64(0)
	switch {
	case ok:
		n = e.since(was)
	case isNew && e.first > 0 && time.Duration(e.created-e.first)*time.Second > madeAnew:
		n = 1
	case isNew:
		n = e.n
	}
	if was.uid == e.uid {
		s.known[k] = seen{e.uid, max(was.n, e.n)}
	} else {
		s.known[k] = seen{e.uid, e.n}
	}
	s.novelty.saw(e.version)
	if n > 0 {
		s.recorder.happened(e, n)
	}
}

// since is how often an event has occurred since it was seen, or one of its name.
func (e *event) since(was seen) int64 {
	if n := e.n - was.n; n > 0 || e.uid == was.uid {
		return max(0, n)
	}
	return e.n
}
