package mixin

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// levelLabels are the labels of a level's series, in the order in which they are built.
var levelLabels = map[string][]string{
	"container": {"cluster", "node", "namespace", "workload", "workload_type", "pod", "container"},
	"pod":       {"cluster", "node", "namespace", "workload", "workload_type", "pod"},
	"workload":  {"cluster", "namespace", "workload", "workload_type"},
	"namespace": {"cluster", "namespace"},
	"node":      {"cluster", "node"},
	"cluster":   {"cluster"},
	"service":   {"cluster", "namespace", "service"},
}

// aboveOf are the levels that a signal has above its base.
var aboveOf = map[string][]string{
	"container": {"pod", "workload", "namespace", "cluster", "node", "service"},
	"pod":       {"workload", "namespace", "cluster", "node", "service"},
	"workload":  {"namespace", "cluster"},
	"node":      {"cluster"},
}

// truth is a signal as this test understands it: which series it is made of, and how.
// It is written beside the signals, not made of them.
type truth struct {
	name, base string
	// families are one or, with operate, two.
	families []string
	where    labelSet
	not      labelSet // values that the series must not have
	extra    []string
	per      float64 // a counter's rise in what is recorded: in a second, or in five minutes
	operate  func(a, b float64) float64
	fold     func(a, b float64) float64
	count    bool
}

func sum(a, b float64) float64   { return a + b }
func ratio(a, b float64) float64 { return a / b }
func minus(a, b float64) float64 { return a - b }

const minutes5 = 300

// truths are all but the shares of one signal in another, and the quantiles.
var truths = []truth{
	{name: "cpu_usage_cores:rate5m", base: "container", families: []string{"container_cpu_usage_seconds_total"}, per: 1},
	{name: "cpu_throttled_ratio:max_rate5m", base: "container", families: []string{"container_cpu_cfs_throttled_periods_total", "container_cpu_cfs_periods_total"}, operate: ratio, fold: math.Max},
	{name: "cpu_pressure_ratio:max_rate5m", base: "container", families: []string{"container_pressure_cpu_waiting_seconds_total"}, per: 1, fold: math.Max},
	{name: "memory_pressure_ratio:max_rate5m", base: "container", families: []string{"container_pressure_memory_waiting_seconds_total"}, per: 1, fold: math.Max},
	{name: "io_pressure_ratio:max_rate5m", base: "container", families: []string{"container_pressure_io_waiting_seconds_total"}, per: 1, fold: math.Max},
	{name: "cpu_requests_cores:sum", base: "workload", families: []string{"loadline_container_resource_requests"}, where: labelSet{"resource": "cpu"}},
	{name: "cpu_limits_cores:sum", base: "workload", families: []string{"loadline_container_resource_limits"}, where: labelSet{"resource": "cpu"}},
	{name: "memory_requests_bytes:sum", base: "workload", families: []string{"loadline_container_resource_requests"}, where: labelSet{"resource": "memory"}},
	{name: "memory_limits_bytes:sum", base: "workload", families: []string{"loadline_container_resource_limits"}, where: labelSet{"resource": "memory"}},
	// Not recorded, but what others are made of.
	{name: "cpu_limit_of_each", base: "container", families: []string{"loadline_container_resource_limits"}, where: labelSet{"resource": "cpu"}},
	{name: "memory_request_of_each", base: "container", families: []string{"loadline_container_resource_requests"}, where: labelSet{"resource": "memory"}},
	{name: "memory_limit_of_each", base: "container", families: []string{"loadline_container_resource_limits"}, where: labelSet{"resource": "memory"}},
	{name: "memory_working_set_bytes:sum", base: "container", families: []string{"container_memory_working_set_bytes"}},
	{name: "block_read_bytes:rate5m", base: "container", families: []string{"container_fs_reads_bytes_total"}, per: 1},
	{name: "block_write_bytes:rate5m", base: "container", families: []string{"container_fs_writes_bytes_total"}, per: 1},
	{name: "threads_limit_usage_ratio:max", base: "container", families: []string{"container_threads", "container_threads_max"}, operate: ratio, fold: math.Max},
	{name: "network_receive_bytes:rate5m", base: "pod", families: []string{"container_network_receive_bytes_total"}, per: 1},
	{name: "network_transmit_bytes:rate5m", base: "pod", families: []string{"container_network_transmit_bytes_total"}, per: 1},
	{name: "network_dropped:rate5m", base: "workload", families: []string{"container_network_receive_packets_dropped_total", "container_network_transmit_packets_dropped_total"}, operate: sum},
	{name: "tcp_segments_sent:rate5m", base: "workload", families: []string{"loadline_pod_tcp_segments_sent_total"}, per: 1},
	{name: "tcp_segments_retransmitted:rate5m", base: "workload", families: []string{"loadline_pod_tcp_segments_retransmitted_total"}, per: 1},
	{name: "tcp_accept_queue_overflows:rate5m", base: "workload", families: []string{"loadline_pod_tcp_accept_queue_overflows_total"}, per: 1},
	{name: "ephemeral_storage_bytes:sum", base: "workload", families: []string{"loadline_pod_ephemeral_storage_bytes"}},
	{name: "oom_kills:increase5m", base: "workload", families: []string{"loadline_workload_oom_kills_total"}, per: minutes5},
	{name: "container_starts:increase5m", base: "workload", families: []string{"loadline_workload_container_starts_total"}, per: minutes5},

	{name: "host_cpu_busy_cores:rate5m", base: "node", families: []string{"node_cpu_seconds_total"}, not: labelSet{"mode": "idle iowait"}, per: 1},
	{name: "host_cpu_cores:count", base: "node", families: []string{"node_cpu_seconds_total"}, where: labelSet{"mode": "idle"}, count: true},
	{name: "host_memory_bytes:sum", base: "node", families: []string{"node_memory_MemTotal_bytes"}},
	{name: "host_memory_used_bytes:sum", base: "node", families: []string{"node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes"}, operate: minus},
	{name: "host_cpu_pressure_ratio:max_rate5m", base: "node", families: []string{"node_pressure_cpu_waiting_seconds_total"}, per: 1, fold: math.Max},
	{name: "host_memory_pressure_ratio:max_rate5m", base: "node", families: []string{"node_pressure_memory_waiting_seconds_total"}, per: 1, fold: math.Max},
	{name: "host_io_pressure_ratio:max_rate5m", base: "node", families: []string{"node_pressure_io_waiting_seconds_total"}, per: 1, fold: math.Max},
	{name: "host_network_receive_bytes:rate5m", base: "node", families: []string{"node_network_receive_bytes_total"}, not: labelSet{"device": "lo"}, per: 1},
	{name: "host_network_transmit_bytes:rate5m", base: "node", families: []string{"node_network_transmit_bytes_total"}, not: labelSet{"device": "lo"}, per: 1},
	{name: "host_disk_read_bytes:rate5m", base: "node", families: []string{"node_disk_read_bytes_total"}, per: 1},
	{name: "host_disk_written_bytes:rate5m", base: "node", families: []string{"node_disk_written_bytes_total"}, per: 1},
	{name: "host_filesystem_usage_ratio:max", base: "node", families: []string{"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}, operate: func(a, b float64) float64 { return 1 - a/b }, fold: math.Max},
	{name: "host_cpu_requested_cores:sum", base: "node", families: []string{"loadline_node_resource_requested"}, where: labelSet{"resource": "cpu"}},
	{name: "host_memory_requested_bytes:sum", base: "node", families: []string{"loadline_node_resource_requested"}, where: labelSet{"resource": "memory"}},
	{name: "host_cpu_limited_cores:sum", base: "node", families: []string{"loadline_node_resource_limits"}, where: labelSet{"resource": "cpu"}},
	{name: "host_memory_limited_bytes:sum", base: "node", families: []string{"loadline_node_resource_limits"}, where: labelSet{"resource": "memory"}},
	{name: "host_cpu_allocatable_cores:sum", base: "node", families: []string{"loadline_node_resource_allocatable"}, where: labelSet{"resource": "cpu"}},
	{name: "host_memory_allocatable_bytes:sum", base: "node", families: []string{"loadline_node_resource_allocatable"}, where: labelSet{"resource": "memory"}},

	{name: "replicas_desired:sum", base: "workload", families: []string{"loadline_workload_replicas_desired"}},
	{name: "replicas_ready:sum", base: "workload", families: []string{"loadline_workload_replicas_ready"}},
	{name: "replicas_available:sum", base: "workload", families: []string{"loadline_workload_replicas_available"}},
	{name: "replicas_updated:sum", base: "workload", families: []string{"loadline_workload_replicas_updated"}},
	{name: "replicas_schedulable:sum", base: "workload", families: []string{"loadline_workload_replicas_schedulable"}},
	{name: "endpoints_ready:sum", base: "service", families: []string{"loadline_service_endpoints"}, where: labelSet{"state": "ready"}},
	{name: "endpoints:sum", base: "service", families: []string{"loadline_service_endpoints"}, not: labelSet{"state": "terminating"}},
	{name: "pods:count", base: "workload", families: []string{"loadline_pod_phase"}, extra: []string{"phase"}, count: true},
	{name: "containers_waiting:count", base: "workload", families: []string{"loadline_container_waiting"}, extra: []string{"reason"}, count: true},
	{name: "pod_overdue_seconds:max", base: "workload", families: []string{"loadline_pod_overdue_seconds"}, extra: []string{"phase"}, fold: math.Max},
	{name: "restarts:increase5m", base: "workload", families: []string{"loadline_workload_restarts_total"}, per: minutes5},
	{name: "terminations:increase5m", base: "workload", families: []string{"loadline_workload_terminations_total"}, extra: []string{"reason"}, per: minutes5},
	{name: "pod_failures:increase5m", base: "workload", families: []string{"loadline_workload_pod_failures_total"}, extra: []string{"reason"}, per: minutes5},
	{name: "rollouts:increase5m", base: "workload", families: []string{"loadline_workload_rollouts_total"}, extra: []string{"result"}, per: minutes5},
	{name: "job_runs:increase5m", base: "workload", families: []string{"loadline_workload_job_runs_total"}, extra: []string{"result"}, per: minutes5},
	{name: "events:increase5m", base: "workload", families: []string{"loadline_events_total"}, extra: []string{"class"}, per: minutes5},
	{name: "orchestrator_ready:sum", base: "node", families: []string{"loadline_orchestrator_node_ready"}},
	{name: "orchestrator_schedulable:sum", base: "node", families: []string{"loadline_orchestrator_node_schedulable"}},
}

// combined are signals that are made of two others, series by series.
var combined = []struct {
	name, part, whole string
	operate           func(a, b float64) float64
	// fold, if set, is how the levels above the container come from it.
	fold func(a, b float64) float64
}{
	{"cpu_request_usage_ratio:ratio", "cpu_usage_cores:rate5m", "cpu_requests_cores:sum", ratio, nil},
	{"tcp_retransmitted_ratio:rate5m", "tcp_segments_retransmitted:rate5m", "tcp_segments_sent:rate5m", ratio, nil},
	{"host_cpu_usage_ratio:ratio", "host_cpu_busy_cores:rate5m", "host_cpu_cores:count", ratio, nil},
	{"host_memory_usage_ratio:ratio", "host_memory_used_bytes:sum", "host_memory_bytes:sum", ratio, nil},
	{"host_cpu_requested_ratio:ratio", "host_cpu_requested_cores:sum", "host_cpu_allocatable_cores:sum", ratio, nil},
	{"host_memory_requested_ratio:ratio", "host_memory_requested_bytes:sum", "host_memory_allocatable_bytes:sum", ratio, nil},
	{"host_memory_limited_ratio:ratio", "host_memory_limited_bytes:sum", "host_memory_allocatable_bytes:sum", ratio, nil},
	{"replicas_ready_ratio:ratio", "replicas_ready:sum", "replicas_desired:sum", ratio, nil},
	{"endpoints_ready_ratio:ratio", "endpoints_ready:sum", "endpoints:sum", ratio, nil},
	{"cpu_limit_usage_ratio:max", "cpu_usage_cores:rate5m", "cpu_limit_of_each", ratio, math.Max},
	{"memory_limit_usage_ratio:max", "memory_working_set_bytes:sum", "memory_limit_of_each", ratio, math.Max},
	{"memory_request_usage_ratio:max", "memory_working_set_bytes:sum", "memory_request_of_each", ratio, math.Max},
}

// recording is what is to be recorded: values by labels, by name.
type recording map[string]map[string]float64

// expect works out by hand what rules are to record.
func expect(places []place, all []series) recording {
	out := recording{}
	for _, t := range truths {
		fold := t.fold
		if fold == nil {
			fold = sum
		}
		out.levels(t.base, t.name, t.extra, t.first(all, fold), fold, places)
	}
	for _, c := range combined {
		for level := range levelLabels {
			part, whole := out[level+":"+c.part], out[level+":"+c.whole]
			if part == nil || whole == nil || c.fold != nil && level != "container" {
				continue
			}
			values := map[string]float64{}
			for key, v := range part {
				if w, ok := whole[key]; ok {
					values[key] = c.operate(v, w)
				}
			}
			if c.fold != nil {
				out.levels(level, c.name, nil, values, c.fold, places)
			} else {
				out[level+":"+c.name] = values
			}
		}
	}
	out.others(places)
	return out
}

// first are the values at the base.
func (t truth) first(all []series, fold func(a, b float64) float64) map[string]float64 {
	values := map[string]float64{}
	for _, s := range all {
		if s.foreign || s.family != t.families[0] || !t.matches(s) {
			continue
		}
		v := s.value
		switch {
		case t.count:
			v = 1
		case t.per != 0:
			v *= t.per
		case t.operate != nil:
			v = t.operate(v, valueOf(t.families[1], s.labels))
		}
		key := keyOf(s.labels, append(slices.Clone(levelLabels[t.base]), t.extra...))
		if old, ok := values[key]; ok {
			v = fold(old, v)
		}
		values[key] = v
	}
	return values
}

func (t truth) matches(s series) bool {
	for name, value := range t.where {
		if s.labels[name] != value {
			return false
		}
	}
	for name, values := range t.not {
		if slices.Contains(strings.Fields(values), s.labels[name]) {
			return false
		}
	}
	return true
}

// keyOf are a series' labels of these names, as text.
func keyOf(l labelSet, names []string) string {
	of := labelSet{}
	for _, name := range names {
		if l[name] != "" {
			of[name] = l[name]
		}
	}
	return labels.FromMap(of).String()
}

// levels adds a signal at its base and everything above.
func (r recording) levels(base, name string, extra []string, values map[string]float64, fold func(a, b float64) float64, places []place) {
	r[base+":"+name] = values
	for _, level := range aboveOf[base] {
		if level == "service" && len(extra) > 0 {
			continue
		}
		above := map[string]float64{}
		for key, v := range values {
			for _, of := range containing(parse(key), level, places) {
				k := keyOf(of, append(slices.Clone(levelLabels[level]), extra...))
				if old, ok := above[k]; ok {
					above[k] = fold(old, v)
				} else {
					above[k] = v
				}
			}
		}
		r[level+":"+name] = above
	}
}

// containing are the sets of labels, with those of a level, that a series is a part of:
// of services there can be several or none.
func containing(l labelSet, level string, places []place) []labelSet {
	if level != "service" {
		return []labelSet{l}
	}
	var out []labelSet
	for _, p := range places {
		if p.namespace == l["namespace"] && p.pod == l["pod"] {
			for _, service := range p.services {
				out = append(out, l.with(labelSet{"service": service}))
			}
			break
		}
	}
	return out
}

// parse reads what keyOf wrote.
func parse(key string) labelSet {
	out := labelSet{}
	for _, pair := range strings.Split(strings.Trim(key, "{}"), ", ") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			out[name] = strings.Trim(value, `"`)
		}
	}
	return out
}

// others are what is recorded for other reasons than to be added up.
func (r recording) others(places []place) {
	const ready = 5 + 5*(0.95-0.9)/0.1 // the fraction of the bucket from 5 to 10
	info, desired := map[string]float64{}, map[string]float64{}
	owners := map[string]map[string]float64{"namespace": {}, "workload": {}, "service": {}}
	quantiles, pods, selected := map[string]float64{}, map[string]map[string]bool{}, map[string]float64{}
	owner := map[string]map[string]bool{} // of services
	for _, p := range places {
		w := keyOf(p.ofWorkload(), levelLabels["workload"])
		quantiles[w] = ready
		of := p.ofWorkload().with(labelSet{"owner": "owner-of-" + p.workload})
		if p.workload == "queue" {
			delete(of, "owner")
		}
		owners["workload"][keyOf(of, append(slices.Clone(levelLabels["workload"]), "owner"))] = 1
		owners["namespace"][labels.FromMap(labelSet{"namespace": p.namespace, "owner": "owner-of-" + p.namespace}).String()] = 1
		for _, service := range p.services {
			key := keyOf(p.ofWorkload().with(labelSet{"service": service}), append(slices.Clone(levelLabels["service"]), "workload", "workload_type"))
			s := labels.FromMap(labelSet{"namespace": p.namespace, "service": service}).String()
			if info[key] == 0 {
				desired[s] += valueOf("loadline_workload_replicas_desired", p.ofWorkload().with(labelSet{"job": "orchestrator", "orchestrator": "kubernetes"}))
			}
			info[key] = 1
			if pods[key] == nil {
				pods[key] = map[string]bool{}
			}
			pods[key][p.pod] = true
			if owner[s] == nil {
				owner[s] = map[string]bool{}
			}
			if of["owner"] != "" {
				owner[s][of["owner"]] = true
			}
		}
	}
	for s, of := range owner {
		name := "owner-of-" + parse(s)["namespace"]
		if len(of) == 1 {
			name = slices.Collect(maps.Keys(of))[0]
		}
		owners["service"][labels.FromMap(parse(s).with(labelSet{"owner": name})).String()] = 1
	}
	for key, of := range pods {
		selected[key] = float64(len(of))
	}
	r["service:workload_pods:count"], r["service:workload_info:max"], r["service:replicas_desired:sum"] = selected, info, desired
	for level, values := range owners {
		r[level+":owner:info"] = values
	}
	for _, what := range []string{"scheduling", "start", "ready"} {
		r["workload:pod_"+what+"_duration_seconds:p95_1h"] = quantiles
	}
	r["cluster:image_pull_duration_seconds:p95_1h"] = map[string]float64{`{registry="registry.example"}`: ready}
}

func TestRulesRecordWhatIsTrueAtEveryLevel(t *testing.T) {
	places := smallWorld()
	all := append(resourceSeries(places), orchestratorSeries(places)...)
	want := expect(places, all)
	for name, c := range map[string]struct {
		cluster  string
		replicas int
	}{
		"one exporter, no cluster":   {"", 1},
		"two replicas, no cluster":   {"", 2},
		"two replicas and a cluster": {"c1", 2},
	} {
		t.Run(name, func(t *testing.T) {
			l, at := newLab(t), time.Unix(1_800_000_000, 0)
			l.scrape(inCluster(all, c.cluster, c.replicas), at.Add(-70*time.Minute), at)
			for range 4 { // the order of groups does not matter: a level is one evaluation late at most
				l.evaluate(at)
				at = at.Add(scrapeInterval)
				l.scrape(inCluster(all, c.cluster, c.replicas), at, at)
			}
			l.evaluate(at)
			for _, g := range l.groups {
				if strings.Contains(g.Name(), "-alerts-") {
					continue // what only alerts read is tested with them, in rules/tests
				}
				for _, r := range g.Rules() {
					if strings.Contains(r.Name(), ":") {
						compareRecorded(t, l, r.Name(), c.cluster, at, want)
					}
				}
			}
		})
	}
}

// compareRecorded compares what is recorded under a name.
func compareRecorded(t *testing.T, l *lab, name, cluster string, at time.Time, want recording) {
	t.Helper()
	expected, ok := want[name]
	if !ok {
		t.Errorf("%s is in no test", name)
		return
	}
	got := map[string]float64{}
	for _, s := range l.query(`{__name__="`+name+`"}`, at) {
		if has := s.Metric.Get("cluster"); has != cluster {
			t.Errorf("%s has the cluster %q, want %q", name, has, cluster)
		}
		got[labels.NewBuilder(s.Metric).Del("cluster", model.MetricNameLabel).Labels().String()] = s.F
	}
	if len(expected) == 0 {
		t.Errorf("%s is to have no series: the test's world has nothing for it", name)
	}
	for key, w := range expected {
		if g, ok := got[key]; !ok || math.Abs(g-w) > 1e-6*math.Max(math.Abs(w), 1) {
			t.Errorf("%s%s is %v, want %v", name, key, said(g, ok), w)
		}
		delete(got, key)
	}
	for key, g := range got {
		t.Errorf("%s%s is %v, and should not be there", name, key, g)
	}
}

func said(v float64, ok bool) string {
	if !ok {
		return "missing"
	}
	return fmt.Sprint(v)
}
