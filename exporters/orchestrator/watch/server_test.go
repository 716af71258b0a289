package watch

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// server is an API server's pods of one namespace, as far as a reflector can tell.
type server struct {
	namespace string
	noStreams bool // it is too old to stream lists
	ended     int  // the history before this is gone

	mu       sync.Mutex
	rv       int
	pods     map[string]*corev1.Pod
	history  []change
	watches  []*watch.RaceFreeFakeWatcher
	err      error // what every request is answered with
	watchErr error // what watches are answered with
	breaks   bool  // lists that are streamed break off
	asked    []ListOptions
	onPage   func()
}

type change struct {
	rv int
	watch.Event
}

func newServer(namespace string, names ...string) *server {
	s := &server{namespace: namespace, pods: map[string]*corev1.Pod{}}
	for _, n := range names {
		s.set(n)
	}
	return s
}

// resource has the servers' objects, a server a namespace.
func podsOf(servers ...*server) Resource {
	return Resource{Name: "pods", Object: &corev1.Pod{}, Namespaced: true, In: func(ns string) ListWatcher {
		return servers[slices.IndexFunc(servers, func(s *server) bool { return s.namespace == ns })]
	}}
}

func (s *server) set(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rv++
	kind := watch.Modified
	if s.pods[name] == nil {
		kind = watch.Added
	}
	s.pods[name] = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.namespace, Name: name, ResourceVersion: strconv.Itoa(s.rv), Generation: int64(s.rv),
	}}
	s.tell(kind, s.pods[name])
}

func (s *server) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rv++
	p := s.pods[name].DeepCopy()
	p.ResourceVersion = strconv.Itoa(s.rv)
	delete(s.pods, name)
	s.tell(watch.Deleted, p)
}

func (s *server) tell(kind watch.EventType, p *corev1.Pod) {
	s.history = append(s.history, change{s.rv, watch.Event{Type: kind, Object: p}})
	for _, w := range s.watches {
		w.Action(kind, p)
	}
}

// compact forgets what happened.
func (s *server) compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = s.rv
}

// fail has all requests fail, or none; watches that are open end.
func (s *server) fail(err error) {
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	s.closeWatches()
}

// sayInWatches tells an error in the watches that are open.
func (s *server) sayInWatches(err *apierrors.StatusError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.watches {
		w.Error(&err.ErrStatus)
	}
	s.watches = nil
}

func (s *server) closeWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.watches {
		w.Stop()
	}
	s.watches = nil
}

// requests counts requests: lists, lists that are streamed, watches.
func (s *server) requests() (lists, streams, watches int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.asked {
		switch {
		case o.SendInitialEvents != nil:
			streams++
		case o.AllowWatchBookmarks:
			watches++
		default:
			lists++
		}
	}
	return lists, streams, watches
}

// List answers a page at a time.
func (s *server) List(_ context.Context, o ListOptions) (runtime.Object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, o)
	if s.err != nil {
		return nil, s.err
	}
	if s.onPage != nil {
		s.onPage()
	}
	begin := 0
	if o.Continue != "" {
		begin, _ = strconv.Atoi(o.Continue)
	}
	if begin < s.ended {
		return nil, apierrors.NewResourceExpired("the token is too old")
	}
	out := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(s.rv)}}
	for i, name := range s.names() {
		switch {
		case i < begin:
		case o.Limit > 0 && len(out.Items) == int(o.Limit):
			out.Continue = strconv.Itoa(i)
			return out, nil
		default:
			out.Items = append(out.Items, *s.pods[name])
		}
	}
	return out, nil
}

func (s *server) names() []string {
	var out []string
	for n := range s.pods {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// Watch streams, after a list if that is asked for.
func (s *server) Watch(_ context.Context, o ListOptions) (Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, o)
	if err := cmpErr(s.err, s.watchErr); err != nil {
		return nil, err
	}
	w := watch.NewRaceFreeFake()
	if o.SendInitialEvents != nil {
		if s.noStreams {
			return nil, apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Pod").GroupKind(), "", nil)
		}
		for _, n := range s.names() {
			w.Add(s.pods[n])
		}
		if s.breaks {
			w.Stop()
			return w, nil
		}
		w.Action(watch.Bookmark, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			ResourceVersion: strconv.Itoa(s.rv), Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"},
		}})
	} else {
		since, err := strconv.Atoi(o.ResourceVersion)
		if err != nil {
			return nil, fmt.Errorf("no resource version: %w", err)
		}
		if since < s.ended {
			return nil, apierrors.NewResourceExpired("too old")
		}
		for _, c := range s.history {
			if c.rv > since {
				w.Action(c.Type, c.Object)
			}
		}
	}
	s.watches = append(s.watches, w)
	return w, nil
}

func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// book is a sink that writes down the generation of each object.
type book struct {
	mu       sync.Mutex
	now      map[Key]any
	replaced int
	refuses  string // the name of an object that it panics on
	ignores  string // the name of one that it keeps nothing of
}

func (b *book) Reduce(obj runtime.Object) any {
	p := obj.(*corev1.Pod)
	switch p.Name {
	case b.refuses:
		panic("odd")
	case b.ignores:
		return nil
	}
	return p.Generation
}

func (b *book) Replace(all map[Key]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = all
	b.replaced++
}

func (b *book) Set(k Key, kept any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now[k] = kept
}

func (b *book) Delete(k Key, _ any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.now, k)
}

// String is what is known, in order.
func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for k, v := range b.now {
		out = append(out, fmt.Sprintf("%s/%s@%d", k.Namespace, k.Name, v))
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}
