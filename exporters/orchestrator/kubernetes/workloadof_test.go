package kubernetes

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/internal/hierarchy"
)

func TestWhatEventsTellOfBelongsToAWorkload(t *testing.T) {
	yes := true
	owned := func(name, version, kind, owner string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: "shop", Name: name, OwnerReferences: []metav1.OwnerReference{{APIVersion: version, Kind: kind, Name: owner, UID: "1", Controller: &yes}}}
	}
	set := &appsv1.ReplicaSet{ObjectMeta: owned("web-abc", "apps/v1", "Deployment", "web")}
	set.Spec.Template.Labels = map[string]string{"pod-template-hash": "abc"}
	scaler := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "scaler"}}
	scaler.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{Kind: "Deployment", Name: "web"}
	odd := &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "odd"}}
	odd.Spec.ScaleTargetRef = autoscalingv2.CrossVersionObjectReference{Kind: "Widget", Name: "w"}
	f := newFixture(t, set, scaler, odd, &batchv1.Job{ObjectMeta: owned("nightly", "batch/v1", "CronJob", "backup")})
	for about, want := range map[[2]string]hierarchy.Workload{
		{"ReplicaSet", "web-abc"}:             {Name: "web", Type: hierarchy.Deployment},
		{"Job", "nightly"}:                    {Name: "backup", Type: hierarchy.CronJob},
		{"HorizontalPodAutoscaler", "scaler"}: {Name: "web", Type: hierarchy.Deployment},
		{"HorizontalPodAutoscaler", "odd"}:    {},
		{"ReplicaSet", "nightly"}:             {},
		{"Service", "web"}:                    {},
	} {
		if w, ok := f.WorkloadOf(about[0], "shop", about[1]); w != want || ok != (want != hierarchy.Workload{}) {
			t.Errorf("%v belongs to %v, %v; want %v", about, w, ok, want)
		}
	}
}
