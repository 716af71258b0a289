package kubernetes

import (
	"testing"
	"testing/synctest"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
)

// aPod is a running pod of deployment web.
func aPod(name string, changes ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: object(name)}
	p.Labels = map[string]string{"app": "web", "pod-template-hash": "5d4"}
	p.OwnerReferences = controlledBy("apps/v1", "ReplicaSet", "web-5d4")
	p.Spec.NodeName = "n1"
	p.Spec.Containers = []corev1.Container{{Name: "app", Image: "registry.example/web:1"}}
	p.Status.Phase, p.Status.QOSClass = corev1.PodRunning, corev1.PodQOSBurstable
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", ImageID: "registry.example/web@sha256:ab"}}
	return with(p, changes...)
}

func app(p *corev1.Pod) *corev1.ContainerStatus { return &p.Status.ContainerStatuses[0] }

func restarted(times int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) { app(p).RestartCount = times }
}

func TestAPodIsServedWithItsPlace(t *testing.T) {
	f := newFixture(t, aPod("web-5d4-a"))
	f.expect(metrics.PodInfo, "shop web-5d4-a web deployment n1 uid-web-5d4-a burstable false = 1")
	f.expect(metrics.PodPhase, "shop web-5d4-a web deployment running = 1")
	f.expect(metrics.PodOverdue)
	f.expect(metrics.ContainerImage, "shop web-5d4-a app web deployment registry.example/web:1 sha256:ab app = 1")
	f.expect(metrics.ContainerWaiting)
	f.expect(metrics.ContainerLastReason)
}

func TestAPodThatIsGoneIsNotServed(t *testing.T) {
	p := aPod("web-5d4-a")
	f := newFixture(t, p)
	f.remove(p)
	f.expect(metrics.PodInfo)
	f.list(aPod("web-5d4-a"), aPod("web-5d4-b"))
	f.list(aPod("web-5d4-b"))
	f.expect(metrics.PodPhase, "shop web-5d4-b web deployment running = 1")
	if len(f.accounts) != 1 || len(f.selections) != 1 {
		t.Errorf("%d accounts and %d selections are left", len(f.accounts), len(f.selections))
	}
}

func TestWhatIsStaleIsNotServed(t *testing.T) {
	f := newFixture(t, aPod("web-5d4-a"), aNode("n1"))
	f.stale[resourcePods] = true
	f.expect(metrics.PodInfo)
	f.expect(metrics.NodeReady, "n1 = 1")
}

func TestAPodIsOverdueInAPhaseThatItShouldLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := aNode("n2", func(n *corev1.Node) {
			n.Status.Conditions[0].Status, n.Status.Conditions[0].LastTransitionTime = corev1.ConditionUnknown, ago(2*time.Minute)
		})
		f := newFixture(t, lost,
			aPod("a-pending", func(p *corev1.Pod) { p.Status.Phase, p.CreationTimestamp = corev1.PodPending, ago(time.Hour) }),
			aPod("b-ended", func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }),
			aPod("c-terminating", func(p *corev1.Pod) { p.DeletionTimestamp = ptr(ago(time.Minute)) }),
			aPod("d-within-grace", func(p *corev1.Pod) { p.DeletionTimestamp = ptr(ago(-time.Minute)) }),
			aPod("e-on-lost-node", func(p *corev1.Pod) { p.Spec.NodeName = "n2" }),
			aPod("f-new", func(p *corev1.Pod) { p.Status.Phase = "" }),
		)
		time.Sleep(time.Second)
		f.expect(metrics.PodPhase,
			"shop a-pending web deployment pending = 1", "shop b-ended web deployment failed = 1",
			"shop c-terminating web deployment terminating = 1", "shop d-within-grace web deployment terminating = 1",
			"shop e-on-lost-node web deployment unknown = 1", "shop f-new web deployment pending = 1")
		f.expect(metrics.PodOverdue,
			"shop a-pending web deployment pending = 3601", "shop c-terminating web deployment terminating = 61",
			"shop e-on-lost-node web deployment unknown = 121", "shop f-new web deployment pending = 1")
	})
}

func TestAContainerSaysWhyItWaitsAndHowItEnded(t *testing.T) {
	at := ago(time.Minute)
	f := newFixture(t,
		aPod("a", func(p *corev1.Pod) {
			app(p).State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "hostile"}
			app(p).LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137, FinishedAt: at}
		}),
		aPod("b", func(p *corev1.Pod) {
			app(p).State.Waiting = &corev1.ContainerStateWaiting{Reason: "made up by a plugin"}
		}),
		aPod("c", func(p *corev1.Pod) {
			app(p).State.Terminated = &corev1.ContainerStateTerminated{Reason: "Error", ExitCode: 3}
			app(p).LastTerminationState.Terminated = &corev1.ContainerStateTerminated{Reason: "OOMKilled", ExitCode: 137}
		}),
	)
	f.expect(metrics.ContainerWaiting, "shop a app web deployment crash_loop_back_off = 1", "shop b app web deployment other = 1")
	f.expect(metrics.ContainerLastReason, "shop a app web deployment oom_killed = 1", "shop c app web deployment error = 1")
	f.expect(metrics.ContainerLastExitCode, "shop a app web deployment = 137", "shop c app web deployment = 3")
	f.expect(metrics.ContainerLastSignal, "shop a app web deployment = 9")
	f.expect(metrics.ContainerLastTime, "shop a app web deployment = "+stamp(at))
}

func TestContainersOfAPodThatNoNodeTakesSaySo(t *testing.T) {
	waiting := func(reason string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.NodeName, p.Status.Phase, p.Status.ContainerStatuses = "", corev1.PodPending, nil
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: reason}}
		}
	}
	f := newFixture(t, aPod("a", waiting("Unschedulable")), aPod("b", waiting("SchedulingGated")), aPod("c", waiting("SchedulerError")))
	f.expect(metrics.ContainerWaiting, "shop a app web deployment no_suitable_node = 1", "shop b app web deployment scheduling_gated = 1")
}

func TestContainersAreToldApartByKind(t *testing.T) {
	f := newFixture(t, aPod("a", func(p *corev1.Pod) {
		p.Spec.InitContainers = []corev1.Container{{Name: "first"}, {Name: "side", RestartPolicy: ptr(corev1.ContainerRestartPolicyAlways)}}
		p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug"}}}
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "side", ImageID: "sha256:of-a-configuration"}}
	}))
	f.expect(metrics.ContainerImage,
		"shop a first web deployment   init = 1", "shop a side web deployment   sidecar = 1",
		"shop a app web deployment registry.example/web:1 sha256:ab app = 1", "shop a debug web deployment   ephemeral = 1")
}

func TestRestartsAreCountedByWorkloadFromTheExportersStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, aPod("a", restarted(7)))
		f.counted(metrics.Restarts, "shop web deployment app = 0")
		f.set(aPod("a", restarted(8)), aPod("a", restarted(8)), aPod("a", restarted(10)))
		f.counted(metrics.Restarts, "shop web deployment app = 3")

		time.Sleep(time.Minute)
		f.set(aPod("b", restarted(1))) // made since, and seen late
		f.counted(metrics.Restarts, "shop web deployment app = 4")
		f.remove(aPod("b", restarted(2))) // its last state was not told before
		f.counted(metrics.Restarts, "shop web deployment app = 5")

		f.list(aPod("a", restarted(11), func(p *corev1.Pod) { p.CreationTimestamp = ago(time.Minute) }),
			aPod("c", restarted(9), func(p *corev1.Pod) { p.CreationTimestamp = ago(time.Hour) })) // there all the time, as with a namespace that may be read now
		f.counted(metrics.Restarts, "shop web deployment app = 6")

		f.set(aPod("a", restarted(2), func(p *corev1.Pod) { p.UID = "another" })) // a new pod of the name
		f.counted(metrics.Restarts, "shop web deployment app = 8")
		f.set(aPod("a", restarted(0), func(p *corev1.Pod) { p.UID = "another" })) // a kubelet that has lost its memory
		f.counted(metrics.Restarts, "shop web deployment app = 8")
	})
}

func TestCountersGoAnHourAfterTheLastPod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, aPod("a"))
		f.counted(metrics.Restarts, "shop web deployment app = 0")
		time.Sleep(24 * time.Hour)
		f.counted(metrics.Restarts, "shop web deployment app = 0")
		f.remove(aPod("a"))
		time.Sleep(time.Hour - time.Second)
		f.expect(metrics.Restarts, "shop web deployment app = 0")
		time.Sleep(2 * time.Second)
		f.expect(metrics.Restarts)
	})
}

func ofJobNamed(job string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.OwnerReferences = controlledBy("batch/v1", "Job", job) }
}

func aJob(name, cronJob string, changes ...func(*batchv1.Job)) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: object(name)}
	if cronJob != "" {
		j.OwnerReferences = controlledBy("batch/v1", "CronJob", cronJob)
	}
	return with(j, changes...)
}

func TestAJobsPodBelongsToWhatMadeTheJob(t *testing.T) {
	f := newFixture(t)
	pod := aPod("p", ofJobNamed("by-hand"))
	f.set(pod)
	f.expect(metrics.PodPhase, "shop p by-hand job running = 1")
	f.set(aJob("by-hand", "nightly"))
	f.expect(metrics.PodPhase, "shop p nightly cronjob running = 1")
	f.set(aPod("q", ofJobNamed("by-hand")), aPod("r", ofJobNamed("alone-29000000")), aJob("alone-29000000", ""))
	f.expect(metrics.PodPhase, "shop p nightly cronjob running = 1", "shop q nightly cronjob running = 1", "shop r alone-29000000 job running = 1")

	// Pods outlive their Job by a moment.
	f.remove(aJob("by-hand", "nightly"))
	f.set(aPod("p", ofJobNamed("by-hand")))
	f.expect(metrics.PodPhase, "shop p nightly cronjob running = 1", "shop q nightly cronjob running = 1", "shop r alone-29000000 job running = 1")
	f.list()
	if len(f.accounts)+len(f.guessed)+len(f.selections) != 0 {
		t.Errorf("left: %v %v %v", f.accounts, f.guessed, f.selections)
	}
}

func aNode(name string, changes ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	return with(n, changes...)
}
