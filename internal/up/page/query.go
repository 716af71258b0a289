package page

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// Querier answers PromQL. The embedded Prometheus is one.
type Querier interface {
	Instant(ctx context.Context, expr string, at time.Time) (promql.Vector, error)
	Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) (promql.Matrix, error)
}

// The sparklines' time.
const (
	sparkTime = time.Hour
	sparkStep = time.Minute
)

// queries are the page's PromQL. %[1]s is the selector of the machine's own
// resource exporter, %[2]s the window of rates, %[3]d how many samples cover it.
const (
	byContainer = `namespace, workload, workload_type, pod, container`

	// Groups around containers have no container, and sandboxes run nothing of the user's.
	queryMemory   = `sum by (` + byContainer + `) (container_memory_working_set_bytes{%[1]s, container!~"|POD"})`
	queryRequests = `sum by (` + byContainer + `, resource) (loadline_container_resource_requests{%[1]s})`
	queryLimits   = `sum by (` + byContainer + `, resource) (loadline_container_resource_limits{%[1]s})`

	queryNodeCores     = `count (node_cpu_seconds_total{%[1]s, mode="idle"})`
	queryNodeMemory    = `node_memory_MemTotal_bytes{%[1]s} - node_memory_MemAvailable_bytes{%[1]s}`
	queryNodeMemoryAll = `node_memory_MemTotal_bytes{%[1]s}`
	queryNodeLoad      = `node_load1{%[1]s}`
	queryNodeBoot      = `node_boot_time_seconds{%[1]s}`
	queryNodeUname     = `node_uname_info{%[1]s}`
	queryFSSize        = `max by (device, mountpoint) (node_filesystem_size_bytes{%[1]s}) > 0`
	queryFSAvail       = `max by (device, mountpoint) (node_filesystem_avail_bytes{%[1]s})`

	queryUp     = `up{instance=%[1]s}`
	querySeries = `loadline_exporter_series{instance=%[1]s}`
	queryTook   = `scrape_duration_seconds{instance=%[1]s}`
)

// The queries of rates.
var (
	queryCPU      = `sum by (` + byContainer + `) (` + perSecond(`container_cpu_usage_seconds_total{%[1]s, container!~"|POD"}`) + `)`
	queryNodeCPU  = `sum (` + perSecond(`node_cpu_seconds_total{%[1]s, mode!~"idle|iowait|steal"}`) + `)`
	queryPressure = pressure("cpu") + ` or ` + pressure("memory") + ` or ` + pressure("io")
)

// perSecond is a counter's rate over the window. In the window's beginning, while
// fewer samples are there than cover it, rate would divide by the whole of it: the
// last two samples' rate is taken.
func perSecond(counter string) string {
	samples := counter + `[%[2]s]`
	return `(rate(` + samples + `) and count_over_time(` + samples + `) >= %[3]d or irate(` + samples + `))`
}

func pressure(resource string) string {
	return `label_replace(` + perSecond(`node_pressure_`+resource+`_waiting_seconds_total{%[1]s}`) + `, "resource", "` + resource + `", "", "")`
}

// asker asks several queries and remembers what went wrong.
type asker struct {
	querier  Querier
	selector string
	// orchestrator selects the orchestrator exporter.
	orchestrator string
	instance     string
	window       string
	covered      int // samples
	at           time.Time

	mu   sync.Mutex
	errs []error
}

func newAsker(q Querier, instance string, every time.Duration, at time.Time) *asker {
	// Four scrapes, as Grafana's $__rate_interval has it, and no less than one
	// minute, below which the numbers jump.
	window := max(4*every, time.Minute)
	// rate() divides by the window even where samples cover a part of it only, as
	// they do for whatever is new. Below four fifths the last two samples are
	// taken instead.
	covered := max(int(window*4/5/max(every, time.Second)), 2)
	return &asker{
		querier: q, instance: strconv.Quote(instance), at: at,
		selector:     `job="resource", instance=` + strconv.Quote(instance),
		orchestrator: `job="orchestrator", instance=` + strconv.Quote(instance),
		window:       strconv.FormatInt(window.Milliseconds(), 10) + "ms",
		covered:      covered,
	}
}

func (a *asker) expr(query string) string {
	return fmt.Sprintf(query, a.selector, a.window, a.covered, a.orchestrator)
}

func (a *asker) fail(err error) {
	if err != nil {
		a.mu.Lock()
		a.errs = append(a.errs, err)
		a.mu.Unlock()
	}
}

func (a *asker) err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return errors.Join(a.errs...)
}

// vector answers a query about the machine's own exporter.
func (a *asker) vector(ctx context.Context, query string) promql.Vector {
	v, err := a.querier.Instant(ctx, a.expr(query), a.at)
	a.fail(err)
	return v
}

// scalar answers a query that yields one number; NaN without one.
func (a *asker) scalar(ctx context.Context, query string) float64 {
	if v := a.vector(ctx, query); len(v) > 0 {
		return v[0].F
	}
	return math.NaN()
}

// exporters answers a query about all of the process's exporters, by job.
func (a *asker) exporters(ctx context.Context, query string) map[string]float64 {
	v, err := a.querier.Instant(ctx, fmt.Sprintf(query, a.instance), a.at)
	a.fail(err)
	out := make(map[string]float64, len(v))
	for _, s := range v {
		out[s.Metric.Get(model.JobLabel)] = s.F
	}
	return out
}

// sparks answers a query over the last hour, by container.
func (a *asker) sparks(ctx context.Context, query string) map[place][]float64 {
	end := a.at.Truncate(sparkStep)
	start := end.Add(-sparkTime)
	m, err := a.querier.Range(ctx, a.expr(query), start, end, sparkStep)
	a.fail(err)
	out := make(map[place][]float64, len(m))
	for _, s := range m {
		points := make([]float64, sparkTime/sparkStep+1)
		for i := range points {
			points[i] = math.NaN()
		}
		for _, p := range s.Floats {
			if i := (p.T - start.UnixMilli()) / sparkStep.Milliseconds(); i >= 0 && i < int64(len(points)) {
				points[i] = p.F
			}
		}
		out[placeOf(s.Metric)] = points
	}
	return out
}

// place is a container's place in the hierarchy; the zero value is the node.
type place struct{ namespace, workload, kind, pod, container string }

func placeOf(l labels.Labels) place {
	return place{l.Get("namespace"), l.Get("workload"), l.Get("workload_type"), l.Get("pod"), l.Get("container")}
}
