//go:build e2e

package dashboards

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/loadline-exporters/loadline/e2e/cluster"
	"github.com/loadline-exporters/loadline/e2e/up"
	"github.com/loadline-exporters/loadline/e2e/wait"
)

// mayBeEmpty are panels, as UID/TITLE, that show what this test's cluster does not have:
// faults that cannot be made here. They are one in ten at the most.
var mayBeEmpty = []string{}

// patience is how long it takes until rules over minutes have been evaluated and faults
// have happened, on a busy machine.
const patience = 8 * time.Minute

func TestEveryQueryOfEveryDashboardHasAnAnswer(t *testing.T) {
	p := startUp(t)
	asked := &questions{program: p, panels: map[string]bool{}}
	for _, folder := range folders {
		for _, d := range read(t, folder.name, folder.parse) {
			asked.boards = append(asked.boards, d)
			for _, q := range d.Queries {
				asked.panels[q.Panel] = true
			}
		}
	}
	var missing []Query
	// Whatever is not there in the end is told at once, with what the list excuses.
	deadline := time.Now().Add(wait.Limit(patience))
	for {
		missing = asked.unanswered(t)
		if t.Failed() || !slices.ContainsFunc(missing, func(q Query) bool { return !slices.Contains(mayBeEmpty, q.Panel) }) || time.Now().After(deadline) {
			break
		}
	}
	for _, q := range missing {
		if !slices.Contains(mayBeEmpty, q.Panel) {
			t.Errorf("%s has nothing to show of\n%s", q.Panel, q.Text)
		}
	}
	for _, panel := range mayBeEmpty {
		if !asked.panels[panel] {
			t.Errorf("there is no panel %s", panel)
		}
	}
	if len(mayBeEmpty)*10 > len(asked.panels) {
		t.Errorf("%d of %d panels may be empty, more than one in ten", len(mayBeEmpty), len(asked.panels))
	}
}

// questions are those of all dashboards.
type questions struct {
	program *up.Program
	boards  []Dashboard
	panels  map[string]bool
}

// unanswered are the queries that have no answer, whatever is chosen. An error fails
// the test.
func (a *questions) unanswered(t *testing.T) (missing []Query) {
	t.Helper()
	for _, d := range a.boards {
		choices, err := Choices(d.Variables, a.values)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range d.Queries {
			answered := false
			for _, choice := range choices {
				n, err := a.ask(choice.In(q.Text))
				if err != nil {
					t.Errorf("%s of %s: %v", q.Panel, d.File, err)
					break
				}
				answered = answered || n > 0
			}
			if !answered {
				missing = append(missing, q)
			}
		}
	}
	return missing
}

// ask returns how many series the answer has in the last minutes.
func (a *questions) ask(query string) (int, error) {
	samples, err := a.program.Vector("last_over_time((\n"+query+"\n)[5m:30s])", time.Time{})
	return len(samples), err
}

func (a *questions) values(selector, label string) (values []string, err error) {
	samples, err := a.program.Vector(fmt.Sprintf("group by (%s) (last_over_time(%s[10m]))", label, selector), time.Time{})
	for _, s := range samples {
		if s.Labels[label] != "" {
			values = append(values, s.Labels[label])
		}
	}
	return values, err
}

// startUp starts `loadline up` on a cluster with something on it.
func startUp(t *testing.T) *up.Program {
	t.Helper()
	c := cluster.Start(t)
	node := c.Nodes[0]
	pullable, refusing := c.StartRegistry(), c.StartRegistry()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(c.Config.BearerToken), 0o600); err != nil {
		t.Fatal(err)
	}
	p := up.Start(t, "--web.listen-address=127.0.0.1:0", "--data-dir="+t.TempDir(), "--scrape-interval=5s",
		"--kubeconfig="+c.Kubeconfig, "--docker-host=unix:///nowhere/docker.sock", "--containerd-address="+node.Containerd.Address,
		"--kubelet-url="+node.Kubelet.URL, "--kubelet-token-file="+token, "--kubelet-insecure-skip-verify", "--node-name="+node.Name)
	populate(t, c, pullable, refusing)
	c.AwaitDeployment(t.Context(), "shop", "web")
	// A rollout, once the first one is done.
	web, err := c.Client.AppsV1().Deployments("shop").Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	web.Spec.Template.Labels["version"] = "2"
	if _, err := c.Client.AppsV1().Deployments("shop").Update(t.Context(), web, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, expression := range []string{`count(workload:cpu_usage_cores:rate5m{namespace="shop"}) > 3`, `count(service:cpu_usage_cores:rate5m)`} {
		wait.For(t, patience, expression, func() error {
			_, err := p.Query(expression, time.Time{})
			return err
		})
	}
	t.Log(strings.TrimSpace(p.Stdout.String()))
	return p
}
