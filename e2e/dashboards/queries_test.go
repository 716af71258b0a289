//go:build e2e

package dashboards

import (
	"context"
	"errors"
	"fmt"
	"math"
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
// claims that are bound, a limit of threads, connections that suffer, sources that fail,
// and, where the machine has version 1 of control groups, block I/O by container. They are
// one in ten at the most.
var mayBeEmpty = []string{
	"loadline-exporters/Sources that do not answer",
	"loadline-network/Connections refused by a full queue",
	"loadline-network/Network packets dropped",
	"loadline-network/TCP sent again",
	"loadline-pod/Disk read",
	"loadline-pod/Disk written",
	"loadline-pod/Threads of the limit",
	"loadline-service/Disk",
	"loadline-storage/Claims, the fullest first",
	"loadline-storage/Disk read",
	"loadline-storage/Disk written",
	"loadline-workload/Disk",
}

// patience is how long it takes until rules over minutes have been evaluated and faults
// have happened: what a workload should have is known after ten of them.
const patience = 14 * time.Minute

func TestEveryQueryOfEveryDashboardHasAnAnswer(t *testing.T) {
	p := startUp(t)
	var all []question
	panels := map[string]bool{}
	for _, folder := range folders {
		for _, d := range read(t, folder.name, folder.parse) {
			for _, q := range d.Queries {
				all = append(all, question{q, d})
				panels[q.Panel] = true
			}
		}
	}
	a := &answers{p}
	missing := all
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit(patience))
	defer cancel()
	err := wait.Until(ctx, func() error {
		missing = a.missing(t, missing)
		if slices.ContainsFunc(missing, func(q question) bool { return !slices.Contains(mayBeEmpty, q.Panel) }) {
			return errors.New("some have no answer")
		}
		return nil
	})
	if err != nil {
		for _, q := range missing {
			if !slices.Contains(mayBeEmpty, q.Panel) {
				t.Errorf("%s of %s has nothing to show of\n%s", q.Panel, q.of.File, q.Text)
			}
		}
	}
	a.missing(t, all) // no error either now that all there is has been seen
	for _, panel := range mayBeEmpty {
		if !panels[panel] {
			t.Errorf("there is no panel %s", panel)
		}
	}
	if len(mayBeEmpty)*10 > len(panels) {
		t.Errorf("%d of %d panels may be empty, more than one in ten", len(mayBeEmpty), len(panels))
	}
}

// question is a query of a dashboard.
type question struct {
	Query
	of Dashboard
}

// answers are those of a program's Prometheus.
type answers struct{ program *up.Program }

// missing are the questions that have no answer, whatever is chosen. An error fails the
// test at once.
func (a *answers) missing(t *testing.T, all []question) (missing []question) {
	t.Helper()
	choices := map[string][]Choice{}
	for _, q := range all {
		offered, ok := choices[q.of.File]
		if !ok {
			var err error
			if offered, err = Choices(q.of.Variables, a.values); err != nil {
				t.Fatal(err)
			}
			choices[q.of.File] = offered
		}
		answered := false
		for _, choice := range offered {
			n, err := a.ask(choice.In(q.Text))
			if err != nil {
				t.Fatalf("%s of %s: %v", q.Panel, q.of.File, err)
			}
			answered = answered || n > 0
		}
		if !answered {
			missing = append(missing, q)
		}
	}
	return missing
}

// ask returns how many series the answer has in the last minutes that are numbers.
func (a *answers) ask(query string) (n int, err error) {
	samples, err := a.program.Vector("last_over_time((\n"+query+"\n)[5m:30s])", time.Time{})
	for _, s := range samples {
		if !math.IsNaN(s.Value) {
			n++
		}
	}
	return n, err
}

func (a *answers) values(selector, label string) (values []string, err error) {
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
