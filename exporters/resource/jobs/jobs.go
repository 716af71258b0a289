// Package jobs knows which CronJob made a Job, by watching Jobs' metadata.
//
// The kubelet names a pod's Job and not what made it. With the right to list and
// watch Jobs, the owner is known; without it the Job's name has to do.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/loadline-exporters/loadline/internal/source"
)

var gvr = schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "jobs"}

// listDeadline bounds a list, which is paged where it is long.
const listDeadline = 30 * time.Second

// maxMissed bounds the Jobs that are remembered as asked for and not known. A
// node's kubelet names a few hundred.
const maxMissed = 10_000

// Watcher keeps the owners of Jobs.
type Watcher struct {
	Source *source.Source

	client  metadata.Interface
	host    string
	logger  *slog.Logger
	changed func()
	jobs    cache.SharedInformer // of trimmed *metav1.PartialObjectMetadata
	// firstAnswer is how long the API server may take before the source counts as
	// timed out, so that readiness does not wait for it for ever.
	firstAnswer time.Duration

	mu     sync.Mutex
	missed map[string]bool // keys of Jobs that were asked for and not known
}

// New returns a watcher for the API server that kubeconfig names, or, when it is
// empty, the one of the cluster this runs in. Without either the source is absent.
// A kubeconfig that can't be used is an error. changed is called when a Job becomes
// known that was asked for before.
func New(kubeconfig string, logger *slog.Logger, changed func()) (*Watcher, error) {
	w := &Watcher{
		Source: source.New("kubernetes-jobs"), logger: logger, changed: changed,
		firstAnswer: 10 * time.Second, missed: map[string]bool{},
	}
	config, err := Config(kubeconfig)
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
	return w, w.makeInformer()
}

// Config says how to reach the API server that kubeconfig names, or, when it is
// empty, the one of the cluster this runs in.
func Config(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return rest.InClusterConfig()
	}
	return clientcmd.BuildConfigFromFlags("", kubeconfig)
}

func (w *Watcher) makeInformer() error {
	w.jobs = cache.NewSharedInformer(w.listWatch(), &metav1.PartialObjectMetadata{}, 0)
	_, err := w.jobs.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: w.found})
	return errors.Join(err,
		w.jobs.SetTransform(onlyOwner),
		// Failures are seen, and reported, where they happen.
		w.jobs.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {}),
	)
}

// CronJobOf returns the CronJob that made a Job, empty for one that no CronJob
// made; ok is false for a Job that is not known.
func (w *Watcher) CronJobOf(namespace, job string) (name string, ok bool) {
	if w.jobs == nil {
		return "", false
	}
	key := cache.NewObjectName(namespace, job).String()
	m, ok := w.get(key)
	if !ok {
		w.miss(key)
		if m, ok = w.get(key); !ok { // it may have come before it was missed
			return "", false
		}
	}
	if owner := metav1.GetControllerOfNoCopy(m); owner != nil && owner.Kind == "CronJob" {
		return owner.Name, true
	}
	return "", true
}

func (w *Watcher) get(key string) (*metav1.PartialObjectMetadata, bool) {
	o, _, err := w.jobs.GetStore().GetByKey(key)
	m, ok := o.(*metav1.PartialObjectMetadata)
	return m, ok && err == nil
}

func (w *Watcher) miss(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.missed) >= maxMissed {
		clear(w.missed)
	}
	w.missed[key] = true
}

// found tells of a Job that was asked for before it was known. Of the cluster's
// other Jobs, which may be many a second, nobody is told.
func (w *Watcher) found(o any) {
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	key := cache.NewObjectName(m.Namespace, m.Name).String()
	w.mu.Lock()
	missed := w.missed[key]
	delete(w.missed, key)
	w.mu.Unlock()
	if missed {
		w.changed()
	}
}

// Run watches until the context ends.
func (w *Watcher) Run(ctx context.Context) {
	if w.jobs == nil {
		return
	}
	slow := time.AfterFunc(w.firstAnswer, func() {
		if !w.Source.Ready() {
			w.report(source.Because(source.Timeout, fmt.Errorf("%s has not answered yet", w.host)))
		}
	})
	defer slow.Stop()
	// What client-go would write to standard error is reported by reportRequest.
	w.jobs.RunWithContext(klog.NewContext(ctx, klog.Logger{}))
}

// listWatch lists and watches, and reports of each request how it ended: client-go
// tells its error handler nothing of a server that is away.
func (w *Watcher) listWatch() *cache.ListWatch {
	jobs := w.client.Resource(gvr)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			limited, cancel := context.WithTimeout(ctx, listDeadline)
			defer cancel()
			list, err := jobs.List(limited, o)
			w.reportRequest(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			i, err := jobs.Watch(ctx, o)
			// A server that does not stream lists (before Kubernetes 1.32) finds this
			// watch invalid, and is then asked for a list.
			if o.SendInitialEvents == nil || !apierrors.IsInvalid(err) {
				w.reportRequest(ctx, err)
			}
			return i, err
		},
	}
}

func (w *Watcher) reportRequest(ctx context.Context, err error) {
	// History that is gone is listed anew. When the program ends, that says nothing
	// about the source.
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || ctx.Err() != nil {
		return
	}
	w.report(because(err))
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

// onlyOwner drops all of a Job's metadata but what is used: a cluster has tens of
// thousands of them.
func onlyOwner(o any) (any, error) {
	if m, ok := o.(*metav1.PartialObjectMetadata); ok {
		m.ObjectMeta = metav1.ObjectMeta{
			Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion, OwnerReferences: m.OwnerReferences,
		}
	}
	return o, nil
}
