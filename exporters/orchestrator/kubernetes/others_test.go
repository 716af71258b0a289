package kubernetes

import (
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
)

func ended(kind batchv1.JobConditionType, reason string, at metav1.Time) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Status.Conditions = append(j.Status.Conditions, batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, Reason: reason, LastTransitionTime: at})
	}
}

func TestRunsAreServedWithTheirResults(t *testing.T) {
	at := ago(time.Minute)
	f := newFixture(t,
		aJob("a", "nightly", ended(batchv1.JobSuccessCriteriaMet, "", at), ended(batchv1.JobComplete, "CompletionsReached", at), func(j *batchv1.Job) {
			j.Status.StartTime, j.Status.CompletionTime, j.Status.Succeeded = &at, &at, 3
		}),
		aJob("b", "", ended(batchv1.JobFailed, batchv1.JobReasonBackoffLimitExceeded, at)),
		aJob("c", "", ended(batchv1.JobFailed, "a plugin's own", at)),
		aJob("d", "", func(j *batchv1.Job) { j.Status.Active, j.Status.Failed = 2, 1 }),
		aJob("e", "", func(j *batchv1.Job) { j.Spec.Suspend = ptr(true) }),
	)
	f.expect(metrics.JobState, "shop a nightly cronjob complete  = 1", "shop b b job failed backoff_limit_exceeded = 1",
		"shop c c job failed other = 1", "shop d d job running  = 1", "shop e e job suspended  = 1")
	f.expect(metrics.JobStart, "shop a nightly cronjob = "+stamp(at))
	f.expect(metrics.JobEnd, "shop a nightly cronjob = "+stamp(at), "shop b b job = "+stamp(at), "shop c c job = "+stamp(at))
	f.expect(metrics.WorkloadPaused, "shop b job = 0", "shop c job = 0", "shop d job = 0", "shop e job = 1")
	for _, want := range []string{"shop d d job active = 2", "shop d d job succeeded = 0", "shop d d job failed = 1", "shop a nightly cronjob succeeded = 3"} {
		found := false
		for _, s := range f.served(metrics.JobPods) {
			found = found || s == want
		}
		if !found {
			t.Errorf("no %q in %v", want, f.served(metrics.JobPods))
		}
	}
}

func TestRunsThatEndAreCountedByWorkload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		done := ended(batchv1.JobComplete, "", ago(0))
		f := newFixture(t, aJob("before", "nightly", done), aJob("going", "nightly"))
		f.counted(metrics.JobRuns, "shop nightly cronjob complete = 0", "shop nightly cronjob failed = 0")
		time.Sleep(time.Second)
		f.set(aJob("going", "nightly", done), aJob("going", "nightly", done), aJob("before", "nightly", done))
		f.remove(aJob("new", "nightly", ended(batchv1.JobFailed, "", ago(0)))) // heard of only as it went
		f.set(aJob("short", "nightly", done))
		f.counted(metrics.JobRuns, "shop nightly cronjob complete = 2", "shop nightly cronjob failed = 1")
	})
}

func aCronJob(schedule string, changes ...func(*batchv1.CronJob)) *batchv1.CronJob {
	j := &batchv1.CronJob{ObjectMeta: object("nightly")}
	j.Spec.Schedule = schedule
	return with(j, changes...)
}

func ranAt(at time.Time) func(*batchv1.CronJob) {
	return func(j *batchv1.CronJob) { j.Status.LastScheduleTime = &metav1.Time{Time: at} }
}

func TestACronJobCountsWhatItMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // from midnight on
		midnight := time.Now()
		f := newFixture(t, aCronJob("0 * * * *", ranAt(midnight)))
		f.expect(metrics.CronJobMissed, "shop nightly cronjob = 0")
		f.expect(metrics.CronJobNextSchedule, "shop nightly cronjob = "+stamp(metav1.NewTime(midnight.Add(time.Hour))))
		time.Sleep(time.Hour + startWithin)
		f.expect(metrics.CronJobMissed, "shop nightly cronjob = 0")
		time.Sleep(time.Second)
		f.expect(metrics.CronJobMissed, "shop nightly cronjob = 1")
		time.Sleep(2 * time.Hour)
		f.expect(metrics.CronJobMissed, "shop nightly cronjob = 3")
		f.set(aCronJob("0 * * * *", ranAt(midnight.Add(3*time.Hour))))
		f.expect(metrics.CronJobMissed, "shop nightly cronjob = 0")
		f.expect(metrics.CronJobLastSchedule, "shop nightly cronjob = "+stamp(metav1.NewTime(midnight.Add(3*time.Hour))))
		time.Sleep(365 * 24 * time.Hour)
		f.expect(metrics.CronJobMissed, "shop nightly cronjob = 100")
		f.expect(metrics.CronJobNextSchedule, "shop nightly cronjob = "+stamp(metav1.NewTime(time.Now().Truncate(time.Hour).Add(time.Hour))))
	})
}

func TestAClockThatIsSetBackTakesMissedRunsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midnight := time.Now()
		f := newFixture(t, aCronJob("0 3 * * *", ranAt(midnight.Add(-21*time.Hour))))
		j := f.cronJobs.sorted()[0].kept
		for _, look := range []struct {
			after time.Duration
			want  int
		}{{time.Hour, 0}, {4 * time.Hour, 1}, {3*time.Hour - time.Minute, 0}, {100 * time.Hour, 5}, {3*time.Hour + time.Minute, 1}} {
			if j.advance(midnight.Add(look.after)); j.missed != look.want {
				t.Errorf("at %v %d are missed, want %d", look.after, j.missed, look.want)
			}
			if next := j.next(midnight.Add(look.after)); !next.After(midnight.Add(look.after).Add(-startWithin)) {
				t.Errorf("at %v the next is to be started at %v, which is past", look.after, next)
			}
		}
	})
}

func TestASuspendedCronJobMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, aCronJob("* * * * *", func(j *batchv1.CronJob) { j.Spec.Suspend = ptr(true) }))
		time.Sleep(24 * time.Hour)
		f.expect(metrics.CronJobMissed, "shop nightly cronjob = 0")
		f.expect(metrics.CronJobNextSchedule)
		f.expect(metrics.CronJobSuspended, "shop nightly cronjob = 1")
		f.expect(metrics.WorkloadPaused, "shop nightly cronjob = 1")
	})
}

func TestASchedulesTimeZoneCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		midnight := time.Now().UTC()
		f := newFixture(t, aCronJob("30 3 * * *", func(j *batchv1.CronJob) { j.Spec.TimeZone = ptr("Asia/Kolkata") }))
		// 03:30 in Kolkata is 22:00 the day before.
		f.expect(metrics.CronJobNextSchedule, "shop nightly cronjob = "+stamp(metav1.NewTime(midnight.Add(22*time.Hour))))
	})
}

func TestAScheduleThatCannotBeUnderstoodIsNotKnown(t *testing.T) {
	for _, schedule := range []string{"", "nonsense", "TZ=", "TZ=UTC 0 0 * * *", "CRON_TZ=x", "0 0 31 2 *", "99 * * * *", "@every x"} {
		f := newFixture(t, aCronJob(schedule))
		f.expect(metrics.CronJobNextSchedule)
		f.expect(metrics.CronJobSuspended, "shop nightly cronjob = 0")
	}
	f := newFixture(t, aCronJob("0 0 * * *", func(j *batchv1.CronJob) { j.Spec.TimeZone = ptr("../../etc/passwd") }))
	f.expect(metrics.CronJobNextSchedule)
	f.expect(metrics.CronJobMissed)
}

func anAutoscaler(name, kind string, changes ...func(*autoscalingv2.HorizontalPodAutoscaler)) *autoscalingv2.HorizontalPodAutoscaler {
	a := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: object(name)}
	a.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{Kind: kind, Name: "web"}
	a.Spec.MaxReplicas, a.Status.CurrentReplicas, a.Status.DesiredReplicas = 10, 4, 5
	return with(a, changes...)
}

func autoscalerSays(kind autoscalingv2.HorizontalPodAutoscalerConditionType, status corev1.ConditionStatus, reason string) func(*autoscalingv2.HorizontalPodAutoscaler) {
	return func(a *autoscalingv2.HorizontalPodAutoscaler) {
		a.Status.Conditions = append(a.Status.Conditions, autoscalingv2.HorizontalPodAutoscalerCondition{Type: kind, Status: status, Reason: reason})
	}
}

func TestAnAutoscalerSaysWhatHoldsItUp(t *testing.T) {
	limited := func(reason string) func(*autoscalingv2.HorizontalPodAutoscaler) {
		return autoscalerSays(autoscalingv2.ScalingLimited, corev1.ConditionTrue, reason)
	}
	f := newFixture(t,
		anAutoscaler("a", "Deployment", limited("TooManyReplicas")),
		anAutoscaler("b", "StatefulSet", limited("TooFewReplicas")),
		anAutoscaler("c", "Rollout", limited("ScaleUpLimit")),
		anAutoscaler("d", "Deployment", autoscalerSays(autoscalingv2.ScalingLimited, corev1.ConditionFalse, "DesiredWithinRange")),
		// The metrics' loss counts for more than the bound that was found before.
		anAutoscaler("e", "Deployment", limited("TooManyReplicas"), autoscalerSays(autoscalingv2.ScalingActive, corev1.ConditionFalse, "FailedGetResourceMetric")),
		anAutoscaler("f", "Deployment", autoscalerSays(autoscalingv2.ScalingActive, corev1.ConditionFalse, "ScalingDisabled")),
		anAutoscaler("g", "Gone", autoscalerSays(autoscalingv2.AbleToScale, corev1.ConditionFalse, "FailedGetScale")),
		anAutoscaler("h", "Deployment", limited("new in Kubernetes 2")),
	)
	f.expect(metrics.AutoscalerLimited, "shop a web deployment max_replicas = 1", "shop b web statefulset min_replicas = 1",
		"shop c web rollout scale_up_rate = 1", "shop e web deployment metrics_missing = 1", "shop f web deployment disabled = 1",
		"shop g web  target_missing = 1", "shop h web deployment other = 1")
	if got := f.served(metrics.AutoscalerMin)[0]; got != "shop a web deployment = 1" {
		t.Errorf("got %s: without a minimum it is 1", got)
	}
	if got := f.served(metrics.AutoscalerDesired)[0]; got != "shop a web deployment = 5" {
		t.Errorf("got %s", got)
	}
}

func TestANodeSaysHowItIsAndWhatItHas(t *testing.T) {
	f := newFixture(t, aNode("n1", func(n *corev1.Node) {
		n.Labels = map[string]string{labelControlPlane: ""}
		n.Spec.Unschedulable, n.Status.NodeInfo.KubeletVersion = true, "v1.36.3"
		n.Status.Conditions = append(n.Status.Conditions,
			corev1.NodeCondition{Type: corev1.NodeDiskPressure, Status: corev1.ConditionTrue},
			corev1.NodeCondition{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionUnknown},
			corev1.NodeCondition{Type: "MadeUp", Status: corev1.ConditionTrue})
		n.Status.Capacity = corev1.ResourceList{"cpu": resource.MustParse("1500m"), "pods": resource.MustParse("110"), "example.com/x": resource.MustParse("1")}
		n.Status.Allocatable = corev1.ResourceList{"memory": resource.MustParse("1Gi")}
	}), aNode("n2", func(n *corev1.Node) { n.Status.Conditions[0].Status = corev1.ConditionFalse }), aNode("n3", func(n *corev1.Node) { n.Status.Conditions = nil }))
	f.expect(metrics.NodeInfo, "n1 control_plane v1.36.3 = 1", "n2 worker  = 1", "n3 worker  = 1")
	f.expect(metrics.NodeReady, "n1 = 1", "n2 = 0")
	f.expect(metrics.NodeSchedulable, "n1 = 0", "n2 = 1", "n3 = 1")
	f.expect(metrics.NodeCondition, "n1 disk_pressure = 1")
	f.expect(metrics.NodeCapacity, "n1 cpu core = 1.5", "n1 pods integer = 110")
	f.expect(metrics.NodeAllocatable, "n1 memory byte = 1073741824")
}

func TestOwnersAreFoundAndInherited(t *testing.T) {
	shop := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "shop"}}}
	noted := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "noted", Annotations: map[string]string{"example.com/owner": "writers"}}}
	long := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "long", Annotations: map[string]string{"example.com/owner": string(make([]byte, 5000))}}}
	f := newFixture(t, shop, noted, long,
		aDeployment(func(d *appsv1.Deployment) { d.Labels = map[string]string{"team": "web"} }), aSet("a", 3), aCronJob("@daily"), aJob("by-hand", ""),
		aPod("bare", func(p *corev1.Pod) { p.OwnerReferences = nil }),
		aPod("elsewhere", func(p *corev1.Pod) { p.OwnerReferences, p.Namespace = nil, "long" }))
	f.expect(metrics.NamespaceOwner, "noted writers = 1", "shop shop = 1")
	f.expect(metrics.WorkloadOwner, "shop web deployment web = 1", "shop web statefulset shop = 1",
		"shop nightly cronjob shop = 1", "shop by-hand job shop = 1", "shop bare pod shop = 1")
	f.stale[resourceNamespaces] = true
	f.expect(metrics.WorkloadOwner, "shop web deployment web = 1")
}
