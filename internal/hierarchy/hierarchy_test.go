package hierarchy

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestContainersArePlacedByTheirLabels(t *testing.T) {
	for name, test := range map[string]struct {
		engine, container string
		labels            map[string]string
		want              Place
	}{
		"a bare Docker container is its own workload": {
			Docker, "redis", nil,
			Place{"default", Workload{"redis", "container"}, "redis", "redis", "docker"},
		},
		"a bare containerd container is in namespace default": {
			Containerd, "job1", map[string]string{"other": "x"},
			Place{"default", Workload{"job1", "container"}, "job1", "job1", "containerd"},
		},
		"a Compose service's container belongs to the project": {
			Docker, "shop-web-1", map[string]string{labelComposeProject: "shop", labelComposeService: "web"},
			Place{"shop", Workload{"web", "service"}, "shop-web-1", "shop-web-1", "docker"},
		},
		"a Swarm task is known by its slot, whatever its id": {
			Docker, "web.1.abc", map[string]string{labelSwarmService: "web", labelSwarmTask: "web.1.abc", labelSwarmTaskID: "abc"},
			Place{"default", Workload{"web", "service"}, "web.1", "web", "swarm"},
		},
		"a stack is the namespace, also when Compose labels are there": {
			Docker, "s_web.2.x", map[string]string{
				labelSwarmService: "s_web", labelSwarmTask: "s_web.2.x", labelSwarmTaskID: "x", labelStack: "s",
				labelComposeProject: "p", labelComposeService: "q",
			},
			Place{"s", Workload{"s_web", "service"}, "s_web.2", "s_web", "swarm"},
		},
		"a Swarm container whose task is not named keeps its own name": {
			Docker, "odd", map[string]string{labelSwarmService: "web"},
			Place{"default", Workload{"web", "service"}, "odd", "web", "swarm"},
		},
		"a container of an ECS task belongs to the family of its definition": {
			Docker, "ecs-shop-3-web-d8f1", map[string]string{
				labelECSFamily: "shop", labelECSTask: "arn:aws:ecs:eu-west-1:111122223333:task/prod/cd189a933e58", labelECSContainer: "web",
			},
			Place{"default", Workload{"shop", "task"}, "cd189a933e58", "web", "ecs"},
		},
		"an ECS task of the old form of names, a container that is not named": {
			Docker, "ecs-shop-3-web-d8f1", map[string]string{labelECSFamily: "shop", labelECSTask: "arn:aws:ecs:eu-west-1:111122223333:task/cd18"},
			Place{"default", Workload{"shop", "task"}, "cd18", "ecs-shop-3-web-d8f1", "ecs"},
		},
		"a Kubernetes container without a kubelet has the pod as workload": {
			Containerd, "deadbeef", map[string]string{labelPodName: "web-0", labelPodNamespace: "shop", labelContainerName: "app"},
			Place{"shop", Workload{"web-0", "pod"}, "web-0", "app", "kubernetes"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := OfLabels(test.engine, test.container, test.labels); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

type knownJobs map[string]string

func (k knownJobs) CronJobOf(_, job string) (string, bool) {
	name, ok := k[job]
	return name, ok
}

func TestPodsHaveTheHighestControllerAsWorkload(t *testing.T) {
	jobs := knownJobs{"backup-29000000": "backup", "manual": "report", "alone-29000001": ""}
	for name, test := range map[string]struct {
		api, kind, owner    string
		labels, annotations map[string]string
		jobs                CronJobs
		want                Workload
	}{
		"a Deployment's pod": {"apps/v1", "ReplicaSet", "web-5d4f8", map[string]string{labelPodTemplateHash: "5d4f8"}, nil, nil, Workload{"web", "deployment"}},
		"a Deployment whose name looks like a hash": {
			"apps/v1", "ReplicaSet", "a-b-c-1", map[string]string{labelPodTemplateHash: "1"}, nil, nil, Workload{"a-b-c", "deployment"},
		},
		"a bare ReplicaSet's pod":                      {"apps/v1", "ReplicaSet", "web-5d4f8", nil, nil, nil, Workload{"web-5d4f8", "replicaset"}},
		"a ReplicaSet whose hash is not its suffix":    {"apps/v1", "ReplicaSet", "web", map[string]string{labelPodTemplateHash: "5d4f8"}, nil, nil, Workload{"web", "replicaset"}},
		"an Argo Rollout's pod":                        {"apps/v1", "ReplicaSet", "web-77", map[string]string{labelRolloutPodTemplateHash: "77"}, nil, nil, Workload{"web", "rollout"}},
		"a StatefulSet's pod":                          {"apps/v1", "StatefulSet", "db", nil, nil, nil, Workload{"db", "statefulset"}},
		"a DaemonSet's pod":                            {"apps/v1", "DaemonSet", "agent", nil, nil, nil, Workload{"agent", "daemonset"}},
		"a Job's pod":                                  {"batch/v1", "Job", "migrate", nil, nil, nil, Workload{"migrate", "job"}},
		"a CronJob's pod by the minutes":               {"batch/v1", "Job", "backup-29345678", nil, nil, nil, Workload{"backup", "cronjob"}},
		"a Job that ends in another number":            {"batch/v1", "Job", "run-2024", nil, nil, nil, Workload{"run-2024", "job"}},
		"a Job that ends in a date":                    {"batch/v1", "Job", "load-20260131", nil, nil, nil, Workload{"load-20260131", "job"}},
		"a CronJob's pod by the Job's owner":           {"batch/v1", "Job", "manual", nil, nil, jobs, Workload{"report", "cronjob"}},
		"a Job known to have no CronJob, despite name": {"batch/v1", "Job", "alone-29000001", nil, nil, jobs, Workload{"alone-29000001", "job"}},
		"a Job that is not known yet":                  {"batch/v1", "Job", "new-29345678", nil, nil, jobs, Workload{"new", "cronjob"}},
		"a ReplicationController's pod":                {"v1", "ReplicationController", "web", nil, nil, nil, Workload{"web", "replicationcontroller"}},
		"a DeploymentConfig's pod": {
			"v1", "ReplicationController", "web-3", nil, map[string]string{annotationDeploymentConfig: "web"}, nil, Workload{"web", "deploymentconfig"},
		},
		"a static pod's mirror":    {"v1", "Node", "node1", nil, nil, nil, Workload{"p", "pod"}},
		"a custom resource's pod":  {"argoproj.io/v1alpha1", "Workflow", "w", nil, nil, nil, Workload{"p", "pod"}},
		"a Job of another group":   {"batch.volcano.sh/v1alpha1", "Job", "v", nil, nil, nil, Workload{"p", "pod"}},
		"a pod that nobody owns":   {"", "", "", nil, nil, nil, Workload{"p", "pod"}},
		"an owner without a name":  {"apps/v1", "ReplicaSet", "", nil, nil, nil, Workload{"p", "pod"}},
		"a hash that is the whole": {"apps/v1", "ReplicaSet", "-x", map[string]string{labelPodTemplateHash: "x"}, nil, nil, Workload{"-x", "replicaset"}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &metav1.ObjectMeta{Name: "p", Namespace: "ns", Labels: test.labels, Annotations: test.annotations}
			if test.kind != "" {
				yes := true
				pod.OwnerReferences = []metav1.OwnerReference{
					{APIVersion: "v1", Kind: "ConfigMap", Name: "not-a-controller"},
					{APIVersion: test.api, Kind: test.kind, Name: test.owner, Controller: &yes},
				}
			}
			if got := OfPod(pod, test.jobs); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func FuzzJobNamesNeverYieldAnEmptyCronJob(f *testing.F) {
	for _, s := range []string{"backup-29345678", "-29345678", "x-0", "--12345678", "a-12345678-12345678"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, job string) {
		if w := ofJob("ns", job, nil); job != "" && w.Name == "" {
			t.Errorf("job %q has an empty workload", job)
		}
	})
}
