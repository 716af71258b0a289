package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/grafana/regexp"
	"github.com/prometheus/common/model"
)

// maxWindow is the longest window, in seconds, whose samples are reduced to a few
// numbers by the server.
const maxWindow = 3600

// counterFamily is a counter that the report is about.
type counterFamily struct {
	name, title string
	// label is whose values are the kinds.
	label model.LabelName
	// notable says which of them matter, and notableTitle what they are together.
	notable      func(kind string, metric model.Metric) bool
	notableTitle string
	// perNode says that each node's exporter counts its own.
	perNode bool
}

func counterFamilies() []counterFamily {
	always := func(string, model.Metric) bool { return true }
	return []counterFamily{
		{"loadline_workload_oom_kills_total", "OOM kills", "scope", always, "OOM kills", true},
		{"loadline_workload_restarts_total", "Restarts of containers", "container", always, "restarts", false},
		{"loadline_workload_terminations_total", "Ends of containers", "reason", func(kind string, _ model.Metric) bool { return kind != "completed" }, "ends other than well", false},
		{"loadline_workload_rollouts_total", "Rollouts", "result", func(kind string, _ model.Metric) bool { return kind != "completed" }, "failed or rolled back", false},
		{"loadline_events_total", "Events", "class", func(_ string, m model.Metric) bool { return m["type"] == "warning" }, "warnings", false},
	}
}

// amountKey is what amounts are added up by.
type amountKey struct {
	cluster, namespace, workload, kind string // kind of workload
	value                              string // of the family's label
	notable                            bool
}

// amounts are what was counted in the period before and in the report's.
type amounts [2]float64

// counterReader adds up a family's differences.
type counterReader struct {
	family   counterFamily
	selector string // matchers, or nothing
	replicas []string
	border   int64 // where the report's period begins
	client   *client

	// last is each series' last value. Its key is the label set.
	last map[string]float64
	sums map[amountKey]*amounts
}

// read asks for a time that is made of windows of a length. The exact difference of a
// counter in a window takes its last value, its first, which is its least where it was
// not reset, and the last of the window before. Where it was reset all samples are asked
// for.
func (r *counterReader) read(ctx context.Context, all interval, window int64) error {
	const startPoints = 6
	return inPieces(ctx, piece{all.start + window, all.end, window}, startPoints, func(p piece) (int, error) {
		var of [3]map[string]map[int64]float64
		metrics := map[string]model.Metric{}
		n := 0
		for i, function := range []string{"last_over_time", "min_over_time", "resets"} {
			m, err := r.client.matrix(ctx, fmt.Sprintf("%s(%s[%ds])", function, r.series(), window), p)
			if err != nil {
				return 0, err
			}
			if i == 0 && len(m) == 0 {
				return 0, nil
			}
			n = max(n, samples(m))
			of[i] = pointsOf(m, metrics)
			if len(metrics) > maxAlerts || len(r.last) > maxAlerts {
				return 0, fmt.Errorf("%s has over %d series: narrow it by --selector or shorten --since", r.family.name, maxAlerts)
			}
		}
		for at := p.first; at <= p.last; at += window {
			if err := r.window(ctx, at, window, metrics, of); err != nil {
				return 0, err
			}
		}
		return n, nil
	})
}

func (r *counterReader) series() string { return r.family.name + "{" + r.selector + "}" }

// pointsOf keys points by series and time, and notes the series' labels. Functions drop
// a name, last_over_time does not.
func pointsOf(m model.Matrix, metrics map[string]model.Metric) map[string]map[int64]float64 {
	out := make(map[string]map[int64]float64, len(m))
	for _, s := range m {
		key := seriesKey(s.Metric)
		metrics[key] = s.Metric
		points := make(map[int64]float64, len(s.Values))
		for _, v := range s.Values {
			points[v.Timestamp.Unix()] = float64(v.Value)
		}
		out[key] = points
	}
	return out
}

func seriesKey(m model.Metric) string {
	delete(m, model.MetricNameLabel)
	return model.LabelSet(m).String()
}

// window adds what each counter grew by in the window that ends at a time. Of replicas of
// an exporter the one counts that saw most.
func (r *counterReader) window(ctx context.Context, at, window int64, metrics map[string]model.Metric, of [3]map[string]map[int64]float64) error {
	type seen struct {
		metric model.Metric
		grown  float64
	}
	most := map[string]seen{}
	note := func(key string, grown float64) {
		if grown <= 0 {
			return
		}
		id := r.identity(metrics[key])
		if s, ok := most[id]; !ok || grown > s.grown {
			most[id] = seen{metrics[key], grown}
		}
	}
	var reset []string
	for key, points := range of[0] {
		last, ok := points[at]
		if !ok {
			continue
		}
		if of[2][key][at] > 0 {
			reset = append(reset, key)
			continue
		}
		note(key, r.grown(key, of[1][key][at], last))
	}
	if len(reset) > 0 {
		all, err := r.raw(ctx, interval{at - window, at}, reset, metrics)
		if err != nil {
			// Not wrapped: the piece must not be asked for again, of which windows count
			// already.
			return errors.New(err.Error())
		}
		for _, key := range reset {
			note(key, r.grown(key, all[key]...))
		}
	}
	for _, s := range most {
		r.sum(s.metric, at, s.grown)
	}
	return nil
}

// grown is by how much a counter grew over some values after the last that is known,
// which they take the place of. What it had when it was first seen is no growth.
func (r *counterReader) grown(key string, values ...float64) float64 {
	var sum float64
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue // no counter has it
		}
		last, ok := r.last[key]
		switch {
		case !ok:
		case v < last: // it began anew
			sum += v
		default:
			sum += v - last
		}
		r.last[key] = v
	}
	return sum
}

// raw returns all values of series in a time, in halves where that is too much at once.
func (r *counterReader) raw(ctx context.Context, in interval, series []string, metrics map[string]model.Metric) (map[string][]float64, error) {
	query := fmt.Sprintf("%s{%s}[%ds]", r.family.name, r.only(series, metrics), in.length())
	v, err := r.client.instant(ctx, query, in.end)
	if err != nil {
		if half := in.start + in.length()/2; tooMuch(err) && half > in.start && ctx.Err() == nil {
			first, err := r.raw(ctx, interval{in.start, half}, series, metrics)
			if err != nil {
				return nil, err
			}
			second, err := r.raw(ctx, interval{half, in.end}, series, metrics)
			for key, values := range second {
				first[key] = append(first[key], values...)
			}
			return first, err
		}
		return nil, err
	}
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, r.client.checked(query, nil, fmt.Errorf("the answer is a %s instead of a matrix", v.Type()))
	}
	out := make(map[string][]float64, len(m))
	for _, s := range m {
		key := seriesKey(s.Metric)
		for _, v := range s.Values {
			out[key] = append(out[key], float64(v.Value))
		}
	}
	return out, nil
}

// only are matchers of some series: by their exporters, if those are few.
func (r *counterReader) only(series []string, metrics map[string]model.Metric) string {
	const few = 20
	var instances []string
	for _, key := range series {
		if i := regexp.QuoteMeta(string(metrics[key]["instance"])); !slices.Contains(instances, i) {
			instances = append(instances, i)
		}
		if len(instances) > few {
			return r.selector
		}
	}
	matcher := fmt.Sprintf("instance=~%q", strings.Join(instances, "|"))
	return strings.Join(slices.DeleteFunc([]string{r.selector, matcher}, empty), ",")
}

// identity is the same for replicas of an exporter.
func (r *counterReader) identity(m model.Metric) string {
	labels := model.LabelSet(m).Clone()
	for _, name := range r.replicas {
		delete(labels, model.LabelName(name))
	}
	if !r.family.perNode || labels["node"] != "" {
		delete(labels, "instance")
	}
	return labels.String()
}

func (r *counterReader) sum(m model.Metric, at int64, grown float64) {
	get := func(name model.LabelName) string { return cut(string(m[name]), maxLabel) }
	value := get(r.family.label)
	key := amountKey{get("cluster"), get("namespace"), get("workload"), get("workload_type"), value, r.family.notable(value, m)}
	if r.sums[key] == nil {
		r.sums[key] = new(amounts)
	}
	if at > r.border {
		r.sums[key][1] += grown
	} else {
		r.sums[key][0] += grown
	}
}
