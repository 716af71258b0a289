package events

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
	"github.com/loadline-exporters/loadline/internal/counts"
	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

func terminated(id, reason string, code int32) corev1.ContainerState {
	s := &corev1.ContainerStateTerminated{Reason: reason, ExitCode: code, StartedAt: now(), FinishedAt: now()}
	if id != "" {
		s.ContainerID = "containerd://" + id
	}
	return corev1.ContainerState{Terminated: s}
}

func running() corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now()}}
}

func crashLoop() corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
}

// with gives a pod's container a state, the one before, and a number of restarts.
func with(p *corev1.Pod, state, former corev1.ContainerState, restarts int32) *corev1.Pod {
	p = p.DeepCopy()
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", State: state, LastTerminationState: former, RestartCount: restarts}}
	return p
}

var none corev1.ContainerState

func TestAnEndIsCountedOnceHoweverOftenItIsTold(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start()
	first, second := terminated("1", "Error", 1), terminated("2", "OOMKilled", 137)
	c.set(p, with(p, running(), none, 0))
	c.expectEnds(t)
	c.set(with(p, first, none, 0))
	c.set(with(p, crashLoop(), first, 0))
	c.expectEnds(t, "shop/web/deployment/app/error 1")
	c.set(with(p, running(), first, 1))
	c.set(with(p, second, first, 1))
	c.set(with(p, crashLoop(), second, 1))
	c.set(with(p, running(), second, 2))
	c.expectEnds(t, "shop/web/deployment/app/error 1", "shop/web/deployment/app/oom_killed 1")
	last := with(p, terminated("3", "Error", 143), second, 2)
	c.set(last)
	c.remove(last)
	c.expectEnds(t, "shop/web/deployment/app/error 2", "shop/web/deployment/app/oom_killed 1")
}

func TestAKillThatTurnsOutToBeForMemoryCountsAsThatAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(), webPod("web-1")
		c.start(with(p, running(), none, 0))
		first, same := terminated("1", "Error", 137), terminated("1", "OOMKilled", 137)
		c.set(with(p, first, none, 0))
		time.Sleep(5 * time.Second)
		c.settle(time.Now())
		c.expectEnds(t)
		c.set(with(p, running(), same, 1))
		c.settle(time.Now())
		c.expectEnds(t, "shop/web/deployment/app/oom_killed 1")

		c.set(with(p, terminated("2", "Error", 137), same, 1))
		time.Sleep(doubtFor)
		c.settle(time.Now())
		c.expectEnds(t, "shop/web/deployment/app/error 1", "shop/web/deployment/app/oom_killed 1")

		second := terminated("3", "Error", 137)
		c.set(with(p, running(), second, 2))
		c.remove(with(p, running(), second, 2))
		c.settle(time.Now())
		c.expectEnds(t, "shop/web/deployment/app/error 2", "shop/web/deployment/app/oom_killed 1")
		if n := len(c.pods.doubts); n != 0 {
			t.Errorf("%d ends are still in doubt", n)
		}
	})
}

func TestAnOOMThatNoScrapeAndNoUpdateSawCounts(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(with(p, running(), none, 0))
	c.set(with(p, running(), terminated("1", "OOMKilled", 137), 1))
	c.expectEnds(t, "shop/web/deployment/app/oom_killed 1")
}

func TestEndsThatNobodySawAreUnknown(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(with(p, running(), none, 1))
	c.list(c.pods, with(p, running(), terminated("4", "Error", 1), 4))
	c.expectEnds(t, "shop/web/deployment/app/error 1", "shop/web/deployment/app/unknown 2")
}

func TestWhatHadEndedBeforeTheStartIsNotCounted(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	before := terminated("7", "OOMKilled", 137)
	c.start(with(p, running(), before, 7))
	c.set(with(p, running(), before, 7))
	c.expectEnds(t)
	c.set(with(p, terminated("8", "Error", 143), before, 7))
	c.expectEnds(t, "shop/web/deployment/app/error 1")
}

func TestAPodThatWasMadeAndEndedInAGapCounts(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start()
	made := with(p, terminated("1", "Error", 1), none, 0)
	c.list(c.pods, made)
	c.list(c.pods) // and may not be read for a while
	c.list(c.pods, made)
	c.expectEnds(t, "shop/web/deployment/app/error 1")
}

func TestTheLastStateOfAPodThatGoesCounts(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(with(p, running(), none, 0))
	c.remove(with(p, terminated("1", "Completed", 0), none, 0))
	c.expectEnds(t, "shop/web/deployment/app/completed 1")
}

func TestAWorkloadsEndsBeginAtZero(t *testing.T) {
	c := newCluster()
	c.start(with(webPod("web-1"), running(), none, 0))
	table := family.Table{metrics.Terminations}
	w := family.NewWriter(table, nil)
	c.options.Counts.Collect(w)
	if n := family.Budget(table, []*family.Writer{w}, 0).Series; n != 2 {
		t.Errorf("%d series, want those of errors and of OOM kills", n)
	}
}

func TestReasonsOfEndsAreAClosedList(t *testing.T) {
	for name, test := range map[string]struct {
		reason    string
		code      int32
		podReason string
		want      string
	}{
		"it did its work":                         {"Completed", 0, "", "completed"},
		"it failed":                               {"Error", 2, "", "error"},
		"it was told to end":                      {"Error", 143, "", "error"},
		"it was killed for memory":                {"OOMKilled", 137, "", "oom_killed"},
		"a shell whose child was killed":          {"OOMKilled", 1, "", "oom_killed"},
		"a child was killed long before the end":  {"OOMKilled", 0, "", "completed"},
		"a child was killed, then SIGTERM":        {"OOMKilled", 143, "", "error"},
		"it could not be started":                 {"StartError", 128, "", "cannot_run"},
		"Docker could not start it":               {"ContainerCannotRun", 127, "", "cannot_run"},
		"its node was lost":                       {"ContainerStatusUnknown", 137, "", "unknown"},
		"its pod was evicted":                     {"Error", 137, "Evicted", "evicted"},
		"its pod was evicted and it ended well":   {"Completed", 0, "Evicted", "evicted"},
		"its pod was evicted, and it had no room": {"OOMKilled", 137, "Evicted", "oom_killed"},
		"its pod's deadline was over":             {"Error", 143, "DeadlineExceeded", "deadline_exceeded"},
		"its runtime says something new":          {"Whatever", 1, "", "other"},
	} {
		got := EndedAs(&corev1.ContainerStateTerminated{Reason: test.reason, ExitCode: test.code}, test.podReason)
		if string(got) != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestEndsWithoutAnIdAreToldApart(t *testing.T) {
	c, p := newCluster(), webPod("web-1")
	c.start(with(p, running(), none, 0))
	lost := terminated("", "ContainerStatusUnknown", 137)
	c.set(with(p, lost, none, 0))
	c.set(with(p, crashLoop(), lost, 0))
	c.set(with(p, running(), lost, 1))
	c.expectEnds(t, "shop/web/deployment/app/unknown 1")
}

// reached has a pod's condition become true now.
func reached(p *corev1.Pod, kind corev1.PodConditionType) *corev1.Pod {
	p = p.DeepCopy()
	p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now()})
	return p
}

var waits = []*family.Family{metrics.PodScheduled, metrics.PodStarted, metrics.PodReady}

func TestWhatAPodWaitsForIsMeasuredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(), webPod("web-1")
		c.start()
		c.set(p)
		time.Sleep(2 * time.Second)
		p = reached(p, corev1.PodScheduled)
		c.set(p)
		time.Sleep(3 * time.Second)
		p = with(p, running(), none, 0)
		c.set(p)
		time.Sleep(5 * time.Second)
		ready := reached(p, corev1.PodReady)
		c.set(ready, p)
		want := []string{
			"pod_ready_duration_seconds_count shop/web/deployment 1", "pod_ready_duration_seconds_sum shop/web/deployment 10",
			"pod_scheduling_duration_seconds_count shop/web/deployment 1", "pod_scheduling_duration_seconds_sum shop/web/deployment 2",
			"pod_start_duration_seconds_count shop/web/deployment 1", "pod_start_duration_seconds_sum shop/web/deployment 5",
		}
		c.expect(t, waits, want...)
		time.Sleep(time.Minute)
		c.set(reached(p, corev1.PodReady), with(reached(p, corev1.PodReady), running(), terminated("1", "Error", 1), 1))
		c.expect(t, waits, want...)
	})
}

func TestWhatAPodHadReachedBeforeTheStartIsNotMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(), webPod("web-1")
		p = with(reached(p, corev1.PodScheduled), running(), none, 0)
		time.Sleep(4 * time.Second)
		c.start(p)
		time.Sleep(4 * time.Second)
		c.set(reached(p, corev1.PodReady))
		c.expect(t, waits, "pod_ready_duration_seconds_count shop/web/deployment 1", "pod_ready_duration_seconds_sum shop/web/deployment 8")
	})
}

func TestAPodStartsWhenItsLastContainerDoes(t *testing.T) {
	p := webPod("web-1")
	p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "log"})
	created := p.CreationTimestamp
	at := func(seconds int) metav1.Time {
		return metav1.NewTime(created.Add(time.Duration(seconds) * time.Second))
	}
	status := func(name string, state, former corev1.ContainerState) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, State: state, LastTerminationState: former}
	}
	ran := func(from int) corev1.ContainerState {
		return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at(from)}}
	}
	ended := func(from int) corev1.ContainerState {
		return corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: at(from)}}
	}
	never := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "StartError", StartedAt: metav1.NewTime(time.Unix(0, 0))}}
	for name, test := range map[string]struct {
		statuses []corev1.ContainerStatus
		want     int64
	}{
		"none is there":            {nil, 0},
		"one is not there":         {[]corev1.ContainerStatus{status("app", ran(3), none)}, 0},
		"one waits":                {[]corev1.ContainerStatus{status("app", ran(3), none), status("log", crashLoop(), none)}, 0},
		"one could not be started": {[]corev1.ContainerStatus{status("app", ran(3), none), status("log", never, none)}, 0},
		"both run":                 {[]corev1.ContainerStatus{status("app", ran(3), none), status("log", ran(7), none)}, 7},
		"one has run":              {[]corev1.ContainerStatus{status("app", ended(9), none), status("log", ran(7), none)}, 9},
		"one runs again":           {[]corev1.ContainerStatus{status("app", ran(90), ended(9)), status("log", ran(7), none)}, 9},
		"one waits to run again":   {[]corev1.ContainerStatus{status("app", crashLoop(), ended(9)), status("log", ran(7), none)}, 9},
	} {
		p.Status.ContainerStatuses = test.statuses
		want := int64(0)
		if test.want > 0 {
			want = created.Unix() + test.want
		}
		if got := startedAt(p); got != want {
			t.Errorf("%s: started at %d, want %d", name, got, want)
		}
	}
}

func TestAJobsPodIsItsCronJobsOnceThatIsKnown(t *testing.T) {
	c, p := newCluster(), webPod("backup-29000000-x")
	c.start()
	yes := true
	p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "nightly", Controller: &yes}}
	c.set(p)
	c.set(eventOf(p, "1", "Pulling", "x"))
	c.owners["Job/shop/nightly"] = hierarchy.Workload{Name: "backup", Type: hierarchy.CronJob}
	c.set(p)
	c.set(eventOf(p, "2", "Pulling", "x"))
	delete(c.owners, "Job/shop/nightly")
	c.set(p)
	c.set(eventOf(p, "3", "Pulling", "x"))
	c.remove(p)
	c.set(eventOf(p, "4", "Pulling", "x"))
	c.expectEvents(t, "shop/backup/cronjob/pull_started/normal 3", "shop/nightly/job/pull_started/normal 1")
}

func TestAPodThatMovesToItsWorkloadHoldsItsAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := newCluster(), webPod("nightly-x")
		c.start()
		yes := true
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "nightly", Controller: &yes}}
		c.set(p)
		c.set(eventOf(p, "1", "Pulling", "x"))
		c.owners["Job/shop/nightly"] = hierarchy.Workload{Name: "backup", Type: hierarchy.CronJob}
		c.set(p)
		c.set(eventOf(p, "2", "Pulling", "x"))
		time.Sleep(2 * counts.KeepEnded)
		c.expectEvents(t, "shop/backup/cronjob/pull_started/normal 1")
		c.remove(p)
		time.Sleep(counts.KeepEnded)
		c.expectEvents(t)
	})
}

func TestExportersThatShareAClusterCountEachWorkloadOnce(t *testing.T) {
	one, other := newCluster(), newCluster()
	owned := func(_ string, w hierarchy.Workload) bool { return w.Name == "web" }
	one.options.Owns = owned
	other.options.Owns = func(namespace string, w hierarchy.Workload) bool { return !owned(namespace, w) }
	web, lone := webPod("web-1"), webPod("lone")
	lone.OwnerReferences = nil
	node := eventOf(web, "node", "SystemOOM", "x")
	node.InvolvedObject = corev1.ObjectReference{Kind: "Node", Name: "n1"}
	for _, c := range []*cluster{one, other} {
		c.start()
		c.set(web, lone, with(web, terminated("1", "Error", 1), none, 0), with(lone, terminated("1", "Error", 2), none, 0))
		c.set(node, eventOf(web, "a", "Pulled", `Successfully pulled image "nginx" in 1.5s (2s including waiting)`), eventOf(lone, "b", "Pulling", "x"))
	}
	all := []*family.Family{metrics.Events, metrics.Terminations, metrics.PullDuration}
	one.expect(t, all, "events_total shop/web/deployment/pull_succeeded/normal 1", "image_pull_duration_seconds_count docker.io 1",
		"image_pull_duration_seconds_sum docker.io 1.5", "terminations_total shop/web/deployment/app/error 1")
	other.expect(t, all, "events_total ///node_oom/normal 1", "events_total shop/lone/pod/pull_started/normal 1", "terminations_total shop/lone/pod/app/error 1")
}

func TestAnAccountLastsAsLongAsItsPodsAndAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, one, two := newCluster(), webPod("web-1"), webPod("web-2")
		c.start(one, two)
		c.set(eventOf(one, "e", "Pulling", "x"))
		want := "shop/web/deployment/pull_started/normal 1"
		c.expectEvents(t, want)
		c.remove(one)
		c.list(c.pods, two)
		time.Sleep(2 * counts.KeepEnded)
		c.expectEvents(t, want)
		next := two.DeepCopy()
		next.UID = "next" // of the same name, and no deletion was told
		c.set(next)
		c.list(c.pods)
		time.Sleep(counts.KeepEnded - time.Minute)
		c.expectEvents(t, want)
		time.Sleep(time.Minute)
		c.expectEvents(t)
	})
}

func TestPodsThatAreGoneAreNotKept(t *testing.T) {
	c := newCluster()
	c.start()
	for i := range 3 * mostGone {
		p := webPod(fmt.Sprint(i))
		c.set(p)
		c.remove(p)
	}
	if n := len(c.pods.known) + len(c.pods.places) + len(c.pods.gone.young) + len(c.pods.gone.old); n > 2*mostGone {
		t.Errorf("%d pods are kept", n)
	}
}

func FuzzAnyPodIsTaken(f *testing.F) {
	f.Add([]byte(`{"metadata":{"name":"a"},"status":{"containerStatuses":[{"name":"app","restartCount":-5,"state":{"terminated":{}}}]}}`), []byte(`{}`))
	f.Add([]byte(`{"spec":{"containers":[{}]},"status":{"containerStatuses":[{"state":{"running":{}}},{"lastState":{"terminated":{"containerID":"x"}}}],"conditions":[{"type":"Ready","status":"True"}]}}`), []byte(`{"status":{"reason":"Evicted"}}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		c := newCluster()
		c.start()
		for _, text := range [][]byte{first, second, first} {
			p := &corev1.Pod{}
			if p.Unmarshal(text) != nil && json.Unmarshal(text, p) != nil {
				return
			}
			c.set(p)
		}
		c.served(t, metrics.Terminations, metrics.PodStarted)
	})
}
