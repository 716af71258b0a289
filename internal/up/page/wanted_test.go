package page

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// answers are what a Prometheus answers, by the beginning of the query.
type answers map[string]promql.Vector

func (a answers) Instant(_ context.Context, expr string, _ time.Time) (promql.Vector, error) {
	for begins, v := range a {
		if strings.HasPrefix(expr, begins) {
			return v, nil
		}
	}
	return nil, nil
}

func (a answers) Range(context.Context, string, time.Time, time.Time, time.Duration) (promql.Matrix, error) {
	return nil, nil
}

func sampleOf(v float64, pairs ...string) promql.Sample {
	return promql.Sample{F: v, Metric: labels.FromStrings(pairs...)}
}

func ofWorkload(v float64, name string, more ...string) promql.Sample {
	return sampleOf(v, append([]string{"orchestrator", "swarm", "namespace", "shop", "workload", name, "workload_type", "service"}, more...)...)
}

func TestWhatLacksSomethingIsFirst(t *testing.T) {
	now := time.Unix(10_000, 0)
	a := newAsker(answers{
		"loadline_workload_replicas_desired": {ofWorkload(2, "fine"), ofWorkload(3, "lacks"), ofWorkload(1, "stuck"), ofWorkload(1, "waits"), ofWorkload(1, "moves")},
		"loadline_workload_replicas_ready":   {ofWorkload(2, "fine"), ofWorkload(1, "lacks"), ofWorkload(1, "stuck"), ofWorkload(1, "waits"), ofWorkload(1, "moves")},
		"loadline_workload_rollout_state": {
			ofWorkload(1, "fine", "state", "complete"), ofWorkload(1, "stuck", "state", "stalled"), ofWorkload(1, "moves", "state", "progressing"),
		},
		"loadline_workload_rollout_start_timestamp_seconds":                                              {ofWorkload(9_910, "moves"), ofWorkload(4_000, "fine")},
		"loadline_workload_rollout_end_timestamp_seconds":                                                {ofWorkload(9_970, "fine")},
		"count by (orchestrator":                                                                         {ofWorkload(1, "waits", "reason", "paused"), ofWorkload(1, "waits", "reason", "creating")},
		"sum by (orchestrator, namespace, workload, workload_type) (increase(loadline_workload_restarts": {ofWorkload(2, "gone")},
	}, "host", 15*time.Second, now)
	o := a.orchestrated(t.Context())
	var got []string
	for _, w := range o.Workloads {
		got = append(got, w.Name+": "+rollout(w, now)+": "+strings.Join(w.Waiting, "+"))
	}
	want := "stuck: stalled: |lacks: –: |waits: –: creating+paused|moves: progressing for 1 min: |fine: complete, 30 s ago: "
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if err := a.err(); err != nil {
		t.Error(err)
	}
}

func TestServicesWithoutAnythingReadyAreBeforeOthers(t *testing.T) {
	of := func(v float64, name, state string) promql.Sample {
		return sampleOf(v, "orchestrator", "swarm", "namespace", "shop", "service", name, "state", state)
	}
	a := newAsker(answers{"loadline_service_endpoints": {
		of(2, "good", "ready"), of(0, "good", "not_ready"), of(0, "empty", "ready"), of(0, "empty", "not_ready"), of(3, "half", "ready"), of(1, "half", "not_ready"),
	}}, "host", time.Second, time.Now())
	var got []string
	for _, s := range a.services(t.Context()) {
		got = append(got, s.Name)
	}
	if s := strings.Join(got, " "); s != "half empty good" {
		t.Errorf("got %s", s)
	}
}

func TestWarningsAreBeforeWhatIsUsual(t *testing.T) {
	event := func(v float64, class, kind string) promql.Sample {
		return ofWorkload(v, "web", "class", class, "type", kind)
	}
	a := newAsker(answers{"sum by (orchestrator, namespace, workload, workload_type, class, type)": {
		event(9, "container_started", "normal"), event(1.02, "container_died", "warning"), event(2, "container_oom_killed", "warning"),
	}}, "host", time.Second, time.Now())
	var got []string
	for _, e := range a.events(t.Context()) {
		got = append(got, e.Class+"="+amount(e.Count))
	}
	if s := strings.Join(got, " "); s != "container_oom_killed=2 container_died=1 container_started=9" {
		t.Errorf("got %s", s)
	}
}

func TestMoreThanAnybodyReadsIsCounted(t *testing.T) {
	var desired promql.Vector
	for i := range shownWorkloads + 7 {
		desired = append(desired, ofWorkload(1, strings.Repeat("w", i+1)))
	}
	a := newAsker(answers{"loadline_workload_replicas_desired": desired}, "host", time.Second, time.Now())
	if o := a.orchestrated(t.Context()); len(o.Workloads) != shownWorkloads || o.MoreWorkloads != 7 {
		t.Errorf("%d are shown, %d more", len(o.Workloads), o.MoreWorkloads)
	}
}
