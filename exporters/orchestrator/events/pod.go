package events

import (
	"hash/maphash"
	"math"
	"strings"
	"time"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

// pod is what is kept of one.
type pod struct {
	uid     types.UID
	version uint64
	place   place
	job     string // right above it, whose own maker it does not say
	held    bool   // its account is: what this exporter owns may change meanwhile

	created                   int64 // all in seconds since 1970, 0 for not yet
	scheduled, started, ready int64

	containers []container
}

// place is a workload's, the same for all that say the same.
type place = unique.Handle[model.Ref]

// Pods that are gone are remembered for some time: what the kubelet says of their end
// comes later, and of what happened often, up to half an hour later.
const (
	keepGone = time.Hour
	mostGone = 20_000
)

// podSink knows the workloads of pods, holds their accounts, and counts what becomes
// of pods.
type podSink struct {
	recorder *Recorder
	seed     maphash.Seed
	novelty  novelty
	known    map[watch.Key]*pod
	places   map[types.UID]place
	gone     departed[types.UID, place]
	doubts   []doubt
}

func newPodSink(r *Recorder) *podSink {
	return &podSink{
		recorder: r, seed: maphash.MakeSeed(), known: map[watch.Key]*pod{}, places: map[types.UID]place{},
		gone: departed[types.UID, place]{keep: keepGone, most: mostGone},
	}
}

// Reduce keeps what is counted of a pod.
func (s *podSink) Reduce(obj runtime.Object) any {
	o, ok := obj.(*corev1.Pod)
	if !ok {
		return nil
	}
	p := &pod{
		uid: o.UID, version: versionOf(o), place: placeOf(o.Namespace, hierarchy.OfPod(o, nil)),
		created: o.CreationTimestamp.Unix(), started: startedAt(o), containers: s.containersOf(o),
	}
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil && owner.Kind == "Job" && strings.HasPrefix(owner.APIVersion, "batch/") {
		p.job = owner.Name
	}
	for i := range o.Status.Conditions {
		switch c := &o.Status.Conditions[i]; {
		case c.Status != corev1.ConditionTrue || c.LastTransitionTime.IsZero():
		case c.Type == corev1.PodScheduled:
			p.scheduled = c.LastTransitionTime.Unix()
		case c.Type == corev1.PodReady:
			p.ready = c.LastTransitionTime.Unix()
		}
	}
	return p
}

func placeOf(namespace string, w hierarchy.Workload) place {
	return unique.Make(model.Ref{Orchestrator: hierarchy.Kubernetes, Namespace: namespace, Workload: w})
}

// startedAt is when the last of a pod's containers was started for the first time; 0
// while there are others to start. Init containers have ended by then, or are sidecars.
func startedAt(o *corev1.Pod) int64 {
	var last int64
	statuses := o.Status.ContainerStatuses
	if len(statuses) < len(o.Spec.Containers) {
		return 0
	}
	for i := range statuses {
		first := firstStart(&statuses[i])
		if first < o.CreationTimestamp.Unix() { // 1970 is what runtimes say of what could not be started
			return 0
		}
		last = max(last, first)
	}
	return last
}

func firstStart(s *corev1.ContainerStatus) int64 {
	first := int64(math.MaxInt64)
	for _, at := range []*metav1.Time{runningSince(&s.State), runningSince(&s.LastTerminationState)} {
		if at != nil {
			first = min(first, at.Unix())
		}
	}
	if first == math.MaxInt64 {
		return 0
	}
	return first
}

func runningSince(s *corev1.ContainerState) *metav1.Time {
	switch {
	case s.Running != nil:
		return &s.Running.StartedAt
	case s.Terminated != nil:
		return &s.Terminated.StartedAt
	}
	return nil
}

// Replace takes a list: the first is where counting begins.
func (s *podSink) Replace(all map[watch.Key]any) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	isNew, now := s.novelty.list(), time.Now()
	for k, was := range s.known {
		if _, ok := all[k]; !ok {
			s.leave(k, was, now)
		}
	}
	for k, kept := range all {
		if p, ok := kept.(*pod); ok {
			s.take(k, p, isNew(p.created, p.version))
		}
	}
}

// Set takes a pod that was added or has changed.
func (s *podSink) Set(k watch.Key, kept any) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	if p, ok := kept.(*pod); ok {
		s.take(k, p, true)
	}
}

// Delete takes the last state of a pod, which may tell of ends that nothing else does.
func (s *podSink) Delete(k watch.Key, kept any) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	was := s.known[k]
	if was == nil {
		return
	}
	if p, ok := kept.(*pod); ok && p.uid == was.uid {
		s.take(k, p, true)
		was = p
	}
	s.leave(k, was, time.Now())
}

func (s *podSink) leave(k watch.Key, was *pod, now time.Time) {
	s.settle(now) // what its last state says
	delete(s.known, k)
	delete(s.places, was.uid)
	s.gone.add(was.uid, was.place, now)
	if was.held {
		s.recorder.options.Counts.ReleaseAt(was.place.Value(), now)
	}
}

func (s *podSink) take(k watch.Key, is *pod, isNew bool) {
	was := s.known[k]
	if was != nil && was.uid != is.uid {
		s.leave(k, was, time.Now())
		was = nil
	}
	if was == is { // it is listed again, and may have another workload by now
		former := *was
		was = &former
	}
	s.resolve(was, is)
	_, back := s.gone.get(is.uid)
	switch {
	case was != nil:
		s.enter(is) // before the former leaves what they share
		if was.held {
			s.recorder.options.Counts.Release(was.place.Value())
		}
		s.compare(k, was, is)
	case isNew && !back:
		s.enter(is)
		s.compare(k, &pod{}, is)
	default:
		s.enter(is) // what it has behind it is not this exporter's to count
	}
	s.known[k] = is
	s.places[is.uid] = is.place
	s.novelty.saw(is.version)
}

// resolve finds the workload of a Job's pod. While its Job is not known the name has
// to do; when it is gone, what was known stands.
func (s *podSink) resolve(was, is *pod) {
	if is.job == "" || s.recorder.options.Workloads == nil {
		return
	}
	namespace := is.place.Value().Namespace
	if w, ok := s.recorder.options.Workloads.WorkloadOf("Job", namespace, is.job); ok {
		is.place = placeOf(namespace, w)
	} else if was != nil {
		is.place = was.place
	}
}

// enter holds a pod's account, and begins what alerts look at.
func (s *podSink) enter(p *pod) {
	counts, ref := s.recorder.options.Counts, p.place.Value()
	if p.held = s.recorder.options.Owns(ref.Namespace, ref.Workload); !p.held {
		return
	}
	counts.Hold(ref)
	for i := range p.containers {
		for _, e := range []model.Ended{model.EndedError, model.EndedOOM} {
			counts.Add(metrics.Terminations, ref, 0, p.containers[i].name, string(e))
		}
	}
}

// compare counts what has become of a pod since it was seen.
func (s *podSink) compare(k watch.Key, was, is *pod) {
	counts, ref := s.recorder.options.Counts, is.place.Value()
	// A time that was known stands: a pod may be ready again and again.
	for _, reached := range []struct {
		was  int64
		is   *int64
		took func(seconds float64)
	}{
		{was.scheduled, &is.scheduled, func(v float64) { counts.Observe(metrics.PodScheduled, ref, v) }},
		{was.started, &is.started, func(v float64) { counts.Observe(metrics.PodStarted, ref, v) }},
		{was.ready, &is.ready, func(v float64) { counts.Observe(metrics.PodReady, ref, v) }},
	} {
		switch {
		case reached.was != 0:
			*reached.is = reached.was
		case *reached.is != 0 && is.held:
			reached.took(float64(max(0, *reached.is-is.created)))
		}
	}
	if !is.held {
		return
	}
	ends(was.containers, is.containers, func(container string, e end, n int) {
		if e.killed && len(s.doubts) < mostDoubts {
			s.doubts = append(s.doubts, doubt{k, is.uid, container, e.id, ref, time.Now()})
			return
		}
		counts.Add(metrics.Terminations, ref, float64(n), container, string(e.how))
	})
}

// ref is the workload of a pod that is or was there.
func (s *podSink) ref(o object) (model.Ref, bool) {
	if o.uid == "" {
		if p := s.known[o.Key]; p != nil {
			return p.place.Value(), true
		}
		return model.Ref{}, false
	}
	if p, ok := s.places[o.uid]; ok {
		return p.Value(), true
	}
	p, ok := s.gone.get(o.uid)
	if !ok {
		return model.Ref{}, false
	}
	return p.Value(), true
}
