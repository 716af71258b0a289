//go:build e2e

package dashboards

import (
	"fmt"
	"strings"
	"testing"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/image"
	"github.com/loadline-exporters/loadline/e2e/registry"
)

// namespaces are one that has room and one that has none.
const namespaces = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: full}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: none, namespace: full}
spec: {hard: {pods: "0"}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: some, namespace: shop}
spec: {hard: {pods: "40"}}
`

// deployment is one, by its name, namespace, the pod's and the container's lines, and a
// Service before it.
const deployment = `
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  selector: {app: %[1]s}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s, namespace: %[2]s}
spec:
  progressDeadlineSeconds: 30
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 1
      %[3]s
      containers:
      - name: app
        imagePullPolicy: IfNotPresent
        env: [{name: WORKLOAD_LIFETIME, value: 1h}]
        %[4]s
`

// others are an autoscaler, jobs that succeed and fail, one by the clock, and a claim.
const others = `
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 1
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: asks, namespace: shop}
spec:
  schedule: "* * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: asks, image: %[1]s, imagePullPolicy: Never, args: [reach, "web.shop.svc.cluster.local:80"]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: fails, namespace: shop}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: fails, image: %[1]s, imagePullPolicy: Never, args: [exit, "3"]}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: waits, namespace: shop}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`

// populate has something run and something broken.
func populate(t *testing.T, c *cluster.Cluster, pullable, refusing *registry.Registry) {
	t.Helper()
	app := image.Workload(t, image.Spec{Name: pullable.Address + "/team/app:1", Labels: map[string]string{"is": "app"}})
	pullable.Push(t.Context(), app)
	refusing.Refuse(429)
	var manifests strings.Builder
	manifests.WriteString(namespaces)
	add := func(namespace, name, pod string, container ...string) {
		fmt.Fprintf(&manifests, deployment, name, namespace, pod, strings.Join(container, "\n        "))
	}
	const resources = "resources: {requests: {cpu: 5m, memory: %s}, limits: {cpu: %s, memory: %s}}"
	ours := "image: " + image.DefaultName
	add("shop", "web", "", ours, "args: [serve, \"8080\"]", "readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}", fmt.Sprintf(resources, "8Mi", "100m", "64Mi"))
	add("shop", "holds", "", ours, "args: [hold, 50MiB]", fmt.Sprintf(resources, "60Mi", "100m", "64Mi"))
	add("shop", "burns", "", ours, "args: [burn, \"1\"]", fmt.Sprintf(resources, "8Mi", "50m", "32Mi"))
	add("shop", "writes", "", ours, "args: [write, 8MiB]", fmt.Sprintf(resources, "8Mi", "100m", "64Mi"))
	add("shop", "hungry", "", ours, "args: [oom]", fmt.Sprintf(resources, "8Mi", "100m", "32Mi"))
	add("shop", "killed", "", ours, "args: [oom-child, \"2\"]", fmt.Sprintf(resources, "8Mi", "100m", "32Mi"))
	add("shop", "pulled", "", "image: "+app.Name, "args: [idle]")
	add("shop", "missing", "", "image: "+pullable.Address+"/team/nope:1")
	add("shop", "limited", "", "image: "+refusing.Address+"/team/app:1")
	add("shop", "crashing", "", ours, "args: [exit, \"3\"]")
	add("shop", "unready", "", ours, "args: [idle]", "readinessProbe: {tcpSocket: {port: 81}, periodSeconds: 1}")
	add("shop", "dying", "", ours, "args: [idle]", "livenessProbe: {tcpSocket: {port: 81}, periodSeconds: 1, failureThreshold: 2}")
	add("shop", "homeless", "nodeSelector: {disk: none}", ours)
	add("full", "web", "", ours, "args: [idle]")
	c.Create(t.Context(), manifests.String()+fmt.Sprintf(others, image.DefaultName))
}
