package report

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

const (
	// maxAlerts and maxEpisodes bound memory.
	maxAlerts   = 200_000
	maxEpisodes = 5_000_000
	// firstPoints is the length of the first piece: how many samples to expect is not
	// known yet.
	firstPoints = 60
)

// alert is one label set of ALERTS, replicas of the evaluator aside.
type alert struct {
	labels  model.LabelSet
	urgency urgency
	firing  intervals
	pending intervals
	// still says that it fires at the end of the report's time.
	still bool
}

// get returns a label as it is shown.
func (a *alert) get(name model.LabelName) string { return cut(string(a.labels[name]), maxLabel) }

// urgency is what an alert's severity asks for.
type urgency int

// Urgencies, the most urgent last.
const (
	event  urgency = iota // for the record
	ticket                // somebody has to see to it, at daytime
	page                  // somebody has to see to it now
)

// alerts are all label sets of a time, collected from ALERTS.
type alerts struct {
	settings Settings
	selector string // matchers, or nothing
	all      map[string]*alert
	episodes int
}

// collect asks for all that fired or was pending from the first point to the last.
//
// present_over_time over a step sees what fired for one evaluation only, and does not
// see the five minutes that a selector looks back.
func (c *alerts) collect(ctx context.Context, from *client, all piece) error {
	for _, state := range []string{"firing", "pending"} {
		query := fmt.Sprintf("present_over_time(%s[%ds])", c.series(state), all.step)
		err := inPieces(ctx, all, firstPoints, func(p piece) (int, error) {
			m, err := from.matrix(ctx, query, p)
			if err != nil {
				return 0, err
			}
			return samples(m), c.add(state, m, p.step)
		})
		if err != nil {
			return err
		}
	}
	return c.stillFiring(ctx, from, all.last)
}

// series selects a state, without the alerts that are told to nobody and mute others.
func (c *alerts) series(state string) string {
	return "ALERTS{" + strings.Join(slices.DeleteFunc([]string{`alertstate="` + state + `"`, `loadline_cause=""`, c.selector}, empty), ",") + "}"
}

// add takes the points at which the last step has a sample.
func (c *alerts) add(state string, m model.Matrix, step int64) error {
	gap := int64(c.settings.GapSeconds)
	for _, series := range m {
		a, err := c.of(series.Metric)
		if err != nil {
			return err
		}
		list := &a.firing
		if state == "pending" {
			list = &a.pending
		}
		before := len(*list)
		for _, point := range series.Values {
			at := point.Timestamp.Unix()
			*list = list.with(interval{at - step, at}, gap)
		}
		if c.episodes += len(*list) - before; c.episodes > maxEpisodes {
			return fmt.Errorf("alerts were firing or pending over %d times: narrow it by --selector, shorten --since, or lengthen --gap", maxEpisodes)
		}
	}
	return nil
}

// of returns the alert of a series.
func (c *alerts) of(metric model.Metric) (*alert, error) {
	labels := model.LabelSet(metric)
	delete(labels, model.MetricNameLabel)
	delete(labels, "alertstate")
	for _, name := range c.settings.ReplicaLabels {
		delete(labels, model.LabelName(name))
	}
	key := labels.String() // in the order of names, quoted
	if a, ok := c.all[key]; ok {
		return a, nil
	}
	if len(c.all) == maxAlerts {
		return nil, fmt.Errorf("ALERTS has over %d label sets: narrow it by --selector or shorten --since", maxAlerts)
	}
	a := &alert{labels: labels, urgency: c.settings.urgency(string(labels["severity"]))}
	c.all[key] = a
	return a, nil
}

// stillFiring asks what fires at the end, which is what its stale markers say rather
// than the gap that episodes are put together over.
func (c *alerts) stillFiring(ctx context.Context, from *client, end int64) error {
	query := c.series("firing")
	v, err := from.instant(ctx, query, end)
	if err != nil {
		return err
	}
	vector, ok := v.(model.Vector)
	if !ok {
		return from.checked(query, nil, fmt.Errorf("the answer is a %s instead of a vector", v.Type()))
	}
	gap := int64(c.settings.GapSeconds)
	for _, sample := range vector {
		a, err := c.of(sample.Metric)
		if err != nil {
			return err
		}
		if n := len(a.firing); n > 0 && a.firing[n-1].end+gap >= end {
			a.still = true
			a.firing[n-1].end = end
		}
	}
	return nil
}

// list returns the alerts in a fixed order.
func (c *alerts) list() []*alert {
	keys := make([]string, 0, len(c.all))
	for key := range c.all {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	out := make([]*alert, len(keys))
	for i, key := range keys {
		out[i] = c.all[key]
	}
	return out
}

// names are those of all alerts.
func (c *alerts) names() map[string]bool {
	out := map[string]bool{}
	for _, a := range c.all {
		out[a.get(model.AlertNameLabel)] = true
	}
	return out
}

// healed are the times for which the condition held and went away before the alert
// fired. What is pending within the gap of the end of all is not decided yet.
func (a *alert) healed(bounds interval, end, gap int64) int {
	n := 0
	for _, p := range a.pending.within(bounds) {
		if p.start < bounds.start || p.end+gap >= end {
			continue
		}
		fired := slices.ContainsFunc(a.firing.within(interval{p.start, p.end + gap + 1}), func(f interval) bool {
			return f.start <= p.end+gap && f.end >= p.end
		})
		if !fired {
			n++
		}
	}
	return n
}

// workload is where an alert is, by the labels of this suite or of kube-state-metrics.
func (a *alert) workload() (name, kind string) {
	if name := a.get("workload"); name != "" {
		return name, a.get("workload_type")
	}
	for _, of := range []struct {
		label model.LabelName
		kind  string
	}{{"deployment", "deployment"}, {"statefulset", "statefulset"}, {"daemonset", "daemonset"}, {"cronjob", "cronjob"}, {"job_name", "job"}} {
		if name := a.get(of.label); name != "" {
			return name, of.kind
		}
	}
	return "", ""
}

func empty(s string) bool { return s == "" }
