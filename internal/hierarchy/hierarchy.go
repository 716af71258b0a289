// Package hierarchy gives every container its place in the one hierarchy that all
// facts are attached to, whatever runs the container: namespace, workload, pod,
// container.
//
// The exporters put these labels on their series themselves, so nobody needs a
// join to aggregate by deployment. Both exporters that know workloads use this
// package, which is why they agree.
package hierarchy

import (
	"strconv"
	"strings"
)

// Default is the namespace of what has none.
const Default = "default"

// Types of workloads. They are the values of the label workload_type.
const (
	Deployment            = "deployment"
	StatefulSet           = "statefulset"
	DaemonSet             = "daemonset"
	CronJob               = "cronjob"
	Job                   = "job"
	ReplicaSet            = "replicaset"
	ReplicationController = "replicationcontroller"
	Rollout               = "rollout"          // Argo Rollouts
	DeploymentConfig      = "deploymentconfig" // OpenShift
	Pod                   = "pod"              // a pod that nothing controls, or nothing known
	Service               = "service"          // Swarm and Compose
	Container             = "container"        // a container that nothing orchestrates
	Task                  = "task"             // the family of a task definition (ECS)
)

// Orchestrators. They are the values of the label orchestrator.
const (
	Kubernetes = "kubernetes"
	Swarm      = "swarm"
	Docker     = "docker"     // plain Docker, Compose projects included
	Containerd = "containerd" // containerd with nothing above it
	ECS        = "ecs"        // Amazon ECS, on Fargate or on instances of one's own
)

// Workload is what a pod belongs to: the highest controller above it.
type Workload struct {
	Name string
	Type string // one of the types of workloads
}

// Place is where a container stands. All fields are set, except that Container is
// empty for what belongs to a pod as a whole.
type Place struct {
	Namespace    string
	Workload     Workload
	Pod          string
	Container    string
	Orchestrator string
}

// Labels that container engines and orchestrators put on containers.
const (
	labelPodName       = "io.kubernetes.pod.name"
	labelPodNamespace  = "io.kubernetes.pod.namespace"
	labelPodUID        = "io.kubernetes.pod.uid"
	labelContainerName = "io.kubernetes.container.name"

	labelSwarmService = "com.docker.swarm.service.name"
	labelSwarmTask    = "com.docker.swarm.task.name"
	labelSwarmTaskID  = "com.docker.swarm.task.id"
	labelStack        = "com.docker.stack.namespace"

	labelECSFamily    = "com.amazonaws.ecs.task-definition-family"
	labelECSTask      = "com.amazonaws.ecs.task-arn"
	labelECSContainer = "com.amazonaws.ecs.container-name"

	labelComposeProject = "com.docker.compose.project"
	labelComposeService = "com.docker.compose.service"
)

// OfLabels places a container by what its engine knows: its name and labels. The
// engine is Docker or Containerd, for containers that nothing orchestrates.
//
// A Kubernetes container's labels do not say what controls its pod, so the
// workload is the pod until the kubelet says more.
func OfLabels(engine, name string, labels map[string]string) Place {
	switch {
	case labels[labelPodName] != "":
		pod := labels[labelPodName]
		return Place{
			Namespace: or(labels[labelPodNamespace], Default), Workload: Workload{pod, Pod},
			Pod: pod, Container: labels[labelContainerName], Orchestrator: Kubernetes,
		}
	case labels[labelSwarmService] != "":
		service := labels[labelSwarmService]
		return Place{
			Namespace: or(labels[labelStack], Default), Workload: Workload{service, Service},
			// A task's container is named after the task's id, which changes with
			// each restart: the service's name is the one that stays.
			Pod: or(swarmSlot(labels), name), Container: service, Orchestrator: Swarm,
		}
	case labels[labelECSFamily] != "" && labels[labelECSTask] != "":
		return OfTask(labels[labelECSFamily], labels[labelECSTask], or(labels[labelECSContainer], name))
	case labels[labelComposeProject] != "" && labels[labelComposeService] != "":
		return Place{
			Namespace: labels[labelComposeProject], Workload: Workload{labels[labelComposeService], Service},
			Pod: name, Container: name, Orchestrator: Docker,
		}
	}
	return Place{
		Namespace: Default, Workload: Workload{name, Container},
		Pod: name, Container: name, Orchestrator: engine,
	}
}

// OfSwarmTask places a task of a Swarm service as OfLabels places its container: by
// the service's name, the labels that its containers carry, the slot, and the id of
// the node, after which tasks are named that have no slot.
func OfSwarmTask(service string, labels map[string]string, slot int, node string) Place {
	which := strconv.Itoa(slot)
	if slot == 0 && node != "" {
		which = node
	}
	return Place{
		Namespace: or(labels[labelStack], Default), Workload: Workload{service, Service},
		Pod: service + "." + which, Container: service, Orchestrator: Swarm,
	}
}

// OfTask places a container of an ECS task: by the family of the task's definition,
// the task's Amazon Resource Name and the container's name in the definition. A task
// does not know the namespace of its service (Cloud Map), so it is in Default.
func OfTask(family, arn, container string) Place {
	return Place{
		Namespace: Default, Workload: Workload{family, Task},
		Pod: TaskID(arn), Container: container, Orchestrator: ECS,
	}
}

// TaskID is the last part of a task's Amazon Resource Name,
// "arn:aws:ecs:region:account:task/cluster/id"; long ago without the cluster.
func TaskID(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// PodLabels are the labels that a kubelet has its containers carry, for engines that
// say the same in other ways. The container's name is empty for a pod's sandbox.
func PodLabels(namespace, pod, uid, container string) map[string]string {
	labels := map[string]string{labelPodNamespace: namespace, labelPodName: pod, labelPodUID: uid}
	if container != "" {
		labels[labelContainerName] = container
	}
	return labels
}

// PodUID is the UID of a Kubernetes container's pod by its labels; empty for any
// other.
func PodUID(labels map[string]string) string { return labels[labelPodUID] }

// swarmSlot is the task's name without the task's id: "web.1", or for a global
// service the service's name and the node's id.
func swarmSlot(labels map[string]string) string {
	return strings.TrimSuffix(labels[labelSwarmTask], "."+labels[labelSwarmTaskID])
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
