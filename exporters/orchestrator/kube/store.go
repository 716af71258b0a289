package kube

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
)

// maxRecord bounds what is kept of one object. The text of an honest one is far
// below: an EndpointSlice of a thousand endpoints has some 300 KB.
const maxRecord = 4 << 20

// Store keeps the text of the series of one resource's objects, made once a change. It
// is a sink of package watch.
type Store struct {
	resource string
	families []generated
	owns     func(resource string, obj runtime.Object) bool // whether the object is this shard's
	scratch  sync.Pool

	mu     sync.RWMutex
	places map[watch.Key]place
	groups []group
	free   []place
	press  press
}

// place is where an object is.
type place struct {
	group int32
	slot  int8
}

func newStore(r resource, owns func(string, runtime.Object) bool) *Store {
	s := &Store{
		resource: r.name, families: r.families, owns: owns, places: map[watch.Key]place{},
		press: press{families: len(r.families), series: make([]int, len(r.families))},
	}
	s.scratch.New = func() any { return &scratch{} }
	return s
}

// Reduce makes an object's record, nil for one of another shard's.
func (s *Store) Reduce(obj runtime.Object) any {
	if !s.owns(s.resource, obj) {
		return nil
	}
	at := s.scratch.Get().(*scratch)
	defer s.scratch.Put(at)
	families := at.families[:0]
	for i := range s.families {
		f := s.families[i].generator.Generate(obj)
		families = append(families, f)
	}
	r := at.record(families)
	clear(families)
	at.families = families
	if len(r) > maxRecord {
		panic(fmt.Sprintf("its series have %d bytes, which is more than one object may have", len(r)))
	}
	return r
}

// Replace takes all objects, neighbours in one namespace and of one name together.
func (s *Store) Replace(all map[watch.Key]any) {
	keys := slices.SortedFunc(maps.Keys(all), func(a, b watch.Key) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	press := press{families: len(s.families), series: make([]int, len(s.families))}
	places := make(map[watch.Key]place, len(keys))
	groups := make([]group, 0, (len(keys)+slots-1)/slots)
	records := make([]record, 0, slots)
	for part := range slices.Chunk(keys, slots) {
		records = records[:0]
		for slot, k := range part {
			places[k] = place{group: int32(len(groups)), slot: int8(slot)}
			records = append(records, all[k].(record))
		}
		groups = append(groups, press.of(records))
	}
	var free []place
	for slot := len(records); slot > 0 && slot < slots; slot++ {
		free = append(free, place{group: int32(len(groups) - 1), slot: int8(slot)})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places, s.groups, s.free, s.press = places, groups, free, press
}

// Set takes an object.
func (s *Store) Set(k watch.Key, kept any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.places[k]
	if !ok {
		p = s.room()
		s.places[k] = p
	}
	s.groups[p.group] = s.press.with(s.groups[p.group], int(p.slot), kept.(record))
}

// room is a place that is free.
func (s *Store) room() place {
	if len(s.free) == 0 {
		for slot := slots - 1; slot >= 0; slot-- {
			s.free = append(s.free, place{group: int32(len(s.groups)), slot: int8(slot)})
		}
		s.groups = append(s.groups, "")
	}
	last := len(s.free) - 1
	p := s.free[last]
	s.free = s.free[:last]
	return p
}

// Delete forgets an object.
func (s *Store) Delete(k watch.Key, _ any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.places[k]
	if !ok {
		return
	}
	delete(s.places, k)
	s.free = append(s.free, p)
	s.groups[p.group] = s.press.with(s.groups[p.group], int(p.slot), "")
}

// view is what a store has at one time.
type view struct {
	families []generated
	objects  int
	groups   []group
	series   []int
}

func (s *Store) view() view {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return view{families: s.families, objects: len(s.places), groups: slices.Clone(s.groups), series: slices.Clone(s.press.series)}
}

// lines makes the text of a family.
func (v view) lines(i int) family.Lines {
	name := v.families[i].Name
	return func(b []byte, full func([]byte) ([]byte, error)) ([]byte, error) {
		var err error
		for _, g := range v.groups {
			b = g.appendTo(b, i, len(v.families), name)
			if b, err = full(b); err != nil {
				return b, err
			}
		}
		return b, nil
	}
}

// write adds all families to a writer. As kube-state-metrics it serves the headers of
// families without series, as long as the resource has objects.
func (v view) write(w *family.Writer) {
	if v.objects == 0 {
		return
	}
	for i, f := range v.families {
		w.Series(f.Family).Render(v.series[i], v.lines(i))
	}
}
