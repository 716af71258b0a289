// Package jobs knows which CronJob made a Job, by watching Jobs' metadata.
//
// The kubelet names a pod's Job and not what made it. With the right to list and
// watch Jobs, the owner is known; without it the Job's name has to do.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/loadline-exporters/loadline/internal/source"
)

var gvr = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}

// Watcher keeps the owners of Jobs.
type Watcher struct {
	Source *source.Source

	client  metadata.Interface
	host    string
	logger  *slog.Logger
	changed func()

	mu     sync.Mutex
	owners map[types.NamespacedName]string // a Job's CronJob, empty when it has none
}

// New returns a watcher for the API server that kubeconfig names, or, when it is
// empty, the one of the cluster this runs in. Without either the source is absent.
// A kubeconfig that can't be used is an error.
func New(kubeconfig string, logger *slog.Logger, changed func()) (*Watcher, error) {
	w := &Watcher{Source: source.New("kubernetes-jobs"), logger: logger, changed: changed, owners: map[types.NamespacedName]string{}}
	config, err := config(kubeconfig)
	if err != nil {
		if kubeconfig != "" {
			return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfig, err)
		}
		w.Source.Report(source.Because(source.Absent, errors.New("no kubeconfig was given or found, and this does not run in a cluster")), "")
		return w, nil
	}
	config.UserAgent = "loadline"
	config.Timeout = 0 // watches last
	w.host = config.Host
	w.client, err = metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig %s: %w", kubeconfig, err)
	}
	return w, nil
}

func config(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return rest.InClusterConfig()
	}
	return clientcmd.BuildConfigFromFlags("", kubeconfig)
}

// CronJobOf returns the CronJob that made a Job; ok is false for a Job that is not
// known.
func (w *Watcher) CronJobOf(namespace, job string) (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name, ok := w.owners[types.NamespacedName{Namespace: namespace, Name: job}]
	return name, ok
}

// firstAnswer is how long the API server may take before the source counts as
// timed out, so that readiness does not wait for it for ever.
const firstAnswer = 10 * time.Second

// Run watches until the context ends.
func (w *Watcher) Run(ctx context.Context) {
	if w.client == nil {
		return
	}
	informer := cache.NewSharedInformer(w.listWatch(), &metav1.PartialObjectMetadata{}, 0)
	handlers := cache.ResourceEventHandlerFuncs{
		AddFunc:    w.set,
		UpdateFunc: func(_, o any) { w.set(o) },
		DeleteFunc: w.remove,
	}
	failure := func(_ context.Context, _ *cache.Reflector, err error) {
		// A watch that ends, or whose history is gone, is begun anew.
		if !errors.Is(err, io.EOF) && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			w.report(because(err))
		}
	}
	for _, err := range []error{
		informer.SetTransform(onlyOwner),
		informer.SetWatchErrorHandlerWithContext(failure),
	} {
		if err != nil {
			w.report(err)
			return
		}
	}
	registration, err := informer.AddEventHandler(handlers)
	if err != nil {
		w.report(err)
		return
	}
	slow := time.AfterFunc(firstAnswer, func() {
		if !w.Source.Ready() {
			w.report(source.Because(source.Timeout, fmt.Errorf("%s has not answered yet", w.host)))
		}
	})
	defer slow.Stop()
	go func() {
		if cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
			w.changed()
		}
	}()
	informer.RunWithContext(ctx)
}

// listWatch lists and watches, and takes each watch that begins as a sign of life.
func (w *Watcher) listWatch() *cache.ListWatch {
	jobs := w.client.Resource(gvr)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return jobs.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			i, err := jobs.Watch(ctx, o)
			if err == nil {
				w.report(nil)
			}
			return i, err
		},
	}
}

func (w *Watcher) report(err error) {
	if w.Source.Report(err, w.host) {
		w.logger.Info("source changed", "from", "kubernetes-jobs", "reason", w.Source.Status().Reason, "err", err)
	}
}

func because(err error) error {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return source.Because(source.Forbidden, err)
	}
	return err
}

// onlyOwner drops all of a Job's metadata but what is used.
func onlyOwner(o any) (any, error) {
	if m, ok := o.(*metav1.PartialObjectMetadata); ok {
		m.Labels, m.Annotations, m.ManagedFields, m.Finalizers = nil, nil, nil, nil
	}
	return o, nil
}

func (w *Watcher) set(o any) {
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	name := ""
	if owner := metav1.GetControllerOfNoCopy(m); owner != nil && owner.Kind == "CronJob" {
		name = owner.Name
	}
	w.mu.Lock()
	w.owners[types.NamespacedName{Namespace: m.Namespace, Name: m.Name}] = name
	w.mu.Unlock()
}

func (w *Watcher) remove(o any) {
	if d, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = d.Obj
	}
	if m, ok := o.(*metav1.PartialObjectMetadata); ok {
		w.mu.Lock()
		delete(w.owners, types.NamespacedName{Namespace: m.Namespace, Name: m.Name})
		w.mu.Unlock()
	}
}
