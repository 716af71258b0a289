//go:build e2e

package rules

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loadline-exporters/loadline/e2e/wait"
)

// get asks for a path and returns the answer.
func (s server) get(t *testing.T, path string) []byte {
	t.Helper()
	response, err := http.Get(s.Address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %s: %v", path, response.Status, err)
	}
	return body
}

// rule is one as Prometheus has it.
type rule struct {
	Name, Type, Health, LastError string
}

// rules are all.
func (s server) rules(t *testing.T) (all []rule) {
	t.Helper()
	var answer struct {
		Data struct{ Groups []struct{ Rules []rule } }
	}
	if err := json.Unmarshal(s.get(t, "api/v1/rules"), &answer); err != nil {
		t.Fatal(err)
	}
	for _, g := range answer.Data.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// healthy fails the test if a rule could not be evaluated, at any time so far.
func (s server) healthy(t *testing.T) {
	t.Helper()
	for _, r := range s.rules(t) {
		if r.Health == "err" || r.LastError != "" {
			t.Errorf("rule %s (cluster %q) is %s: %s", r.Name, s.cluster, r.Health, r.LastError)
		}
	}
	failures := 0
	for line := range strings.Lines(string(s.get(t, "metrics"))) {
		if strings.HasPrefix(line, "prometheus_rule_evaluation_failures_total{") {
			failures++
			if !strings.HasSuffix(line, " 0\n") {
				t.Errorf("evaluations failed (cluster %q): %s", s.cluster, line)
			}
		}
	}
	if failures == 0 {
		t.Error("Prometheus does not say which evaluations failed")
	}
}

// alert is one as Prometheus has it.
type alert struct {
	Labels, Annotations map[string]string
	State               string
}

// alerts are those that are pending or firing.
func (s server) alerts(t *testing.T) []alert {
	t.Helper()
	var answer struct{ Data struct{ Alerts []alert } }
	if err := json.Unmarshal(s.get(t, "api/v1/alerts"), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Data.Alerts
}

// until waits for what rules should come to say. What they do not say keeps nobody from
// looking at the rest.
func (s server) until(t *testing.T, what string, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit(limit))
	defer cancel()
	if err := wait.Until(ctx, check); err != nil {
		t.Errorf("%s (cluster %q): %v", what, s.cluster, err)
	}
}

// none waits until an expression has no series.
func (s server) none(t *testing.T, what, expression string) {
	t.Helper()
	s.until(t, what, func() error {
		samples, err := s.Vector(expression, time.Time{})
		if err == nil && len(samples) > 0 {
			err = fmt.Errorf("%s: %v", expression, samples)
		}
		return err
	})
}

// between waits until an expression has one series, with a value between two.
func (s server) between(t *testing.T, expression string, low, high float64) {
	t.Helper()
	s.until(t, expression, func() error {
		v, err := s.Query(expression, time.Time{})
		if err == nil && (v < low || v > high) {
			err = fmt.Errorf("it is %v, want %v to %v", v, low, high)
		}
		return err
	})
}

// paged are the objects that a page was waiting or firing for, at any evaluation so far,
// by the alert's name.
func (s server) paged(t *testing.T) map[string]bool {
	t.Helper()
	samples, err := s.Vector(`group by (alertname, namespace, service, workload, node) (last_over_time(ALERTS{severity="page"}[1h]))`, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, p := range samples {
		out[strings.Join([]string{p.Labels["alertname"], p.Labels["node"] + p.Labels["namespace"], p.Labels["service"] + p.Labels["workload"]}, " ")] = true
	}
	return out
}
