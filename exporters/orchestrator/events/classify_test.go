package events

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/loadline-exporters/loadline/exporters/orchestrator/model"
)

// about makes an event; an object is "Pod", or "Pod:spec.containers{app}".
func about(object, reason, message string) *corev1.Event {
	kind, path, _ := strings.Cut(object, ":")
	return &corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: kind, FieldPath: path}, Reason: reason, Message: message,
	}
}

const app = "Pod:spec.containers{app}"

func TestEventsOfKubernetesAreToldApart(t *testing.T) {
	for _, test := range []struct {
		object, reason, message string
		want                    model.Class
	}{
		{app, "Pulling", `Pulling image "nginx:1"`, model.PullStarted},
		{app, "Pulled", `Successfully pulled image "nginx:1" in 1.2s (3.4s including waiting). Image size: 567 bytes.`, model.PullSucceeded},
		{app, "Pulled", `Container image "nginx:1" already present on machine and can be accessed by the pod`, model.PullPresent},
		{app, "Pulled", `Container image "nginx:1" already present on machine`, model.PullPresent},
		{app, "InspectFailed", `Failed to apply default image tag "Nginx@@": couldn't parse image name "Nginx@@": invalid reference format`, model.PullName},
		{app, "InspectFailed", `Failed to inspect image "": rpc error: code = Unavailable desc = connection refused`, model.PullFailed},
		{app, "ErrImageNeverPull", `Container image "nginx:1" is not present with pull policy of Never`, model.PullNever},
		{app, "BackOff", `Back-off pulling image "nginx:1"`, model.PullBackOff},
		{app, "BackOff", `Back-off restarting failed container app in pod web-1_shop(0b6b1e1e-0000-0000-0000-000000000000)`, model.CrashBackOff},
		{app, "Failed", `Failed to pull image "nginx:1": boom`, model.PullFailed},
		{app, "Failed", `(combined from similar events): Failed to pull image "nginx:1": 429 Too Many Requests`, model.PullRateLimited},
		{app, "Failed", "Error: ErrImagePull", model.ImageMissing},
		{app, "Failed", "Error: ImagePullBackOff", model.ImageMissing},
		{app, "Failed", "Error: ErrImageNeverPull", model.ImageMissing},
		{app, "Failed", "Error: InvalidImageName", model.ImageMissing},
		{app, "Failed", `Error: secret "password" not found`, model.ConfigFailed},
		{app, "Failed", `Error: configmap "settings" not found`, model.ConfigFailed},
		{app, "Failed", `Error: couldn't find key x in ConfigMap shop/settings`, model.ConfigFailed},
		{app, "Failed", `Error: container has runAsNonRoot and image will run as root (pod: "web-1_shop(uid)", container: app)`, model.ConfigFailed},
		{app, "Failed", `Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nope": executable file not found in $PATH`, model.StartFailed},
		{app, "Failed", `Error: failed to start container "app": Error response from daemon: OCI runtime create failed`, model.StartFailed},
		{app, "Failed", `Internal PreStartContainer hook failed: x`, model.StartFailed},
		{app, "Failed", `Error: failed to generate container "app" spec: failed to apply OCI options: no such device`, model.CreateFailed},
		{app, "Failed", `Error: context deadline exceeded`, model.CreateFailed},
		{app, "Failed", `Internal PreCreateContainer hook failed: x`, model.CreateFailed},
		{"Pod", "Failed", `error making pod data directories: mkdir: no space left on device`, model.PodSyncFailed},
		{app, "Created", "Container created", model.ContainerCreated},
		{app, "Started", "Container started", model.ContainerStarted},
		{app, "FailedPostStartHook", "PostStartHook failed", model.HookFailed},
		{app, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", model.UnhealthyLiveness},
		{app, "Unhealthy", "Readiness probe failed: Get \"http://10.0.0.1/\": dial tcp: Liveness", model.UnhealthyReadiness},
		{app, "Unhealthy", "Startup probe errored and resulted in unknown state: rpc error", model.UnhealthyStartup},
		{app, "Unhealthy", "x", model.Unhealthy},
		{app, "ProbeWarning", "Readiness probe warning: x", model.ProbeWarning},

		{app, "Killing", "Stopping container app", model.ContainerStopped},
		{app, "Killing", "Container app failed liveness probe, will be restarted", model.KilledByProbe},
		{app, "Killing", "Container app failed startup probe, will be restarted", model.KilledByProbe},
		{app, "Killing", "Stopping container failed liveness probe", model.ContainerStopped},
		{app, "Killing", "Container app definition changed, will be restarted", model.Killed},
		{app, "Killing", "FailedPostStartHook", model.Killed},
		{"Pod", "Preempting", "Preempted in order to admit critical pod", model.KilledByPreemption},
		{"Pod", "Preempted", "Preempted by pod 1e1e on node n1", model.KilledByPreemption},
		{"Pod", "Evicted", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ", model.KilledByNodePressure},
		{"Pod", "Evicted", "The node had condition: [DiskPressure]. ", model.KilledByNodePressure},
		{"Pod", "Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ", model.KilledByLimit},
		{"Pod", "Evicted", `Usage of EmptyDir volume "cache" exceeds the limit "1Gi". `, model.KilledByLimit},
		{"Pod", "Evicted", `Container app exceeded its local ephemeral storage limit "1Gi". `, model.KilledByLimit},
		{"Pod", "Evicted", "Evicted pod: Underutilized", model.KilledByEviction},
		{"Pod", "TaintManagerEviction", "Marking for deletion Pod shop/web-1", model.KilledByEviction},
		{"Pod", "TaintManagerEviction", "Cancelling deletion of Pod shop/web-1", model.Other},
		{"Pod", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline", model.KilledByDeadline},
		{"Pod", "FailedKillPod", "error killing pod: x", model.KillFailed},
		{"Pod", "ExceededGracePeriod", "Container runtime did not kill the pod within specified grace period.", model.KillFailed},

		{"Pod", "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error", model.SandboxFailed},
		{"Pod", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.", model.SandboxChanged},
		{"Pod", "NetworkNotReady", "network is not ready: x", model.NetworkFailed},
		{"Pod", "FailedSync", "error determining status: x", model.PodSyncFailed},
		{"Pod", "OutOfcpu", "Node didn't have enough resource: cpu, requested: 1000, used: 1, capacity: 2", model.PodRejected},
		{"Pod", "UnexpectedAdmissionError", "x", model.PodRejected},
		{"Pod", "Scheduled", "Successfully assigned shop/web-1 to n1", model.Scheduled},
		{"Pod", "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu.", model.UnscheduledCPU},
		{"Pod", "NodeNotReady", "Node is not ready", model.NodeNotReady},
		{"Pod", "FailedMount", `MountVolume.SetUp failed for volume "v" : secret "s" not found`, model.VolumeSourceMissing},
		{"Pod", "FailedMount", `Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[]: timed out waiting for the condition`, model.VolumeMountFailed},
		{"Pod", "FailedAttachVolume", `Multi-Attach error for volume "pv" Volume is already exclusively attached to one node and can't be attached to another`, model.VolumeInUse},
		{"Pod", "FailedAttachVolume", `AttachVolume.Attach failed for volume "pv" : rpc error`, model.VolumeAttachFailed},
		{"PersistentVolumeClaim", "ProvisioningFailed", `storageclass.storage.k8s.io "fast" not found`, model.VolumeProvisionFailed},
		{"PersistentVolumeClaim", "FailedBinding", "no persistent volumes available for this claim and no storage class is set", model.VolumeProvisionFailed},
		{"PersistentVolumeClaim", "WaitForFirstConsumer", "waiting for first consumer to be created before binding", model.Other},

		{"Node", "SystemOOM", "System OOM encountered, victim process: java, pid: 7", model.NodeOOM},
		{"Node", "NodeHasDiskPressure", "Node n1 status is now: NodeHasDiskPressure", model.NodePressure},
		{"Node", "EvictionThresholdMet", "Attempting to reclaim memory", model.NodePressure},
		{"Node", "NodeHasSufficientMemory", "Node n1 status is now: NodeHasSufficientMemory", model.Other},
		{"Node", "Starting", "Starting kubelet.", model.NodeAgentStart},
		{"Node", "FreeDiskSpaceFailed", "Failed to garbage collect required amount of images.", model.NodeDiskFull},

		{"ReplicaSet", "SuccessfulCreate", "Created pod: web-1", model.PodCreated},
		{"StatefulSet", "SuccessfulCreate", "create Claim data-db-0 Pod db-0 in StatefulSet db success", model.Other},
		{"StatefulSet", "SuccessfulCreate", "create Pod db-0 in StatefulSet db successful", model.PodCreated},
		{"CronJob", "SuccessfulCreate", "Created job backup-29000000", model.JobStarted},
		{"ReplicaSet", "FailedCreate", `Error creating: pods "web-1" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1`, model.PodQuota},
		{"ReplicaSet", "FailedCreate", `Error creating: pods "web-1" is forbidden: violates PodSecurity "restricted:latest"`, model.PodForbidden},
		{"ReplicaSet", "FailedCreate", "Error creating: Internal error occurred: x", model.PodCreateFailed},
		{"Job", "BackoffLimitExceeded", "Job has reached the specified backoff limit", model.JobGaveUp},
		{"Job", "DeadlineExceeded", "Job was active longer than specified deadline", model.JobGaveUp},
		{"Job", "Completed", "Job completed", model.JobCompleted},
		{"CronJob", "SawCompletedJob", "Saw completed job: backup-29000000, condition: Complete", model.Other}, // the Job has said so
		{"Deployment", "ScalingReplicaSet", "Scaled up replica set web-1 from 0 to 3", model.Scaled},
		{"HorizontalPodAutoscaler", "FailedGetResourceMetric", "failed to get cpu utilization", model.ScaleFailed},
		{"Lease", "LeaderElection", "m1_uid became leader", model.LeaderElected},
		{"Lease", "LeaderElection", "m1_uid stopped leading", model.Other},
		{"Widget", "Whatever", "anything", model.Other},
		{"", "", "", model.Other},
	} {
		if got := Classify(about(test.object, test.reason, test.message)); got != test.want {
			t.Errorf("%s %s %q is %s, want %s", test.object, test.reason, test.message, got, test.want)
		}
	}
}

func TestFailuresOfPullsAreToldApart(t *testing.T) {
	const resolve = `failed to pull and unpack image "registry.example/shop/web:1": failed to resolve reference "registry.example/shop/web:1": `
	for message, want := range map[string]model.Class{
		`rpc error: code = NotFound desc = ` + resolve + `registry.example/shop/web:1: not found`:                                                                                        model.PullNotFound,
		resolve + `pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`:                                 model.PullAuthentication,
		resolve + `failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://registry.example/token?scope=repository%3Ashop: 401 Unauthorized`: model.PullAuthentication,
		resolve + `authorization failed: no basic auth credentials`:                                                                                                                      model.PullAuthentication,
		resolve + `unexpected status from HEAD request to https://registry.example/v2/shop/web/manifests/1: 403 Forbidden`:                                                               model.PullAuthentication,
		`failed to pull and unpack image "registry.example/shop/web:1": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry.example/v2/shop/web/manifests/sha256:00: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit`: model.PullRateLimited,
		`pull QPS exceeded`: model.PullRateLimited,
		`failed to pull and unpack image "registry.example/shop/web:1": no match for platform in manifest sha256:00: not found`:                                 model.PullPlatform,
		`choosing image instance: no image found in image index for architecture "arm64", variant "v8", OS "linux"`:                                             model.PullPlatform,
		`no matching manifest for linux/arm64/v8 in the manifest list entries`:                                                                                  model.PullPlatform,
		resolve + `failed to do request: Head "https://registry.example/v2/shop/web/manifests/1": dial tcp 192.0.2.1:443: i/o timeout`:                          model.PullTimeout,
		`rpc error: code = DeadlineExceeded desc = ` + resolve + `x`:                                                                                            model.PullTimeout,
		resolve + `failed to do request: Head "https://registry.example/v2/": net/http: TLS handshake timeout`:                                                  model.PullTimeout,
		resolve + `failed to do request: Head "https://registry.example/v2/": dial tcp 127.0.0.1:5000: connect: connection refused`:                             model.PullUnreachable,
		resolve + `failed to do request: Head "https://registry.example/v2/": dial tcp: lookup registry.example on 10.0.0.10:53: no such host`:                  model.PullUnreachable,
		resolve + `unexpected status from HEAD request to https://registry.example/v2/shop/web/manifests/1: 503 Service Unavailable`:                            model.PullUnreachable,
		resolve + `failed to do request: Head "https://registry.example/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`: model.PullCertificate,
		resolve + `failed to do request: Head "https://registry.example/v2/": http: server gave HTTP response to HTTPS client`:                                  model.PullCertificate,
		`SignatureValidationFailed: image pull failed because the signature validation failed: x`:                                                               model.PullSignature,
		`failed to pull and unpack image "registry.example/shop/web:1": failed to extract layer sha256:00: write /x: no space left on device`:                   model.PullDiskFull,
		`rpc error: code = InvalidArgument desc = failed to parse image reference "registry.example/shop/web:1": invalid reference format`:                      model.PullName,
		`rpc error: code = Unknown desc = Error response from daemon: manifest for registry.example/shop/web:1 not found: manifest unknown`:                     model.PullNotFound,
		`rpc error: code = Unknown desc = something new`:                                                                                                        model.PullFailed,
		``: model.PullFailed,
	} {
		if got := PullFailure("registry.example/shop/web:1", message); got != want {
			t.Errorf("%q is %s, want %s", message, got, want)
		}
	}
}

func TestAnImagesNameIsNotTakenForAnError(t *testing.T) {
	message := `failed to resolve reference "docker.io/library/toomanyrequests:unauthorized": failed to do request: Head "https://docker.io/v2/library/toomanyrequests/manifests/unauthorized": docker.io/library/toomanyrequests:unauthorized: not found`
	if got := PullFailure("toomanyrequests:unauthorized", message); got != model.PullNotFound {
		t.Errorf("it is %s", got)
	}
}

func TestTheCauseThatRulesOutMostNodesCounts(t *testing.T) {
	for message, want := range map[string]model.Class{
		"0/5 nodes are available: 1 node(s) had untolerated taint(s), 4 Insufficient cpu. preemption: 0/5 nodes are available: 1 Preemption is not helpful for scheduling, 4 No preemption victims found for incoming pod.": model.UnscheduledCPU,
		"0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.":                                                                                                  model.UnscheduledTaint,
		"0/3 nodes are available: 3 Insufficient cpu, 3 Insufficient memory. no new claims to deallocate, preemption: 0/3":                                                                                                  model.UnscheduledCPU,
		"0/3 nodes are available: 3 Insufficient memory.":                                                           model.UnscheduledMemory,
		"0/3 nodes are available: 3 Insufficient nvidia.com/gpu.":                                                   model.UnscheduledResource,
		"0/3 nodes are available: 3 Too many pods.":                                                                 model.UnscheduledResource,
		"0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.":                             model.UnscheduledAffinity,
		"0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.":                                  model.UnscheduledAffinity,
		"0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints (missing required label).": model.UnscheduledSpread,
		"0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.":                    model.UnscheduledPort,
		"0/3 nodes are available: 3 node(s) were unschedulable.":                                                    model.UnscheduledCordon,
		"0/3 nodes are available: 3 node(s) had no available volume zone.":                                          model.UnscheduledVolume,
		"0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found":                      model.UnscheduledVolume,
		`0/3 nodes are available: persistentvolumeclaim "data" not found. not found`:                                model.UnscheduledVolume,
		"0/3 nodes are available: 3 cannot allocate all claims. still not schedulable, preemption: 0/3":             model.UnscheduledDevice,
		"no nodes available to schedule pods":                                                                       model.UnscheduledNoNode,
		"0/0 nodes are available: .":                                                                                model.UnscheduledNoNode,
		"waiting for scheduling gates: [example.com/gate]":                                                          model.UnscheduledGate,
		"skip schedule deleting pod: shop/web-1":                                                                    model.SchedulingInterrupted,
		`running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded`:                        model.UnscheduledOther,
		"0/3 nodes are available: 99999999999999999999 Insufficient cpu, 1 Insufficient memory.":                    model.UnscheduledMemory,
		"": model.UnscheduledOther,
	} {
		if got := Obstacle(message); got != want {
			t.Errorf("%q is %s, want %s", message, got, want)
		}
	}
}

func TestAPulledImagesMessageIsRead(t *testing.T) {
	for message, want := range map[string]Pull{
		`Successfully pulled image "nginx:1" in 1.234s (3.4s including waiting). Image size: 567 bytes.`: {"nginx:1", 1234 * time.Millisecond, 567},
		`Successfully pulled image "nginx:1" in 2m3s (2m3s including waiting)`:                           {"nginx:1", 123 * time.Second, 0},
		`Successfully pulled image "nginx:1" in 873.2ms`:                                                 {"nginx:1", 873200 * time.Microsecond, 0},
		`Successfully pulled image "nginx:1" in 0s (0s including waiting). Image size: -5 bytes.`:        {"nginx:1", 0, 0},
		`Successfully pulled image "nginx:1"`:                                                            {},
		`Successfully pulled image "" in 1s`:                                                             {},
		`Successfully pulled image "nginx:1" in -1s`:                                                     {},
		`Successfully pulled image "nginx:1" in 1000000h`:                                                {},
		`Successfully pulled image "nginx:1" in soon`:                                                    {},
		`Container image "nginx:1" already present on machine`:                                           {},
		``: {},
	} {
		got, ok := ParsePulled(message)
		if got != want || ok != (want != Pull{}) {
			t.Errorf("%q is %+v, %v; want %+v", message, got, ok, want)
		}
	}
}

func TestARegistryIsTheHostOfAnImagesName(t *testing.T) {
	for image, want := range map[string]string{
		"nginx": "docker.io", "nginx:1": "docker.io", "library/nginx": "docker.io", "docker.io/library/nginx": "docker.io", "index.docker.io/library/nginx": "docker.io",
		"Registry.Example/shop/web:1": "registry.example", "registry:5000/web": "registry:5000", "localhost/web": "localhost", "localhost:5000/web@sha256:00": "localhost:5000", "": "docker.io",
	} {
		if got := Registry(image); got != want {
			t.Errorf("%q is of %s, want %s", image, got, want)
		}
	}
}

func FuzzAnyEventHasAClass(f *testing.F) {
	f.Add("Pod", "spec.containers{app}", "Failed", `Failed to pull image "x": y`)
	f.Add("Pod", "", "FailedScheduling", "0/5 nodes are available: 1 node(s) had untolerated taint(s), 4 Insufficient cpu.")
	f.Add("Pod", "", "Pulled", `Successfully pulled image "x" in 1s (2s including waiting). Image size: 3 bytes.`)
	f.Add("Node", "", "SystemOOM", "")
	f.Add("CronJob", "", "SuccessfulCreate", "(combined from similar events): \xff")
	classes := model.Classes()
	f.Fuzz(func(t *testing.T, kind, path, reason, message string) {
		e := about(kind, reason, message)
		e.InvolvedObject.FieldPath = path
		if c := Classify(e); !slices.Contains(classes, c) {
			t.Errorf("%q is no class", c)
		}
		if p, ok := ParsePulled(message); ok && (p.Duration < 0 || p.Bytes < 0 || p.Image == "") {
			t.Errorf("%+v was read", p)
		}
	})
}
