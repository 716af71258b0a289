package serve

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/version"

	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/source"
)

// The families by which every exporter describes itself. They are not part of any
// series budget: they say what it did.
var (
	buildInfo = &family.Family{
		Name: "loadline_build_info", Type: family.Gauge, Collector: "self",
		Help:   "The program that answers, always 1.",
		Labels: []string{"exporter", "version", "revision", "goversion"},
	}
	sourceAvailable = &family.Family{
		Name: "loadline_source_available", Type: family.Gauge, Collector: "self",
		Help:   "Whether a source of facts answers; reason says in a word why it does not (starting, absent, forbidden, timeout, invalid, failed).",
		Labels: []string{"source", "reason"},
	}
	collectorSuccess = &family.Family{
		Name: "loadline_collector_success", Type: family.Gauge, Collector: "self",
		Help:   "Whether a collector delivered all it has in this scrape.",
		Labels: []string{"collector"},
	}
	collectorDuration = &family.Family{
		Name: "loadline_collector_duration_seconds", Type: family.Gauge, Collector: "self", Unit: "seconds",
		Help:   "How long a collector took in this scrape.",
		Labels: []string{"collector"},
	}
	exporterSeries = &family.Family{
		Name: "loadline_exporter_series", Type: family.Gauge, Collector: "self",
		Help: "Series served in this scrape, without those by which the exporter describes itself.",
	}
	exporterSeriesBudget = &family.Family{
		Name: "loadline_exporter_series_budget", Type: family.Gauge, Collector: "self",
		Help: "Series that the exporter serves at the most; 0 is no limit.",
	}
	exporterSeriesDropped = &family.Family{
		Name: "loadline_exporter_series_dropped", Type: family.Gauge, Collector: "self",
		Help:   "Series that were not served in this scrape, by reason; a family that does not fit into the budget is dropped whole.",
		Labels: []string{"reason"},
	}
)

// SelfFamilies are the families by which every exporter describes itself.
func SelfFamilies() family.Table {
	return family.Table{
		buildInfo, sourceAvailable, collectorSuccess, collectorDuration,
		exporterSeries, exporterSeriesBudget, exporterSeriesDropped,
	}
}

type outcome struct {
	collector string
	took      time.Duration
	err       error
}

// describeSelf renders the self-description of one scrape.
func describeSelf(e Exporter, outcomes []outcome, kept family.Budgeted, budget int) family.Budgeted {
	w := family.NewWriter(SelfFamilies(), nil)
	w.Series(buildInfo).Add(1, e.Name, version.Version, version.GetRevision(), version.GoVersion)
	describeSources(w, e.Sources)
	for _, o := range outcomes {
		w.Series(collectorSuccess).Add(truth(o.err == nil), o.collector)
		w.Series(collectorDuration).Add(o.took.Seconds(), o.collector)
	}
	dropped := map[string]int{family.ReasonBudget: 0} // there from the start, so that it can rise
	for _, d := range kept.Dropped {
		dropped[d.Reason] += d.Series
	}
	w.Series(exporterSeries).Add(float64(kept.Series))
	w.Series(exporterSeriesBudget).Add(float64(budget))
	for _, reason := range slices.Sorted(maps.Keys(dropped)) {
		w.Series(exporterSeriesDropped).Add(float64(dropped[reason]), reason)
	}
	return family.Budget(SelfFamilies(), []*family.Writer{w}, 0)
}

func describeSources(w *family.Writer, sources []*source.Source) {
	for _, s := range sources {
		st := s.Status()
		w.Series(sourceAvailable).Add(truth(st.Available()), st.Name, string(st.Reason))
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func droppedNames(d []family.Dropped) []string {
	names := make([]string, 0, len(d))
	for _, x := range d {
		names = append(names, x.Family.Name+" ("+strconv.Itoa(x.Series)+", "+x.Reason+")")
	}
	return names
}
