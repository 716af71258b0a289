package mixin

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"

	"github.com/loadline-exporters/loadline/e2e/figures"
)

// hour is how much is filled; a flag so that a look at it need not take so long.
var hour = flag.Duration("hour", time.Hour, "how much time the benchmark fills with series and rules")

// Sizes of the benchmark, in pods: growth is read between them.
const (
	fewPods  = 1_000
	manyPods = 10_000
)

// cost is what evaluating a group once takes, on average.
type cost struct {
	cpu, wall time.Duration
	samples   int // touched
	recorded  int // series
}

// meter counts what queries touch.
type meter struct{ samples int }

// queryFunc evaluates rules as rules.EngineQueryFunc does, and counts.
func (m *meter) queryFunc(l *lab) rules.QueryFunc {
	return func(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
		q, err := l.engine.NewInstantQuery(ctx, l.store, nil, expr, at)
		if err != nil {
			return nil, err
		}
		result := q.Exec(ctx)
		m.samples += int(q.Stats().Samples.TotalSamples)
		return result.Vector()
	}
}

// processorTime is what the process has used.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// filled is a lab with an hour of a large cluster, rules evaluated all along.
type filled struct {
	*lab
	end    time.Time
	series int
	groups map[string]*cost
}

func fill(b *testing.B, pods int) filled {
	b.Helper()
	places := largeWorld(pods)
	all := inCluster(healthy(append(resourceSeries(places), orchestratorSeries(places)...)), "c1", 1)
	m := &meter{}
	f := filled{lab: newLabOf(b, m.queryFunc), end: time.Unix(1_800_000_000, 0), series: len(all), groups: map[string]*cost{}}
	times := map[string]int{}
	for at := f.end.Add(-*hour); !at.After(f.end); at = at.Add(scrapeInterval) {
		f.scrape(all, at, at)
		for _, g := range f.lab.groups {
			if at.Unix()%int64(g.Interval().Seconds()) != 0 {
				continue
			}
			before, start := processorTime(b), time.Now()
			m.samples = 0
			g.Eval(b.Context(), at)
			c := f.groups[g.Name()]
			if c == nil {
				c = &cost{}
				f.groups[g.Name()] = c
			}
			times[g.Name()]++
			c.cpu += processorTime(b) - before
			c.wall += time.Since(start)
			c.samples += m.samples
		}
	}
	for name, c := range f.groups {
		n := times[name]
		c.cpu, c.wall, c.samples = c.cpu/time.Duration(n), c.wall/time.Duration(n), c.samples/n
	}
	for _, g := range f.lab.groups {
		for _, r := range g.Rules() {
			if err := r.LastError(); err != nil {
				b.Errorf("%s: %v", r.Name(), err)
			}
			if strings.Contains(r.Name(), ":") {
				f.groups[g.Name()].recorded += len(f.query(`{__name__="`+r.Name()+`"}`, f.end))
			}
		}
	}
	return f
}

// usual are the values of a cluster that is well, a counter's as its rise in a second.
var usual = map[string]float64{
	"container_cpu_usage_seconds_total":      0.1,
	"container_cpu_cfs_periods_total":        10,
	"container_memory_working_set_bytes":     100 << 20,
	"container_threads":                      20,
	"container_threads_max":                  1000,
	"loadline_pod_tcp_segments_sent_total":   100,
	"loadline_pod_ephemeral_storage_bytes":   10 << 20,
	"node_memory_MemTotal_bytes":             64 << 30,
	"node_memory_MemAvailable_bytes":         32 << 30,
	"node_filesystem_size_bytes":             100 << 30,
	"node_filesystem_avail_bytes":            50 << 30,
	"loadline_node_resource_allocatable":     100,
	"loadline_node_resource_requested":       50,
	"loadline_node_resource_limits":          90,
	"loadline_orchestrator_node_ready":       1,
	"up":                                     1,
	"loadline_collector_success":             1,
	"loadline_collector_duration_seconds":    0.01,
	"loadline_source_available":              1,
	"loadline_exporter_series":               10_000,
	"scrape_duration_seconds":                0.1,
	"scrape_samples_scraped":                 10_000,
	"node_filesystem_files":                  1e6,
	"node_filesystem_files_free":             5e5,
	"kubelet_volume_stats_available_bytes":   5e9,
	"kubelet_volume_stats_capacity_bytes":    1e10,
	"loadline_orchestrator_node_schedulable": 1,
	"loadline_workload_replicas_desired":     10,
	"loadline_workload_replicas_ready":       10,
	"loadline_workload_replicas_available":   10,
	"loadline_workload_replicas_updated":     10,
	"loadline_workload_replicas_schedulable": 10,
	"container_network_receive_bytes_total":  1e5,
	"container_network_transmit_bytes_total": 1e5,
	"container_fs_reads_bytes_total":         1e4,
	"container_fs_writes_bytes_total":        1e4,
	"node_network_receive_bytes_total":       1e7,
	"node_network_transmit_bytes_total":      1e7,
	"node_cpu_seconds_total":                 0.25,
	"node_disk_read_bytes_total":             1e5,
	"node_disk_written_bytes_total":          1e5,
	"loadline_pod_info":                      1,
	"loadline_pod_phase":                     1,
	"loadline_service_pod":                   1,
	"loadline_namespace_owner":               1,
	"loadline_workload_owner":                1,
}

// healthy gives the series those values, and counters that tell of trouble or of change
// a rise of none, but for one workload in fifty.
func healthy(all []series) []series {
	for i := range all {
		s := &all[i]
		value, known := usual[s.family]
		switch {
		case known:
			s.value = value
		case s.family == "loadline_container_resource_requests" || s.family == "loadline_container_resource_limits":
			s.value = map[string]float64{"cpu": 0.5, "memory": 256 << 20}[s.labels["resource"]]
		case s.family == "loadline_service_endpoints":
			s.value = map[string]float64{"ready": 10}[s.labels["state"]]
		case !strings.HasSuffix(s.labels["workload"], "00") && !strings.HasSuffix(s.labels["workload"], "50"):
			s.value = 0
		default:
			s.value = 0.01
		}
	}
	return all
}

// minute is the processor time of all groups for a minute of data.
func (f filled) minute() time.Duration {
	var sum time.Duration
	for _, g := range f.lab.groups {
		sum += time.Duration(float64(f.groups[g.Name()].cpu) * float64(time.Minute) / float64(g.Interval()))
	}
	return sum
}

// BenchmarkMixins evaluates the rules over an hour of a thousand and of ten thousand
// pods, asks all that dashboards ask, and writes what that costs into docs/benchmarks.md when told to.
func BenchmarkMixins(b *testing.B) {
	few, many := fill(b, fewPods), fill(b, manyPods)
	var text strings.Builder
	text.WriteString(figures.Where(b, fmt.Sprintf("%d pods, %d services, %d nodes, %d series of exporters, %s at %s", manyPods, manyPods/10, manyPods/100, many.series, *hour, scrapeInterval)))
	text.WriteString("\n| group | once, ms | at a tenth, ms | samples touched | series recorded | samples a series |\n|---|---|---|---|---|---|\n")
	slowest := time.Duration(0)
	for _, name := range slices.Sorted(maps.Keys(many.groups)) {
		c, less := many.groups[name], few.groups[name]
		slowest = max(slowest, c.wall)
		perSeries := "" // alerts record none
		if c.recorded > 0 {
			perSeries = fmt.Sprintf("%.1f", float64(c.samples)/float64(c.recorded))
		}
		fmt.Fprintf(&text, "| %s | %.1f | %.1f | %d | %d | %s |\n", strings.TrimPrefix(name, "loadline-"),
			c.wall.Seconds()*1000, less.wall.Seconds()*1000, c.samples, c.recorded, perSeries)
	}
	text.WriteString("\n| dashboard | queries | all of them over the hour, ms | at a tenth, ms | samples touched |\n|---|---|---|---|---|\n")
	of, ofLess, slowestDashboard := many.dashboards(b), few.dashboards(b), time.Duration(0)
	for _, uid := range slices.Sorted(maps.Keys(of)) {
		slowestDashboard = max(slowestDashboard, of[uid].wall)
		fmt.Fprintf(&text, "| %s | %d | %.0f | %.0f | %d |\n", strings.TrimPrefix(uid, "loadline-"), of[uid].queries,
			of[uid].wall.Seconds()*1000, ofLess[uid].wall.Seconds()*1000, of[uid].samples)
	}
	minute, tenth := many.minute(), few.minute()
	bars := []figures.Bar{
		{Figure: "all groups, processor time for a minute of data", Limit: "at most 5 s", Measured: fmt.Sprintf("%.2f s", minute.Seconds()), Kept: minute <= 5*time.Second},
		{Figure: "slowest group, once", Limit: "at most 1 s", Measured: fmt.Sprintf("%.2f s", slowest.Seconds()), Kept: slowest <= time.Second},
		{Figure: "slowest dashboard, all its queries over the hour", Limit: "at most 2 s", Measured: fmt.Sprintf("%.2f s", slowestDashboard.Seconds()), Kept: slowestDashboard <= 2*time.Second},
		figures.Ratio("ten times as many pods, processor time", minute.Seconds(), tenth.Seconds(), 11),
	}
	text.WriteString("\n" + figures.Table(bars))
	b.ReportMetric(minute.Seconds(), "cpu-s/min")
	b.ReportMetric(slowest.Seconds(), "s-slowest-group")
	fmt.Println(text.String())
	if *update {
		figures.Write(b, "mixins", text.String())
	}
}
