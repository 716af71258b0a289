package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metainternal "k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/loadline-exporters/loadline/internal/source"
)

const (
	pageDeadline = time.Minute      // of one page of a list
	openDeadline = 30 * time.Second // of a watch, until it is open
	firstAnswer  = time.Minute      // of a resource, until its source is said to time out
	staleCheck   = 5 * time.Second
	mostBroken   = 2 // lists that may break off while they are streamed, before pages are asked for
	leastPause   = time.Second
	mostPause    = 15 * time.Second // so that the API server's return is noticed soon; with jitter it is half as long again
	pausesToCap  = 10
	pausesReset  = 2 * time.Minute // without a failure, after which pauses are short again
)

// part is the objects of a resource in one namespace, or in all: what one reflector
// lists and watches. It is the reflector's store.
type part struct {
	resource  *resource
	namespace string
	api       ListWatcher
	selector  string
	pageSize  int64
	noStreams bool // the client is one of tests

	objects map[Key]*reduced // where there are several parts; guarded by the resource's lock

	mu      sync.Mutex
	asked   bool
	err     error     // how the last request ended
	filled  bool      // a list is complete
	listing *stream   // the watch that is open and streams a list
	open    *stream   // the watch that is open and tells of changes
	last    time.Time // of the last contact, unless a watch is open
	broken  int       // lists that broke off while they were streamed, since the last that was complete
}

// run lists and watches until the context ends.
func (p *part) run(ctx context.Context) {
	silent := klog.Logger{} // what client-go would write to standard error is reported by requests
	ctx = klog.NewContext(ctx, silent)
	pauses := wait.Backoff{Duration: leastPause, Cap: mostPause, Factor: 2, Jitter: 0.5, Steps: pausesToCap}
	r := cache.NewReflectorWithOptions(p.listWatch(), p.resource.Object, p, cache.ReflectorOptions{
		Logger: &silent, Name: p.resource.Name, Backoff: &pauses,
	})
	// The reflector's own loop tells its errors to handlers of the whole process.
	for pause := pauses.DelayWithReset(clock.RealClock{}, pausesReset); ctx.Err() == nil; {
		_ = r.ListAndWatchWithContext(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(pause()):
		}
	}
}

func (p *part) listWatch() cache.ListerWatcher {
	lw := &cache.ListWatch{ListWithContextFunc: p.list, WatchFuncWithContext: p.watch}
	return cache.ToListWatcherWithWatchListSemantics(lw, clientOf(p.noStreams))
}

// clientOf is what the reflector asks whether lists can be streamed.
type clientOf bool

// IsWatchListSemanticsUnSupported says whether the client cannot stream lists.
func (c clientOf) IsWatchListSemanticsUnSupported() bool { return bool(c) }

// list lists in pages, and keeps of each what sinks keep before it asks for the next.
func (p *part) list(ctx context.Context, o ListOptions) (runtime.Object, error) {
	o.FieldSelector, o.Limit = p.selector, p.pageSize
	if o.ResourceVersion == "0" {
		o.ResourceVersion = "" // any state would do, but comes in one piece whatever the limit
	}
	first := o
	out := &metainternal.List{}
	for {
		page, err := p.page(ctx, o)
		if apierrors.IsResourceExpired(err) && o.Continue != "" {
			// It took longer than the API server remembers: all in one piece, then.
			first.Limit, o, out.Items = 0, first, nil
			o.Limit = 0
			continue
		}
		if err != nil {
			p.requested(ctx, err)
			return nil, err
		}
		if err := meta.EachListItem(page, func(obj runtime.Object) error {
			if kept, keeps := p.resource.reduce(obj); keeps {
				out.Items = append(out.Items, kept)
			}
			return nil
		}); err != nil {
			return nil, err
		}
		m, err := meta.ListAccessor(page)
		if err != nil {
			return nil, err
		}
		out.ResourceVersion = m.GetResourceVersion()
		if o.Continue = m.GetContinue(); o.Continue == "" {
			return out, nil
		}
		o.ResourceVersion, o.ResourceVersionMatch = "", "" // the token has it
	}
}

func (p *part) page(ctx context.Context, o ListOptions) (runtime.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, pageDeadline)
	defer cancel()
	return p.api.List(ctx, o)
}

var errStreams = errors.New("lists that are streamed break off: pages are asked for instead")

// watch opens a watch, which may begin with a list that is streamed.
func (p *part) watch(ctx context.Context, o ListOptions) (Stream, error) {
	o.FieldSelector = p.selector
	initial := o.SendInitialEvents != nil
	switch {
	case initial && !p.mayStream():
		return nil, errStreams
	case !initial && !p.isFilled():
		return nil, apierrors.NewResourceExpired("what was listed was dropped")
	}
	limited, cancel := context.WithCancel(ctx)
	slow := time.AfterFunc(openDeadline, cancel)
	w, err := p.api.Watch(limited, o)
	if !slow.Stop() && ctx.Err() == nil {
		if err == nil {
			w.Stop()
		}
		err = source.Because(source.Timeout, fmt.Errorf("watching %s: not answered within %v", p.resource.Name, openDeadline))
	}
	if err != nil {
		cancel()
		// A server that does not stream lists (before Kubernetes 1.32) finds this watch
		// invalid, and is then asked for a list.
		if !initial || !apierrors.IsInvalid(err) {
			p.requested(ctx, err)
		}
		return nil, err
	}
	s := &stream{Stream: w, part: p, cancel: cancel}
	p.opened(s, initial)
	return s, nil
}

// stream is a watch that is open, and says when it ends.
type stream struct {
	Stream
	part   *part
	cancel context.CancelFunc
}

// Stop ends the watch; the reflector calls it also when the API server has ended it.
func (s *stream) Stop() {
	s.Stream.Stop()
	s.cancel()
	s.part.closed(s)
}

// Transformer has lists reduced while they are streamed.
func (p *part) Transformer() cache.TransformFunc {
	return func(o any) (any, error) {
		obj, ok := o.(runtime.Object)
		if !ok {
			return nil, nil
		}
		if kept, keeps := p.resource.reduce(obj); keeps {
			return kept, nil
		}
		return nil, nil
	}
}

// Replace takes a list that is complete. Its items are reduced.
func (p *part) Replace(items []any, _ string) error {
	objects := make([]*reduced, 0, len(items))
	for _, i := range items {
		if o, ok := i.(*reduced); ok {
			objects = append(objects, o)
		}
	}
	p.resource.lists.Add(1)
	p.resource.replace(p, objects)
	p.complete()
	return nil
}

// Add takes an object that was added.
func (p *part) Add(o any) error { return p.Update(o) }

// Update takes an object that has changed.
func (p *part) Update(o any) error {
	if obj, ok := o.(runtime.Object); ok {
		p.resource.set(p, obj)
	}
	return nil
}

// Delete takes an object that has gone.
func (p *part) Delete(o any) error {
	if obj, ok := o.(runtime.Object); ok {
		p.resource.remove(p, obj)
	}
	return nil
}

// Resync does nothing: what sinks keep is not lost.
func (p *part) Resync() error { return nil }
