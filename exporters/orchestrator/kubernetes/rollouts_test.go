package kubernetes

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/metrics"
)

// aDeployment is one of three pods that are all there, of revision 1.
func aDeployment(changes ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: object("web")}
	d.Annotations = map[string]string{annotationRevision: "1"}
	d.Spec.Replicas, d.Spec.ProgressDeadlineSeconds = ptr(int32(3)), ptr(int32(600))
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 3, ReadyReplicas: 3, AvailableReplicas: 3}
	return with(d, append([]func(*appsv1.Deployment){says("NewReplicaSetAvailable", ago(time.Hour))}, changes...)...)
}

// says is what a Deployment says of its progress.
func says(reason string, at metav1.Time) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Reason: reason, LastUpdateTime: at}}
	}
}

// at is a Deployment's revision, its generation, and how many pods are of it.
func revisionIs(revision, updated int) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.Annotations = map[string]string{annotationRevision: fmt.Sprint(revision)}
		d.Generation, d.Status.ObservedGeneration = int64(revision), int64(revision)
		d.Status.UpdatedReplicas = int32(updated)
	}
}

// aRevision is a ReplicaSet of the Deployment.
func aRevision(name string, revision int, history string) *appsv1.ReplicaSet {
	r := &appsv1.ReplicaSet{ObjectMeta: object(name)}
	r.OwnerReferences = controlledBy("apps/v1", "Deployment", "web")
	r.Annotations = map[string]string{annotationRevision: fmt.Sprint(revision)}
	if history != "" {
		r.Annotations[annotationHistory] = history
	}
	return r
}

func results(kind string, completed, failed, rolledBack int) []string {
	return []string{
		fmt.Sprintf("shop web %s completed = %d", kind, completed), fmt.Sprintf("shop web %s failed = %d", kind, failed),
		fmt.Sprintf("shop web %s rolled_back = %d", kind, rolledBack),
	}
}

func (f *fixture) rollout(kind, state string) {
	f.t.Helper()
	f.expect(metrics.RolloutState, "shop web "+kind+" "+state+" = 1")
}

func TestADeploymentIsServedAsItIs(t *testing.T) {
	f := newFixture(t, aDeployment(func(d *appsv1.Deployment) {
		d.Spec.Paused, d.Generation = true, 4
		d.Status.Replicas, d.Status.UpdatedReplicas, d.Status.ReadyReplicas, d.Status.AvailableReplicas = 5, 2, 4, 3
	}), aPod("a", func(p *corev1.Pod) {
		p.Spec.NodeName = ""
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable}}
	}))
	f.expect(metrics.ReplicasDesired, "shop web deployment = 3")
	f.expect(metrics.ReplicasCurrent, "shop web deployment = 5")
	f.expect(metrics.ReplicasUpdated, "shop web deployment = 2")
	f.expect(metrics.ReplicasReady, "shop web deployment = 4")
	f.expect(metrics.ReplicasAvailable, "shop web deployment = 3")
	f.expect(metrics.ReplicasSchedulable, "shop web deployment = 2")
	f.expect(metrics.WorkloadPaused, "shop web deployment = 1")
	f.expect(metrics.WorkloadGenerationLag, "shop web deployment = 3")
	f.stale[resourcePods] = true
	f.expect(metrics.ReplicasSchedulable)
}

func TestWhatWasDoneBeforeTheStartIsServedAndNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, aDeployment(), aRevision("web-1", 1, ""))
		f.rollout("deployment", "complete")
		f.expect(metrics.RolloutEnd, "shop web deployment = "+stamp(ago(time.Hour)))
		f.counted(metrics.Rollouts, results("deployment", 0, 0, 0)...)
		f.set(aDeployment(func(d *appsv1.Deployment) { // scaling, up and down, and the loss of a pod
			d.Spec.Replicas, d.Status.AvailableReplicas, d.Generation = ptr(int32(9)), 2, 2
		}))
		f.rollout("deployment", "complete")
		f.counted(metrics.Rollouts, results("deployment", 0, 0, 0)...)
	})
}

func TestARolloutIsFollowedToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := ago(time.Hour)
		f := newFixture(t, aDeployment(says("NewReplicaSetAvailable", before)), aRevision("web-1", 1, ""))
		time.Sleep(time.Minute)
		began := ago(0)
		f.set(aRevision("web-2", 2, ""))
		time.Sleep(time.Second)
		// At first it says of the new revision what it said of the former.
		f.set(aDeployment(says("NewReplicaSetAvailable", before), revisionIs(2, 3)))
		f.rollout("deployment", "progressing")
		f.set(aDeployment(says("ReplicaSetUpdated", ago(0)), revisionIs(2, 1)))
		f.rollout("deployment", "progressing")
		f.expect(metrics.RolloutStart, "shop web deployment = "+stamp(began))
		f.expect(metrics.RolloutEnd)
		f.counted(metrics.Rollouts, results("deployment", 0, 0, 0)...)
		time.Sleep(time.Minute)
		f.set(aDeployment(says("NewReplicaSetAvailable", ago(0)), revisionIs(2, 3)))
		f.rollout("deployment", "complete")
		f.expect(metrics.RolloutStart, "shop web deployment = "+stamp(began))
		f.expect(metrics.RolloutEnd, "shop web deployment = "+stamp(ago(0)))
		f.set(aDeployment(says("NewReplicaSetAvailable", ago(0)), revisionIs(2, 3)))
		f.counted(metrics.Rollouts, results("deployment", 1, 0, 0)...)
	})
}

func TestARolloutPastItsDeadlineFailsOnceAndMayBeCompletedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, aDeployment(), aRevision("web-1", 1, ""))
		f.set(aRevision("web-2", 2, ""), aDeployment(says("ReplicaSetUpdated", ago(0)), revisionIs(2, 1)))
		time.Sleep(10 * time.Minute)
		late := aDeployment(says("ProgressDeadlineExceeded", ago(0)), revisionIs(2, 1))
		f.set(late, late)
		f.rollout("deployment", "stalled")
		f.counted(metrics.Rollouts, results("deployment", 0, 1, 0)...)
		f.set(aDeployment(says("ReplicaSetUpdated", ago(0)), revisionIs(2, 2)))
		f.rollout("deployment", "progressing")
		f.set(aDeployment(says("NewReplicaSetAvailable", ago(0)), revisionIs(2, 3)))
		f.rollout("deployment", "complete")
		f.counted(metrics.Rollouts, results("deployment", 1, 1, 0)...)
	})
}

func TestARolloutIsNotTakenForTheFormerThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, aDeployment(), aRevision("web-1", 1, ""))
		late := ago(0)
		f.set(aRevision("web-2", 2, ""), aDeployment(says("ProgressDeadlineExceeded", late), revisionIs(2, 1)))
		f.rollout("deployment", "stalled")
		f.set(aRevision("web-1", 3, "1"), aDeployment(says("ProgressDeadlineExceeded", late), revisionIs(3, 2)))
		f.rollout("deployment", "rolling_back")
		f.counted(metrics.Rollouts, results("deployment", 0, 1, 0)...)
		f.set(aDeployment(says("NewReplicaSetAvailable", ago(0)), revisionIs(3, 3)))
		f.counted(metrics.Rollouts, results("deployment", 0, 1, 1)...)
		// One that never begins says no more than that, and fails when its time is over.
		f.set(aDeployment(says("ProgressDeadlineExceeded", late), revisionIs(4, 1)))
		f.counted(metrics.Rollouts, results("deployment", 0, 2, 1)...)
		f.set(aRevision("web-2", 5, "2"), aDeployment(says("ProgressDeadlineExceeded", late), revisionIs(5, 1)))
		f.counted(metrics.Rollouts, results("deployment", 0, 2, 1)...)
		time.Sleep(progressDeadline + time.Second)
		f.rollout("deployment", "stalled")
		f.counted(metrics.Rollouts, results("deployment", 0, 3, 1)...)
	})
}

func TestARevisionThatIsPutBackIsARollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, aDeployment(revisionIs(2, 3)), aRevision("web-1", 1, ""), aRevision("web-2", 2, ""))
		time.Sleep(time.Minute)
		began := ago(0)
		f.set(aRevision("web-1", 3, "1"), aDeployment(revisionIs(3, 0)))
		time.Sleep(time.Second)
		f.set(aDeployment(says("ReplicaSetUpdated", ago(0)), revisionIs(3, 2)))
		f.rollout("deployment", "rolling_back")
		f.expect(metrics.RolloutStart, "shop web deployment = "+stamp(began)) // not when the ReplicaSet was made
		f.set(aDeployment(says("NewReplicaSetAvailable", ago(0)), revisionIs(3, 3)))
		f.rollout("deployment", "complete")
		f.counted(metrics.Rollouts, results("deployment", 0, 0, 1)...)
	})
}

func TestAResultWaitsForTheWordOfTheRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, aDeployment(revisionIs(2, 3)), aRevision("web-1", 1, ""), aRevision("web-2", 2, ""))
		f.set(aDeployment(says("NewReplicaSetAvailable", ago(0)), revisionIs(3, 3)))
		f.counted(metrics.Rollouts, results("deployment", 0, 0, 0)...)
		f.set(aRevision("web-1", 3, "1"))
		f.counted(metrics.Rollouts, results("deployment", 0, 0, 1)...)
		// Where ReplicaSets may not be read, it does not come.
		f.set(aDeployment(says("NewReplicaSetAvailable", ago(-time.Second)), revisionIs(4, 3)))
		f.counted(metrics.Rollouts, results("deployment", 0, 0, 1)...)
		time.Sleep(time.Minute)
		f.counted(metrics.Rollouts, results("deployment", 1, 0, 1)...)
	})
}

func TestANewDeploymentsFirstRolloutCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		time.Sleep(time.Second)
		fresh := func(d *appsv1.Deployment) { d.Annotations, d.Status = nil, appsv1.DeploymentStatus{} }
		f.set(aDeployment(fresh), aRevision("web-1", 1, ""), aDeployment(says("NewReplicaSetCreated", ago(0)), revisionIs(1, 0)))
		f.rollout("deployment", "progressing")
		f.set(aDeployment(says("NewReplicaSetAvailable", ago(0))))
		f.rollout("deployment", "complete")
		f.counted(metrics.Rollouts, results("deployment", 1, 0, 0)...)
		f.remove(aDeployment())
		f.expect(metrics.RolloutState)
		f.counted(metrics.Rollouts, results("deployment", 1, 0, 0)...)
	})
}

func TestADeploymentWithoutADeadlineIsJudgedByItsNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(d *appsv1.Deployment) { d.Spec.ProgressDeadlineSeconds, d.Status.Conditions = nil, nil }
		f := newFixture(t, aDeployment(silent), aRevision("web-1", 1, ""))
		f.rollout("deployment", "complete")
		f.set(aRevision("web-2", 2, ""), aDeployment(silent, revisionIs(2, 3), func(d *appsv1.Deployment) { d.Status.ObservedGeneration = 1 }))
		f.rollout("deployment", "progressing") // these are numbers of the former revision
		f.set(aDeployment(silent, revisionIs(2, 1)))
		f.rollout("deployment", "progressing")
		time.Sleep(progressDeadline + time.Second)
		f.rollout("deployment", "stalled")
		f.set(aDeployment(silent, revisionIs(2, 3)))
		f.rollout("deployment", "complete")
		f.counted(metrics.Rollouts, results("deployment", 1, 1, 0)...)
	})
}

func TestADeploymentScaledToNothingIsRolledOutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		none := func(d *appsv1.Deployment) {
			d.Spec.Replicas, d.Status = ptr(int32(0)), appsv1.DeploymentStatus{ObservedGeneration: d.Status.ObservedGeneration, Conditions: d.Status.Conditions}
		}
		f := newFixture(t, aDeployment(revisionIs(2, 0), none), aRevision("web-1", 1, ""), aRevision("web-2", 2, ""))
		f.set(aRevision("web-1", 3, "1"), aDeployment(revisionIs(3, 0), none))
		f.rollout("deployment", "complete")
		f.counted(metrics.Rollouts, results("deployment", 0, 0, 1)...)
	})
}

func aSet(revision string, updated int32, changes ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{ObjectMeta: object("web")}
	s.Spec.Replicas, s.Spec.UpdateStrategy.Type = ptr(int32(3)), appsv1.RollingUpdateStatefulSetStrategyType
	s.Status = appsv1.StatefulSetStatus{
		ObservedGeneration: 1, Replicas: 3, ReadyReplicas: 3, AvailableReplicas: 3, UpdatedReplicas: updated, UpdateRevision: revision,
	}
	return with(s, changes...)
}

func aControllerRevision(name string, number int64, created metav1.Time) *appsv1.ControllerRevision {
	r := &appsv1.ControllerRevision{ObjectMeta: object(name), Revision: number}
	r.CreationTimestamp, r.OwnerReferences = created, controlledBy("apps/v1", "StatefulSet", "web")
	return r
}

func TestAStatefulSetsRolloutIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := ago(time.Hour)
		f := newFixture(t, aSet("web-a", 3), aControllerRevision("web-a", 1, first))
		f.rollout("statefulset", "complete")
		f.set(aControllerRevision("web-b", 2, ago(0)), aSet("web-b", 0))
		f.rollout("statefulset", "progressing")
		f.expect(metrics.RolloutStart, "shop web statefulset = "+stamp(ago(0)))
		time.Sleep(progressDeadline + time.Second)
		f.rollout("statefulset", "stalled")
		f.set(aControllerRevision("web-a", 3, first), aSet("web-a", 2))
		f.rollout("statefulset", "rolling_back")
		f.set(aSet("web-a", 3))
		f.rollout("statefulset", "complete")
		f.counted(metrics.Rollouts, results("statefulset", 0, 1, 1)...)
	})
}

func TestARollbackWithinASecondIsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		now := ago(0)
		f.set(aControllerRevision("web-a", 1, now), aSet("web-a", 3), aControllerRevision("web-b", 2, now), aSet("web-b", 3))
		f.counted(metrics.Rollouts, results("statefulset", 2, 0, 0)...)
		f.set(aSet("web-a", 3)) // its revision's new number comes later
		f.counted(metrics.Rollouts, results("statefulset", 2, 0, 0)...)
		f.set(aControllerRevision("web-a", 3, now), aControllerRevision("web-a", 3, now))
		f.counted(metrics.Rollouts, results("statefulset", 2, 0, 1)...)
		f.set(aControllerRevision("web-c", 4, now), aSet("web-c", 3))
		f.counted(metrics.Rollouts, results("statefulset", 3, 0, 1)...)
	})
}

func TestAPartitionedRolloutIsCompleteWhereItEnds(t *testing.T) {
	partition := func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: ptr(int32(2))}
	}
	f := newFixture(t, aSet("web-a", 3), aControllerRevision("web-a", 1, ago(time.Hour)))
	f.set(aControllerRevision("web-b", 2, ago(0)), aSet("web-b", 0, partition))
	f.rollout("statefulset", "progressing")
	f.set(aSet("web-b", 1, partition))
	f.rollout("statefulset", "complete")
}

func TestARolloutThatWaitsForPodsToBeDeletedDoesNotStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		byHand := func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType }
		f := newFixture(t, aSet("web-a", 3, byHand))
		f.set(aSet("web-b", 1, byHand))
		time.Sleep(24 * time.Hour)
		f.rollout("statefulset", "progressing")
		f.counted(metrics.Rollouts, results("statefulset", 0, 0, 0)...)
	})
}

func aDaemon(template string, updated int32, observed int64) *appsv1.DaemonSet {
	d := &appsv1.DaemonSet{ObjectMeta: object("web")}
	d.Generation, d.Annotations = 2, map[string]string{appsv1.DeprecatedTemplateGeneration: template}
	d.Status = appsv1.DaemonSetStatus{
		ObservedGeneration: observed, DesiredNumberScheduled: 3, CurrentNumberScheduled: 3, NumberReady: 3, NumberAvailable: 3, UpdatedNumberScheduled: updated,
	}
	return d
}

func TestADaemonSetsRolloutIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := ago(time.Hour)
		f := newFixture(t, aDaemon("1", 3, 2), aControllerRevision("web-a", 1, first))
		f.expect(metrics.ReplicasSchedulable, "shop web daemonset = 3")
		f.rollout("daemonset", "complete")
		f.set(aDaemon("2", 3, 1)) // its status is of the former template
		f.rollout("daemonset", "progressing")
		f.set(aControllerRevision("web-b", 2, ago(0)), aDaemon("2", 1, 2), aDaemon("2", 3, 2))
		f.rollout("daemonset", "complete")
		f.set(aControllerRevision("web-a", 3, first), aDaemon("3", 1, 2))
		f.rollout("daemonset", "rolling_back")
		f.set(aDaemon("3", 3, 2))
		f.counted(metrics.Rollouts, results("daemonset", 1, 0, 1)...)
	})
}

func TestReplicaSetsAreWorkloadsWhereNoDeploymentIsAboveThem(t *testing.T) {
	of := func(name, owner string, template map[string]string, n int32) *appsv1.ReplicaSet {
		r := &appsv1.ReplicaSet{ObjectMeta: object(name)}
		if owner != "" {
			r.OwnerReferences = controlledBy("argoproj.io/v1alpha1", "Rollout", owner)
		}
		r.Spec.Replicas, r.Spec.Template.Labels = ptr(n), template
		r.Status = appsv1.ReplicaSetStatus{Replicas: n, ReadyReplicas: n - 1, AvailableReplicas: n - 2}
		return r
	}
	rc := &corev1.ReplicationController{ObjectMeta: object("old-3")}
	rc.Spec.Template = &corev1.PodTemplateSpec{}
	rc.Spec.Template.Annotations = map[string]string{"openshift.io/deployment-config.name": "old"}
	f := newFixture(t, aRevision("web-1", 1, ""), of("bare", "", nil, 2), rc,
		of("blue-77", "blue", map[string]string{"rollouts-pod-template-hash": "77"}, 4),
		of("blue-78", "blue", map[string]string{"rollouts-pod-template-hash": "78"}, 3))
	f.expect(metrics.ReplicasDesired, "shop bare replicaset = 2", "shop blue rollout = 7", "shop old deploymentconfig = 1")
	f.expect(metrics.ReplicasAvailable, "shop bare replicaset = 0", "shop blue rollout = 3", "shop old deploymentconfig = 0")
	f.expect(metrics.ReplicasUpdated)
	f.expect(metrics.RolloutState)
}
