package container

import (
	"container/list"
	"sync"
	"time"
)

// Bounds of what is remembered of an engine's events.
const (
	// endedFor is how long a container is remembered after its end: until whoever
	// counts what it did has asked for its name.
	endedFor = 2 * time.Minute
	// createdFor is how long one is remembered of which no end is told: for longer
	// it is known by listings, or was never started.
	createdFor  = 10 * time.Minute
	recentCount = 4096
	recentBytes = 16 << 20 // of names and labels
)

// Recent remembers the containers that an engine told of lately, so that those
// have names that came and went between two listings. It is safe for concurrent
// use.
type Recent struct {
	mu     sync.Mutex
	byKey  map[string]*list.Element
	oldest *list.List // of *recent, by the time of the last event
	bytes  int
}

// recent is one container.
type recent struct {
	key    string
	engine Engine
	ended  bool
	until  time.Time
	bytes  int
}

// NewRecent returns an empty memory.
func NewRecent() *Recent {
	return &Recent{byKey: map[string]*list.Element{}, oldest: list.New()}
}

// Take remembers what an event says.
func (r *Recent) Take(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	next := &recent{key: e.Key, ended: e.Kind == Ended}
	former := r.byKey[e.Key]
	switch {
	case e.Engine != nil:
		next.engine = *e.Engine
	case former != nil:
		next.engine = former.Value.(*recent).engine
	default:
		return // it is not known what ended, and listings don't say it any more
	}
	if e.Kind == OOMKilled && former != nil {
		next.ended = former.Value.(*recent).ended
	}
	next.until = now.Add(createdFor)
	if next.ended {
		next.until = now.Add(endedFor)
	}
	next.bytes = sizeOf(next)
	if former != nil {
		r.remove(former)
	}
	r.byKey[e.Key] = r.oldest.PushBack(next)
	r.bytes += next.bytes
	for r.oldest.Len() > recentCount || r.bytes > recentBytes {
		r.remove(r.oldest.Front())
	}
}

// forget removes what is due.
func (r *Recent) forget(now time.Time) {
	for at := r.oldest.Front(); at != nil; {
		next := at.Next()
		if !now.Before(at.Value.(*recent).until) {
			r.remove(at)
		}
		at = next
	}
}

func (r *Recent) remove(at *list.Element) {
	gone := r.oldest.Remove(at).(*recent)
	delete(r.byKey, gone.key)
	r.bytes -= gone.bytes
}

// sizeOf is about what a container takes in memory.
func sizeOf(r *recent) int {
	e := &r.engine
	n := 256 + len(r.key) + len(e.ID) + len(e.Name) + len(e.Image) + len(e.CgroupsPath)
	for name, value := range e.Labels {
		n += 64 + len(name) + len(value)
	}
	return n
}

// each calls f with the key of each container that is remembered, what the engine
// said of it, and whether it has ended.
func (r *Recent) each(f func(key string, e Engine, ended bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(time.Now())
	for at := r.oldest.Front(); at != nil; at = at.Next() {
		c := at.Value.(*recent)
		f(c.key, c.engine, c.ended)
	}
}
