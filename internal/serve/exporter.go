// Package serve runs exporters: it collects, encodes and serves what they offer,
// and is the command line around them.
//
// An Exporter is a value: its families, its collectors, its sources and what it
// does in the background. A Gatherer turns it into series, a Handler serves them,
// and Main is the whole life of a command. `loadline up` uses the first two and
// brings a life of its own.
package serve

import (
	"context"

	"github.com/loadline-exporters/loadline/internal/family"
	"github.com/loadline-exporters/loadline/internal/source"
)

// Exporter is what a package below exporters/ offers.
type Exporter struct {
	Name    string // "resource": the job's name and the path's part
	Summary string // one line for the landing page

	Families   family.Table // all it can emit; metrics.go is the one place
	Collectors []Collector
	Sources    []*source.Source

	// Run does the background work until the context ends: polls sources, watches
	// the cgroup tree. It returns an error only for what makes going on pointless.
	Run func(ctx context.Context) error
}

// Collector reads one subject at scrape and adds its series to a writer. Its
// families are those of the table that name it.
type Collector struct {
	Name string
	// Collect respects the context where what it calls allows it; a collector that
	// does not return in time is left behind, and is not started again before it
	// returned. An error means that something is missing; what was added is served.
	Collect func(ctx context.Context, w *family.Writer) error
	// Foreign says that it may add families that the table does not list
	// (family.Writer.Foreign), so it runs also when all of its own are turned off.
	Foreign bool
}

// Ready says whether every source has answered once or is known not to.
func (e Exporter) Ready() bool {
	for _, s := range e.Sources {
		if !s.Ready() {
			return false
		}
	}
	return true
}

// Statuses are the states of the sources, in their order.
func (e Exporter) Statuses() []source.Status {
	out := make([]source.Status, 0, len(e.Sources))
	for _, s := range e.Sources {
		out = append(out, s.Status())
	}
	return out
}
