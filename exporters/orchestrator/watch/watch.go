// Package watch lists and watches the objects of an API server, each resource once
// for everybody who wants to know of it.
//
// An object is decoded, handed to every Sink's Reduce while it streams in, and
// dropped: only what sinks keep of it stays. A list is streamed where the API server
// offers that (WatchList, Kubernetes 1.32) and comes in pages otherwise; either way a
// sink is told of it as a whole, when it is complete.
//
// A resource that may not be read, or that the API server does not have, costs itself
// alone: its source says why, the others go on, and it is tried again.
package watch

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/loadline-exporters/loadline/internal/source"
)

// Key names an object of a resource. One that was deleted and made anew has the key of
// the former: a sink that has to tell them apart keeps the UID.
type Key struct{ Namespace, Name string }

// Sink keeps what it needs of each object of one resource; the object itself is not
// kept. Replace, Set and Delete are called one after the other.
type Sink interface {
	// Reduce returns what is kept of an object, nil for nothing. It is called while
	// objects stream in, possibly at the same time as everything else; it must neither
	// change the object nor keep any part of it but strings. If it panics nothing is
	// kept of the object.
	Reduce(obj runtime.Object) any
	// Replace says what is there now, all of it: a list, to be swapped at once. The map
	// is the sink's.
	Replace(all map[Key]any)
	// Set says that an object was added or has changed; kept is never nil.
	Set(k Key, kept any)
	// Delete says that an object has gone, or that nothing is kept of it any more. kept
	// is made of the object's last state, or nil. The object need not be known.
	Delete(k Key, kept any)
}

// ListWatcher reads one resource.
type ListWatcher interface {
	List(ctx context.Context, o ListOptions) (runtime.Object, error)
	Watch(ctx context.Context, o ListOptions) (Stream, error)
}

// Resource is what is watched.
type Resource struct {
	Name       string         // in the plural, as in a path: "pods"; its source's name
	Object     runtime.Object // of the type that the client decodes to
	Namespaced bool
	In         func(namespace string) ListWatcher // its objects in a namespace, "" for all
}

// Options say what of the resources is watched.
type Options struct {
	// Namespaces to watch, each by a request of its own, so that rights to these alone
	// are enough; empty for all. Resources that are in no namespace are watched whole.
	Namespaces []string
	// FieldSelector chooses among the objects of resources that are in namespaces.
	FieldSelector string
	// PageSize is how many objects a page has where lists are not streamed; 0 for the
	// usual.
	PageSize int64
	Logger   *slog.Logger
}

// usualPageSize is client-go's.
const usualPageSize = 500

// Watcher watches resources and tells sinks of them.
type Watcher struct {
	options   Options
	known     map[string]Resource
	client    kubernetes.Interface
	resources []*resource
}

// New returns a watcher of the API server that client asks (see NewClients).
func New(client kubernetes.Interface, o Options) *Watcher {
	if o.PageSize == 0 {
		o.PageSize = usualPageSize
	}
	w := &Watcher{options: o, client: client, known: map[string]Resource{}}
	for _, r := range builtIn(client) {
		w.known[r.Name] = r
	}
	return w
}

// Add watches one of Kubernetes' own resources, named in the plural, for sinks. A
// resource may be added several times, for more sinks, before Run. An unknown name is
// an error.
func (w *Watcher) Add(name string, sinks ...Sink) error {
	r, ok := w.known[name]
	if !ok {
		return fmt.Errorf("there is no resource %q that can be watched", name)
	}
	w.AddResource(r, sinks...)
	return nil
}

// AddResource watches any resource, such as one that an extension defines.
func (w *Watcher) AddResource(r Resource, sinks ...Sink) {
	if known := w.find(r.Name); known != nil {
		known.sinks = append(known.sinks, sinks...)
		return
	}
	w.resources = append(w.resources, newResource(r, w.options, w.client, sinks))
}

func (w *Watcher) find(name string) *resource {
	i := slices.IndexFunc(w.resources, func(r *resource) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return w.resources[i]
}

// Run watches until the context ends.
func (w *Watcher) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, r := range w.resources {
		wg.Go(func() { r.run(ctx) })
	}
	wg.Wait()
}

// Sources says of each resource whether it can be read; their names are the resources'.
func (w *Watcher) Sources() []*source.Source {
	out := make([]*source.Source, 0, len(w.resources))
	for _, r := range w.resources {
		out = append(out, r.source)
	}
	return out
}

// Fresh says whether what sinks were told of a resource may be served: it was listed,
// and is being watched or was until two minutes ago. A watch in which nothing happens
// keeps it fresh. After a longer time without contact sinks still have what they were
// told, because the watch may go on where it ended; it is only not to be served.
func (w *Watcher) Fresh(name string) bool {
	r := w.find(name)
	return r != nil && r.fresh(time.Now())
}

// Count is what happened to a resource since the start.
type Count struct {
	Resource string
	Lists    int64 // lists that were complete
	Events   int64 // objects that were added, changed or deleted, without lists
	Skipped  int64 // times that a sink could not take an object, because it panicked
}

// Counts says what happened, by resource.
func (w *Watcher) Counts() []Count {
	out := make([]Count, 0, len(w.resources))
	for _, r := range w.resources {
		out = append(out, Count{Resource: r.Name, Lists: r.lists.Load(), Events: r.events.Load(), Skipped: r.skipped.Load()})
	}
	return out
}
