package events

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
	"github.com/loadline-exporters/loadline/exporters/orchestrator/watch"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

const backOff = "Back-off restarting failed container app in pod web-1_shop(uid)"

func TestAnEventCountsByHowMuchItsCountGrows(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(p)
	e := eventOf(p, "e", "BackOff", backOff)
	c.set(e)
	c.expectEvents(t, "shop/web/deployment/crash_back_off/normal 1")
	c.set(again(e, 3))
	c.set(again(e, 3)) // something else of it has changed
	c.set(again(e, 2)) // one who was late
	c.set(again(e, 4))
	c.expectEvents(t, "shop/web/deployment/crash_back_off/normal 4")
}

func TestWhatWasBeforeTheStartIsNotCounted(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	e := again(eventOf(p, "e", "BackOff", backOff), 7)
	c.start(p, e)
	c.expectEvents(t)
	c.set(again(e, 8))
	c.expectEvents(t, "shop/web/deployment/crash_back_off/normal 1")
}

func TestASeriesCountsByHowMuchItGrows(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(p)
	e := eventOf(p, "e", "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu.")
	e.Type, e.Count, e.FirstTimestamp, e.LastTimestamp = "Warning", 0, metav1.Time{}, metav1.Time{}
	e.EventTime = metav1.NowMicro()
	c.set(e)
	for _, n := range []int32{2, 2, 9} {
		e = e.DeepCopy()
		e.Series = &corev1.EventSeries{Count: n, LastObservedTime: metav1.NowMicro()}
		c.set(e)
	}
	c.expectEvents(t, "shop/web/deployment/scheduling_failed_cpu/warning 9")
}

func TestWhatHappenedInAGapIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(), webPod("web-1")
		before := eventOf(p, "before", "Killing", "Stopping container app")
		c.start(p, before)
		time.Sleep(time.Minute)
		e := eventOf(p, "e", "BackOff", backOff)
		c.set(e)
		time.Sleep(time.Minute)
		// The watch is gone. One event goes on, one is new and has occurred five times, and
		// one is listed for the first time though it is old, as when rights are given.
		more := again(e, 4)
		c.stored(more)
		fresh := again(eventOf(p, "new", "Unhealthy", "Readiness probe failed: x"), 5)
		old := again(eventOf(p, "old", "Pulling", "x"), 3)
		old.ResourceVersion = "50"
		c.list(c.events, before, more, fresh, old)
		want := []string{"shop/web/deployment/crash_back_off/normal 4", "shop/web/deployment/unhealthy_readiness/normal 5"}
		c.expectEvents(t, want...)
		c.list(c.events, before, more, fresh, old)
		c.set(again(old, 4))
		c.expectEvents(t, "shop/web/deployment/crash_back_off/normal 4", "shop/web/deployment/pull_started/normal 1", "shop/web/deployment/unhealthy_readiness/normal 5")
	})
}

func TestANamespaceThatIsListedLaterIsABeginningToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(), webPod("web-1")
		e := again(eventOf(p, "e", "BackOff", backOff), 7)
		time.Sleep(time.Minute)
		c.start(p)
		c.list(c.events, e) // it has a higher resource version than all that is known
		c.expectEvents(t)
	})
}

func TestAnEventThatComesBackIsNotCountedAgain(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(p)
	e := eventOf(p, "e", "BackOff", backOff)
	c.set(e)
	c.list(c.events) // its namespace may not be read for a while
	c.list(c.events, e)
	more := again(e, 2)
	c.list(c.events, c.stored(more))
	c.expectEvents(t, "shop/web/deployment/crash_back_off/normal 2")
}

func TestAnEventThatIsMadeAnewGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		anew := func(e *corev1.Event, count int32) *corev1.Event {
			e = again(e, count)
			e.UID, e.CreationTimestamp = types.UID(fmt.Sprint("anew", count)), now()
			return e
		}
		c, p := newCluster(), webPod("web-1")
		c.start(p)
		e := eventOf(p, "e", "BackOff", backOff)
		c.set(e)
		c.set(again(e, 4))
		c.remove(e)
		c.set(anew(e, 5))
		c.expectEvents(t, "shop/web/deployment/crash_back_off/normal 5")

		c.set(anew(e, 6)) // the deletion was not told
		c.expectEvents(t, "shop/web/deployment/crash_back_off/normal 6")

		// An hour later nobody remembers it.
		c.remove(e)
		time.Sleep(time.Hour)
		other := eventOf(p, "other", "Pulling", "x")
		c.set(other)
		c.remove(other)
		time.Sleep(time.Hour)
		c.set(other)
		c.remove(other)
		c.set(anew(e, 7))
		c.expectEvents(t, "shop/web/deployment/crash_back_off/normal 7", "shop/web/deployment/pull_started/normal 1")
	})
}

func TestAnEventOfAnotherObjectOfTheSameNameIsAnother(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(p)
	e := eventOf(p, "e", "BackOff", backOff)
	c.set(again(e, 3))
	e.UID = "another"
	c.set(again(e, 1))
	c.expectEvents(t, "shop/web/deployment/crash_back_off/normal 4")
}

func TestAnEventAfterItsPodIsGoneHasItsWorkload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(), webPod("web-1")
		c.start(p)
		c.remove(p)
		next := webPod("web-1") // of a StatefulSet, say: the same name
		next.UID, next.OwnerReferences = "another", nil
		c.set(next)
		time.Sleep(10 * time.Minute)
		c.set(eventOf(p, "e", "Killing", "Stopping container app"))
		c.expectEvents(t, "shop/web/deployment/container_stopped/normal 1")
	})
}

func TestAnEventWaitsForItsPod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(), webPod("web-1")
		c.start()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { c.Run(ctx); close(done) }()
		c.set(eventOf(p, "e", "Scheduled", "x"), eventOf(webPod("never"), "other", "Scheduled", "x"))
		c.expectEvents(t)
		time.Sleep(10 * time.Second)
		c.set(p)
		time.Sleep(2 * settleEach)
		c.expectEvents(t, "shop/web/deployment/scheduled/normal 1")
		time.Sleep(waitFor)
		c.expectEvents(t, "shop///scheduled/normal 1", "shop/web/deployment/scheduled/normal 1")
		cancel()
		<-done
		if len(c.waiting) != 0 {
			t.Errorf("%d events still wait", len(c.waiting))
		}
	})
}

func TestWhatWaitsIsBounded(t *testing.T) {
	c := newCluster()
	c.start()
	for i := range mostWait + 5 {
		c.set(eventOf(webPod("never"), fmt.Sprint(i), "Scheduled", "x"))
	}
	if len(c.waiting) != mostWait {
		t.Errorf("%d wait", len(c.waiting))
	}
	c.expectEvents(t, "shop///scheduled/normal 5")
}

func TestEventsOfControllersHaveTheirWorkload(t *testing.T) {
	c := newCluster()
	c.start()
	c.owners["ReplicaSet/shop/web-abc"] = hierarchy.Workload{Name: "web", Type: hierarchy.Deployment}
	c.owners["Job/shop/backup-29000000"] = hierarchy.Workload{Name: "backup", Type: hierarchy.CronJob}
	c.owners["HorizontalPodAutoscaler/shop/scaler"] = hierarchy.Workload{Name: "web", Type: hierarchy.Deployment}
	for i, about := range []string{"ReplicaSet/web-abc", "Job/backup-29000000", "HorizontalPodAutoscaler/scaler", "Deployment/web", "StatefulSet/db", "PersistentVolumeClaim/data", "Widget/w"} {
		kind, name, _ := strings.Cut(about, "/")
		e := eventOf(webPod("x"), fmt.Sprint(i), "Whatever", "x")
		e.InvolvedObject = corev1.ObjectReference{Kind: kind, Namespace: "shop", Name: name}
		c.set(e)
	}
	node := eventOf(webPod("x"), "node", "SystemOOM", "x")
	node.Namespace, node.InvolvedObject = "default", corev1.ObjectReference{Kind: "Node", Name: "n1", UID: "n1"}
	c.set(node)
	c.expectEvents(t, "///node_oom/normal 1", "shop///other/normal 2", "shop/backup/cronjob/other/normal 1", "shop/db/statefulset/other/normal 1", "shop/web/deployment/other/normal 3")
}

func TestAControllerThatIsGoneHasTheWorkloadThatItHad(t *testing.T) {
	c := newCluster()
	c.start()
	c.owners["ReplicaSet/shop/web-abc"] = hierarchy.Workload{Name: "web", Type: hierarchy.Deployment}
	e := eventOf(webPod("x"), "e", "SuccessfulDelete", "x")
	e.InvolvedObject = corev1.ObjectReference{Kind: "ReplicaSet", Namespace: "shop", Name: "web-abc", UID: "1"}
	c.set(e)
	delete(c.owners, "ReplicaSet/shop/web-abc")
	c.set(again(e, 3))
	c.expectEvents(t, "shop/web/deployment/pod_deleted/normal 3")
}

func TestAControllerThatNobodyKnowsIsItsOwnWorkload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster()
		c.start()
		e := eventOf(webPod("x"), "e", "FailedCreate", "x")
		e.InvolvedObject = corev1.ObjectReference{Kind: "ReplicaSet", Namespace: "shop", Name: "lone"}
		c.set(e)
		c.settle(time.Now())
		c.expectEvents(t)
		time.Sleep(waitFor)
		c.settle(time.Now())
		c.expectEvents(t, "shop/lone/replicaset/pod_create_failed_other/normal 1")
	})
}

func TestNamesThatAreNoneNameNoWorkload(t *testing.T) {
	c := newCluster()
	c.start()
	e := eventOf(webPod("x"), "e", "x", "x")
	e.InvolvedObject = corev1.ObjectReference{Kind: "Deployment", Namespace: "shop", Name: strings.Repeat("x", 1<<20)}
	c.set(e)
	c.expectEvents(t, "///other/normal 1")
}

func TestEventsOfAWorkloadWithTooManySeriesAreSaidToBeDropped(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(p)
	for i := range 300 {
		c.options.Counts.Add(metrics.Restarts, model.Ref{Orchestrator: hierarchy.Kubernetes, Namespace: "shop", Workload: hierarchy.Workload{Name: "web", Type: hierarchy.Deployment}}, 0, fmt.Sprint(i))
	}
	c.set(again(eventOf(p, "e", "BackOff", backOff), 3))
	c.expect(t, []*family.Family{metrics.Events, metrics.EventsDropped}, "events_dropped_total series 3")
}

func TestPullsAreMeasuredByRegistry(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(p)
	pulled := func(i int, image string) *corev1.Event {
		return eventOf(p, fmt.Sprint(i), "Pulled", `Successfully pulled image "`+image+`" in 1.5s (2s including waiting). Image size: 100 bytes.`)
	}
	c.set(pulled(-1, "nginx"), pulled(-2, "nginx"), eventOf(p, "there", "Pulled", `Container image "nginx" already present on machine`))
	both := []*family.Family{metrics.PullDuration, metrics.PullBytes}
	c.expect(t, both, "image_pull_duration_seconds_count docker.io 2", "image_pull_duration_seconds_sum docker.io 3", "image_pull_size_bytes_count docker.io 2", "image_pull_size_bytes_sum docker.io 200")
	for i := range 2 * maxRegistries {
		c.set(pulled(i, fmt.Sprintf("registry-%d.example/web", i)))
	}
	if got := strings.Join(c.served(t, metrics.PullDuration), "\n"); !strings.Contains(got, "image_pull_duration_seconds_count other 51\n") || strings.Count(got, "_count") != maxRegistries+1 {
		t.Errorf("got\n%s", got)
	}
}

func TestTheLagIsThatOfTheLastOccurrence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(), webPod("web-1")
		c.start(p)
		e := eventOf(p, "e", "BackOff", backOff)
		e.LastTimestamp = metav1.NewTime(time.Now().Add(-3 * time.Second))
		ahead := eventOf(p, "ahead", "BackOff", backOff)
		ahead.LastTimestamp = metav1.NewTime(time.Now().Add(time.Hour))
		c.set(e, ahead)
		c.expect(t, []*family.Family{metrics.EventLag}, "events_lag_seconds_count  2", "events_lag_seconds_sum  3")
	})
}

func TestEventsThatAreGoneAreNotKept(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(p)
	for i := range 5 * mostDeleted {
		e := eventOf(p, fmt.Sprint(i), "Pulling", "x")
		c.set(e)
		c.remove(e)
	}
	if n := len(c.events.known) + len(c.events.deleted.young) + len(c.events.deleted.old); n > 2*mostDeleted {
		t.Errorf("%d events are kept", n)
	}
}

func TestWhatIsNoEventIsNotKept(t *testing.T) {
	c := newCluster()
	if kept := c.events.Reduce(webPod("web-1")); kept != nil {
		t.Errorf("%v is kept of a pod", kept)
	}
	c.events.Set(watch.Key{}, nil)
	c.pods.Set(watch.Key{}, nil)
	c.pods.Delete(watch.Key{Name: "unknown"}, nil)
	c.events.Delete(watch.Key{Name: "unknown"}, nil)
	c.expectEvents(t)
}

func TestWhatIsServedIsCleanForPromlint(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start()
	c.set(reached(reached(with(p, running(), terminated("1", "Error", 1), 1), corev1.PodScheduled), corev1.PodReady))
	c.set(eventOf(p, "e", "Pulled", `Successfully pulled image "nginx" in 1.5s (2s including waiting). Image size: 100 bytes.`))
	table := family.Table{
		metrics.Events, metrics.Terminations, metrics.PodScheduled, metrics.PodStarted, metrics.PodReady,
		metrics.PullDuration, metrics.PullBytes, metrics.EventLag, metrics.EventsDropped,
	}
	w := family.NewWriter(table, nil)
	c.options.Counts.Collect(w)
	c.options.Totals.Collect(w)
	served := family.Budget(table, []*family.Writer{w}, 0)
	if len(served.Kept) != len(table) {
		t.Errorf("%d of %d families are served", len(served.Kept), len(table))
	}
	var text bytes.Buffer
	if err := served.Encode(&text, family.Text); err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.New(&text).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func TestWhatSomebodyIsCalledForBeginsAtZeroWithItsWorkload(t *testing.T) {
	c := newCluster()
	c.start(webPod("web-1"))
	table := family.Table{metrics.Events}
	w := family.NewWriter(table, nil)
	c.options.Counts.Collect(w)
	if n := family.Budget(table, []*family.Writer{w}, 0).Series; n != len(model.Alerted()) {
		t.Errorf("%d series, want %d", n, len(model.Alerted()))
	}
}
