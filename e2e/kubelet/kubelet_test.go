//go:build e2e || guest

package kubelet

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/cgroup"
	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/peers"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// limit is long beside the 15 s that the kubelet's own numbers can be old.
const limit = 2 * time.Minute

// rights are those that the exporter needs of a kubelet, and no more.
const rights = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: resource-exporter}
rules: [{apiGroups: [""], resources: [nodes/pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: resource-exporter}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: resource-exporter}
subjects: [{kind: ServiceAccount, namespace: default, name: resource-exporter}]
`

// deployment is one of a pod, by its name, a verb of the workload and limits.
const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 0
      automountServiceAccountToken: false
      containers:
      - name: app
        image: docker.io/loadline/workload:test
        imagePullPolicy: Never
        args: [%[2]s]
        env: [{name: WORKLOAD_LIFETIME, value: 3h}]
        resources: {limits: {%[3]s}, requests: {cpu: 1m}}
`

// workloads are what runs: arguments and limits by name.
var workloads = map[string][2]string{
	"idle":      {`idle`, ``},
	"holds":     {`hold, 24MiB`, `memory: 64Mi`},
	"throttled": {`burn, "1"`, `cpu: 50m`},
	"killed":    {`oom-child, "2"`, `memory: 32Mi`},
}

// comparison is a family that both serve.
type comparison struct {
	family string
	// share is by how much of itself a value may differ, slack by how much more.
	share, slack float64
}

// memory says that the kernel charges it ahead. started is between the making of a
// container and the start of its process: each side means another moment of it.
var (
	memory  = cgroup.Stock()
	started = wait.Limit(8 * time.Second).Seconds()
)

// tick is the kernel's: in such steps it counts processor time, in seconds.
const tick = 0.01

// Those of /metrics/cadvisor. Counters have to lie between two of the kubelet's.
var containers = []comparison{
	{family: "container_cpu_usage_seconds_total", slack: tick},
	{family: "container_cpu_cfs_periods_total"},
	{family: "container_cpu_cfs_throttled_periods_total"},
	{family: "container_cpu_cfs_throttled_seconds_total", slack: tick},
	{family: "container_memory_working_set_bytes", share: 0.1, slack: memory},
	{family: "container_memory_rss", share: 0.1, slack: memory},
	{family: "container_spec_memory_limit_bytes"},
	{family: "container_spec_cpu_period"},
	{family: "container_spec_cpu_quota"},
	{family: "container_spec_cpu_shares"},
	{family: "container_start_time_seconds", slack: started},
}

// Those of /metrics/resource.
var resources = []comparison{
	{family: "container_cpu_usage_seconds_total", slack: tick},
	{family: "container_memory_working_set_bytes", share: 0.1, slack: memory},
	{family: "container_start_time_seconds", slack: started},
}

func TestContainersHaveTheKubeletsValues(t *testing.T) {
	c := cluster.Start(t, cluster.WithoutServices(), cluster.WithDriver(driver))
	node := c.Nodes[0]
	c.Create(t.Context(), rights)
	for name, w := range workloads {
		c.Create(t.Context(), fmt.Sprintf(deployment, name, w[0], w[1]))
	}
	for name := range workloads {
		c.AwaitDeployment(t.Context(), metav1.NamespaceDefault, name)
	}
	token := filepath.Join(t.TempDir(), "token")
	account := c.ServiceAccount(t.Context(), metav1.NamespaceDefault, "resource-exporter")
	if err := os.WriteFile(token, []byte(account.BearerToken), 0o600); err != nil {
		t.Fatal(err)
	}
	ours := peers.Exporter(t, node.Containerd.Address, "--kubelet-url="+node.Kubelet.URL,
		"--kubelet-token-file="+token, "--kubelet-insecure-skip-verify", "--node-name="+node.Name)
	awaitKills(t, ours)
	theirs := kubelet{t: t, url: node.Kubelet.URL, token: c.Config.BearerToken}
	t.Run("metrics/cadvisor", func(t *testing.T) { compare(t, theirs, "/metrics/cadvisor", ours, containers) })
	t.Run("metrics/resource", func(t *testing.T) { compare(t, theirs, "/metrics/resource", ours, resources) })
}

// kills is the family of those of the kernel's OOM killer.
const kills = "container_oom_events_total"

// awaitKills waits until both children have been killed: a container is ready before.
func awaitKills(t *testing.T, ours *peers.Program) {
	t.Helper()
	wait.For(t, limit, "both children to be killed", func() error {
		here, err := scrape(ours)
		if err == nil && (len(here.of(kills, "killed")) != 1 || here.of(kills, "killed")[0].value != 2) {
			err = fmt.Errorf("killed are %v", here.of(kills, "killed"))
		}
		return err
	})
}

// scrape scrapes the exporter.
func scrape(ours *peers.Program) (series, error) {
	answer, err := ours.ScrapeText()
	if err != nil {
		return nil, err
	}
	return parse(answer.Body)
}

// stampedLate is how long after it has looked at a container a kubelet may say that it
// did: cAdvisor reads first and then asks for the time.
const stampedLate = time.Second

// compare compares what the exporter says with what the kubelet says before, and says
// once it has looked again.
func compare(t *testing.T, theirs kubelet, path string, ours *peers.Program, families []comparison) {
	t.Helper()
	var before series
	wait.For(t, limit, "the kubelet to know every container", func() (err error) {
		if before, err = theirs.scrape(path); err != nil {
			return err
		}
		for name := range workloads {
			if len(before.of("container_cpu_usage_seconds_total", name)) != 1 || len(before.of("container_start_time_seconds", name)) != 1 {
				return fmt.Errorf("%s is not there", name)
			}
		}
		return nil
	})
	here, err := scrape(ours)
	if err != nil {
		t.Fatal(err)
	}
	// The kubelet has those of the kernel's log since it noticed the container.
	if killed, known := here.of(kills, "killed"), before.of(kills, "killed"); len(killed) != 1 || killed[0].value != 2 || len(known) == 1 && known[0].value > 2 {
		t.Errorf("processes killed are %v here, %v there, want 2", killed, known)
	}
	now := time.Now().Add(wait.Limit(stampedLate))
	var after series
	wait.For(t, limit, "the kubelet to look at every container again", func() (err error) {
		if after, err = theirs.scrape(path); err != nil {
			return err
		}
		for name := range workloads {
			for _, s := range after.of("container_cpu_usage_seconds_total", name) {
				if !s.at.After(now) {
					return fmt.Errorf("%s was looked at %v before", name, now.Sub(s.at))
				}
			}
		}
		return nil
	})
	for _, family := range families {
		compared := false
		for name := range workloads {
			compared = family.check(t, name, before, here, after) || compared
		}
		if !compared {
			t.Errorf("the kubelet has no %s of any container", family.family)
		}
	}
}

// check compares the value of a workload, if the kubelet has one.
func (c comparison) check(t *testing.T, workload string, before, here, after series) bool {
	t.Helper()
	b, o, a := before.of(c.family, workload), here.of(c.family, workload), after.of(c.family, workload)
	if len(b) == 0 && len(a) == 0 {
		return false // no quota, for one
	}
	if len(o) != 1 || len(a) != 1 {
		t.Errorf("%s of %s has %d series here, %d there", c.family, workload, len(o), len(a))
		return true
	}
	low, high := a[0].value, a[0].value
	if len(b) == 1 {
		low, high = min(low, b[0].value), max(high, b[0].value)
	}
	if v := o[0].value; v < low*(1-c.share)-c.slack || v > high*(1+c.share)+c.slack {
		t.Errorf("%s of %s is %v here, %v to %v there", c.family, workload, v, low, high)
	}
	return true
}

// kubelet is one that is asked.
type kubelet struct {
	t          *testing.T
	url, token string
}

func (k kubelet) scrape(path string) (series, error) {
	request, err := http.NewRequestWithContext(k.t.Context(), http.MethodGet, k.url+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+k.token)
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true, // the kubelet's certificate is its own
	}}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s%s answers %s: %.200s", k.url, path, response.Status, body)
	}
	return parse(body)
}

// series are those of a scrape, by family.
type series map[string]*dto.MetricFamily

// sample is a value and when it was measured.
type sample struct {
	value float64
	at    time.Time // now, where it does not say
}

func parse(body []byte) (series, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	return families, err
}

// of are the samples of a family of the container of a workload.
func (s series) of(family, workload string) (out []sample) {
	for _, m := range s[family].GetMetric() {
		label := func(name string) string {
			i := slices.IndexFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == name })
			if i < 0 {
				return ""
			}
			return m.GetLabel()[i].GetValue()
		}
		if label("container") != "app" || !strings.HasPrefix(label("pod"), workload+"-") {
			continue
		}
		at := time.Now()
		if m.TimestampMs != nil {
			at = time.UnixMilli(m.GetTimestampMs())
		}
		out = append(out, sample{m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue(), at})
	}
	return out
}
