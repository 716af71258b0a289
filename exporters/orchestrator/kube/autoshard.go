package kube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/source"
)

// Autoshard finds out of the StatefulSet that this exporter's pod is of which shard it
// is, and of how many.
type Autoshard struct {
	client         kubernetes.Interface
	namespace, pod string
	polled         *source.Polled[ordinal]
	changed        chan struct{}
}

// NewAutoshard asks about a pod. It is polled, because rights to get this pod and its
// StatefulSet are less than the right to watch all of the namespace.
func NewAutoshard(client kubernetes.Interface, namespace, pod string, logger *slog.Logger) *Autoshard {
	a := &Autoshard{client: client, namespace: namespace, pod: pod, changed: make(chan struct{}, 1)}
	a.polled = source.NewPolled("shard", logger, a.fetch)
	a.polled.Every = 10 * time.Second
	a.polled.Changed = func() {
		select {
		case a.changed <- struct{}{}:
		default:
		}
	}
	return a
}

// Run has run, which lists and watches, go on as long as the shard stays the same, and
// begin anew when it changes. Before the shard is known nothing is watched; after the
// last word it stays what it was.
func (a *Autoshard) Run(ctx context.Context, shard *Shard, run func(context.Context)) {
	go a.polled.Run(ctx)
	stop := func() {}
	defer func() { stop() }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.changed:
		}
		now, ok := a.polled.Get()
		if !ok || !shard.set(now.shard, now.total) {
			continue
		}
		stop()
		part, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { run(part); close(done) }()
		stop = func() { cancel(); <-done }
	}
}

func (a *Autoshard) fetch(ctx context.Context) (ordinal, string, error) {
	pod, err := a.client.CoreV1().Pods(a.namespace).Get(ctx, a.pod, metav1.GetOptions{})
	if err != nil {
		return ordinal{}, "", watch.Because(err)
	}
	owner := metav1.GetControllerOf(pod)
	if owner == nil || owner.Kind != "StatefulSet" {
		return ordinal{}, "", source.Because(source.Invalid, errors.New("--pod: it is not of a StatefulSet"))
	}
	set, err := a.client.AppsV1().StatefulSets(a.namespace).Get(ctx, owner.Name, metav1.GetOptions{})
	if err != nil {
		return ordinal{}, "", watch.Because(err)
	}
	now, err := ordinalOf(set, a.pod)
	return now, fmt.Sprintf("%s/%s", a.namespace, owner.Name), err
}

// ordinalOf is which of a StatefulSet's pods one is.
func ordinalOf(set *appsv1.StatefulSet, pod string) (ordinal, error) {
	digits, _ := strings.CutPrefix(pod, set.Name+"-")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return ordinal{}, source.Because(source.Invalid, fmt.Errorf("--pod: its name does not end in a number after that of StatefulSet %s", set.Name))
	}
	if set.Spec.Ordinals != nil {
		n -= int(set.Spec.Ordinals.Start)
	}
	total := 1
	if set.Spec.Replicas != nil {
		total = int(*set.Spec.Replicas)
	}
	return ordinal{shard: n, total: total}, nil
}
