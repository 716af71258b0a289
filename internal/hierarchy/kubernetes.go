package hierarchy

import (
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Labels and annotations by which the owner of an owner is known.
const (
	labelPodTemplateHash        = "pod-template-hash"
	labelRolloutPodTemplateHash = "rollouts-pod-template-hash"
	annotationDeploymentConfig  = "openshift.io/deployment-config.name"
)

// CronJobs answers which CronJob made a Job. ok is false when that is not known,
// not when the Job is known to have none; then the name is empty.
type CronJobs interface {
	CronJobOf(namespace, job string) (name string, ok bool)
}

// OfPod finds the workload of a Kubernetes pod: the highest built-in controller, an
// Argo Rollout or a DeploymentConfig, else the pod itself. jobs may be nil.
//
// A pod names only the controller right above it. What is above that follows from
// names: a Deployment's ReplicaSet ends in the pod-template-hash (an Argo
// Rollout's in rollouts-pod-template-hash), a CronJob's Job in the scheduled time
// in minutes, unless jobs knows better. Static pods are owned by their node and
// stand for themselves.
func OfPod(pod metav1.Object, jobs CronJobs) Workload {
	self := Workload{pod.GetName(), Pod}
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil || owner.Name == "" {
		return self
	}
	group, _, _ := strings.Cut(owner.APIVersion, "/")
	switch owner.Kind {
	case "ReplicaSet":
		return ofReplicaSet(owner.Name, pod.GetLabels())
	case "ReplicationController":
		if name := pod.GetAnnotations()[annotationDeploymentConfig]; name != "" {
			return Workload{name, DeploymentConfig}
		}
		return Workload{owner.Name, ReplicationController}
	case "StatefulSet", "DaemonSet":
		// Other groups (OpenKruise) have kinds of the same names; they are no
		// built-in controllers, but to their users they are the workload.
		return Workload{owner.Name, strings.ToLower(owner.Kind)}
	case "Job":
		if group == "batch" {
			return ofJob(pod.GetNamespace(), owner.Name, jobs)
		}
	}
	return self
}

func ofReplicaSet(name string, labels map[string]string) Workload {
	if hash := labels[labelRolloutPodTemplateHash]; hash != "" {
		if rollout, ok := strings.CutSuffix(name, "-"+hash); ok && rollout != "" {
			return Workload{rollout, Rollout}
		}
	}
	if hash := labels[labelPodTemplateHash]; hash != "" {
		if deployment, ok := strings.CutSuffix(name, "-"+hash); ok && deployment != "" {
			return Workload{deployment, Deployment}
		}
	}
	return Workload{name, ReplicaSet}
}

func ofJob(namespace, name string, jobs CronJobs) Workload {
	if jobs != nil {
		if cronJob, ok := jobs.CronJobOf(namespace, name); ok {
			if cronJob == "" {
				return Workload{name, Job}
			}
			return Workload{cronJob, CronJob}
		}
	}
	if cronJob, ok := cutMinutes(name); ok {
		return Workload{cronJob, CronJob}
	}
	return Workload{name, Job}
}

// firstMinute is the beginning of 2016, when there were no CronJobs yet, in
// minutes since 1970. It tells scheduled times from dates such as 20260131.
const firstMinute = 24192000

// cutMinutes cuts the "-<minutes>" that the CronJob controller appends: the
// scheduled time in minutes since 1970, which has eight digits until 2160.
func cutMinutes(job string) (string, bool) {
	i := strings.LastIndexByte(job, '-')
	if i < 1 || len(job)-i-1 != 8 {
		return "", false
	}
	minutes, err := strconv.ParseUint(job[i+1:], 10, 32)
	return job[:i], err == nil && minutes >= firstMinute
}
