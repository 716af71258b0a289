package kubernetes

import (
	"cmp"
	"slices"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime"
)

// sink keeps what is of use of the objects of one resource.
type sink[T any] struct {
	cluster  *Cluster
	resource string
	reduce   func(obj runtime.Object) *T
	// changed, if set, is told what was kept and what is now; nil is not there. It is
	// called with the cluster's lock held, before the change is seen by others.
	changed func(k key, was, is *T)

	kept   map[key]*T
	listed bool // there was a list: what appears from now on is new
	order  atomic.Pointer[[]entry[T]]
}

// entry is one object of a sink.
type entry[T any] struct {
	key
	kept *T
}

func newSink[T any](c *Cluster, resource string, reduce func(runtime.Object) *T, changed func(k key, was, is *T)) *sink[T] {
	if changed == nil {
		changed = func(key, *T, *T) {}
	}
	return &sink[T]{cluster: c, resource: resource, reduce: reduce, changed: changed, kept: map[key]*T{}}
}

// Reduce returns what is kept of an object.
func (s *sink[T]) Reduce(obj runtime.Object) any {
	if kept := s.reduce(obj); kept != nil {
		return kept
	}
	return nil
}

// Replace takes a list.
func (s *sink[T]) Replace(all map[key]any) {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	for k, was := range s.kept {
		if _, ok := all[k]; !ok {
			s.changed(k, was, nil)
			delete(s.kept, k)
		}
	}
	for k, kept := range all {
		s.set(k, kept)
	}
	s.listed = true
	s.order.Store(nil)
}

// Set takes an object that was added or has changed.
func (s *sink[T]) Set(k key, kept any) {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	s.set(k, kept)
}

func (s *sink[T]) set(k key, kept any) {
	is, ok := kept.(*T)
	if !ok {
		return
	}
	was := s.kept[k]
	if was == is {
		return // of a list in parts, of which another has changed
	}
	s.changed(k, was, is)
	s.kept[k] = is
	s.order.Store(nil)
}

// Delete forgets an object, once what it came to is known.
func (s *sink[T]) Delete(k key, last any) {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	s.set(k, last)
	if was := s.kept[k]; was != nil {
		s.changed(k, was, nil)
		delete(s.kept, k)
		s.order.Store(nil)
	}
}

// sorted are the objects by namespace and name, so that series keep their order and
// what is alike stands together: that is read and compressed faster. Nothing, while
// what is known may not be served. The cluster's lock is held.
func (s *sink[T]) sorted() []entry[T] {
	if !s.cluster.fresh(s.resource) {
		return nil
	}
	if order := s.order.Load(); order != nil {
		return *order
	}
	order := make([]entry[T], 0, len(s.kept))
	for k, kept := range s.kept {
		order = append(order, entry[T]{k, kept})
	}
	slices.SortFunc(order, func(a, b entry[T]) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	s.order.Store(&order)
	return order
}
