package watch

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/watchlist"

	"github.com/loadline-exporters/loadline/internal/source"
)

// resource is one that is watched: a part for each namespace that is watched by
// itself, and the sinks, which know nothing of parts.
type resource struct {
	Resource
	source *source.Source
	logger *slog.Logger
	sinks  []Sink
	parts  []*part

	lists, events, skipped atomic.Int64

	reporting sync.Mutex // so that the last word is the newest

	mu sync.Mutex // held while sinks are told

	logs   sync.Mutex
	logged map[int]string // by sink, what its last panic said
}

func newResource(r Resource, o Options, client any, sinks []Sink) *resource {
	out := &resource{Resource: r, source: source.New(r.Name), logger: o.Logger, sinks: sinks, logged: map[int]string{}}
	namespaces, selector := []string{metav1.NamespaceAll}, ""
	if r.Namespaced {
		selector = o.FieldSelector
		if len(o.Namespaces) > 0 {
			namespaces = o.Namespaces
		}
	}
	for _, ns := range namespaces {
		out.parts = append(out.parts, &part{
			resource: out, namespace: ns, api: r.In(ns), selector: selector, pageSize: o.PageSize,
			noStreams: watchlist.DoesClientNotSupportWatchListSemantics(client),
		})
	}
	return out
}

func (r *resource) run(ctx context.Context) {
	// Readiness waits for every source to be known, not for one that hangs.
	slow := time.AfterFunc(firstAnswer, func() {
		for _, p := range r.parts {
			p.answered(source.Because(source.Timeout, fmt.Errorf("%s were not listed within %v", r.Name, firstAnswer)), true)
		}
	})
	defer slow.Stop()
	var wg sync.WaitGroup
	for _, p := range r.parts {
		wg.Go(func() { p.run(ctx) })
	}
	if len(r.parts) > 1 {
		wg.Go(func() { r.dropStale(ctx) })
	}
	wg.Wait()
}

// fresh says whether there is anything that may be served. Of several parts the stale
// ones are taken from the sinks (dropStale).
func (r *resource) fresh(now time.Time) bool {
	for _, p := range r.parts {
		if p.fresh(now) {
			return true
		}
	}
	return false
}

// reduced is what is kept of an object: what each sink does, in their order. It passes
// through the reflector in the object's place.
type reduced struct {
	key  Key
	kept []any
}

// GetObjectKind is asked by nobody; a list's items must have it.
func (*reduced) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject returns the same, which nobody changes.
func (o *reduced) DeepCopyObject() runtime.Object { return o }

// reduce returns what is kept of an object, and whether any sink keeps anything.
func (r *resource) reduce(obj runtime.Object) (*reduced, bool) {
	m, err := meta.Accessor(obj)
	if err != nil {
		r.skipped.Add(1)
		return &reduced{}, false
	}
	out := &reduced{key: Key{m.GetNamespace(), m.GetName()}, kept: make([]any, len(r.sinks))}
	keeps := false
	for i, s := range r.sinks {
		r.guard(i, out.key, func() { out.kept[i] = s.Reduce(obj) })
		keeps = keeps || out.kept[i] != nil
	}
	return out, keeps
}

// guard has a sink do something. What an object says is hostile, and a sink that
// panics on it must not end the exporter: the object is left out.
func (r *resource) guard(sink int, k Key, do func()) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		r.skipped.Add(1)
		text := fmt.Sprint(p)
		r.logs.Lock()
		seen := r.logged[sink] == text
		r.logged[sink] = text
		r.logs.Unlock()
		if !seen {
			r.logger.Error("an object could not be taken and is left out", "resource", r.Name, "namespace", k.Namespace, "name", k.Name,
				"panic", text, "stack", string(debug.Stack()))
		}
	}()
	do()
}
